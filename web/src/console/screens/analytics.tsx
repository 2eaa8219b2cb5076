import { useState } from 'preact/hooks';
import { number } from '../format';
import { useLoad } from '../hooks';
import { Heading, Segments } from '../parts/bits';
import { Bars } from '../parts/bars';
import { Failed } from '../parts/table';
import { useApp } from '../session';

const DAY_MS = 86_400_000;
const RANGES = [
  ['7', '7 days'],
  ['30', '30 days'],
  ['90', '90 days'],
  ['own', 'Other'],
] as const;
const MOST_DAYS = 366;

const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** Every day from one to the other, both included, as the API writes them: midnights in UTC. */
export function days(from: string, until: string): string[] {
  const all: string[] = [];
  for (let ms = Date.parse(from); ms <= Date.parse(until) && all.length < MOST_DAYS; ms += DAY_MS) all.push(dateOf(ms));
  return all;
}

export function Analytics() {
  const { api } = useApp();
  const [range, setRange] = useState<(typeof RANGES)[number][0]>('30');
  const today = dateOf(Date.now());
  const [own, setOwn] = useState({ from: dateOf(Date.now() - 29 * DAY_MS), until: today });
  const { from, until } =
    range === 'own' ? own : { from: dateOf(Date.now() - (Number(range) - 1) * DAY_MS), until: today };
  const complete = from !== '' && until !== '';
  const { data, error, reload } = useLoad(
    async (signal) => (complete ? api.analytics(from, until, signal) : undefined),
    [api, from, until],
  );
  const all = complete ? days(from, until) : [];
  const daily = <D extends { day: string }>(stats: D[] | undefined, value: (stat: D) => number) => {
    const known = new Map(stats?.map((stat) => [stat.day.slice(0, 10), value(stat)]));
    return all.map((day) => ({ day, value: known.get(day) ?? 0 }));
  };
  const sessions = data?.session_stats;
  const recordings = data?.recording_stats;
  return (
    <>
      <Heading title="Analytics" />
      <div class="filters">
        <Segments label="Days" value={range} choices={RANGES} onValue={setRange} />
        {range === 'own' && (
          <>
            <Day label="From" value={own.from} max={own.until} onValue={(from) => setOwn({ ...own, from })} />
            <Day label="Until" value={own.until} max={today} onValue={(until) => setOwn({ ...own, until })} />
          </>
        )}
        <span class="dim">Days are UTC.</span>
      </div>
      {error && <Failed error={error} onRetry={reload} />}
      <div class="charts">
        <Bars
          title="Sessions"
          unit="sessions"
          total={sessions ? number(sessions.sessions_count) : '…'}
          of={daily(sessions?.day_stats, (stat) => stat.total_sessions)}
        />
        <Bars
          title="Minutes of participants"
          unit="minutes"
          total={sessions ? number(sessions.sessions_minutes_consumed) : '…'}
          of={daily(sessions?.day_stats, (stat) => stat.total_session_minutes)}
        />
        <Bars
          title="Recordings"
          unit="recordings"
          total={recordings ? number(recordings.recording_count) : '…'}
          of={daily(recordings?.day_stats, (stat) => stat.total_recordings)}
        />
        <Bars
          title="Minutes recorded"
          unit="minutes"
          total={recordings ? number(recordings.recording_minutes_consumed) : '…'}
          of={daily(recordings?.day_stats, (stat) => stat.total_recording_minutes)}
        />
      </div>
    </>
  );
}

const Day = ({
  label,
  value,
  max,
  onValue,
}: {
  label: string;
  value: string;
  max: string;
  onValue: (value: string) => void;
}) => (
  <label class="inline-check">
    {label}
    <input
      class="input short"
      type="date"
      value={value}
      max={max}
      onChange={(event) => onValue(event.currentTarget.value)}
    />
  </label>
);
