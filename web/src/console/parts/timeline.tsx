// Who was in a session when: a line for each person, a bar for each stay.

import { clock, count, span } from '../format';
import type { Stay } from '../shapes';

const TICKS = 4;
const ROW = 22;

interface Line {
  name: string;
  stays: Stay[];
}

const at = (time: string): number => new Date(time).getTime();

/** People in the order of their first join. */
export function linesOf(stays: Stay[]): Line[] {
  const lines = new Map<string, Line>();
  for (const stay of [...stays].sort((a, b) => at(a.joined_at) - at(b.joined_at))) {
    const line = lines.get(stay.user_id) ?? { name: stay.display_name || stay.custom_participant_id, stays: [] };
    line.stays.push(stay);
    lines.set(stay.user_id, line);
  }
  return [...lines.values()];
}

export interface TimelineProps {
  stays: Stay[];
  /** Milliseconds since 1970. */
  from: number;
  until: number;
}

export function Timeline({ stays, from, until }: TimelineProps) {
  const whole = Math.max(until - from, 1000);
  const share = (time: number): number => (100 * (Math.min(Math.max(time, from), from + whole) - from)) / whole;
  const lines = linesOf(stays);
  const ticks = Array.from({ length: TICKS + 1 }, (_, i) => from + (whole * i) / TICKS);
  return (
    <figure
      class="timeline"
      aria-label={`Who was in when: ${count(lines.length, 'person', 'people')} from ${clock(from)} to ${clock(until)}`}
    >
      {lines.map(({ name, stays: own }) => (
        <div class="timeline-line" key={own[0]!.user_id}>
          <span class="timeline-name" title={name}>
            {name}
          </span>
          <svg class="timeline-bars" height={ROW} role="img" aria-label={`${name}: ${own.map(said(until)).join('; ')}`}>
            {ticks.map((tick) => (
              <line key={tick} class="timeline-tick" x1={`${share(tick)}%`} x2={`${share(tick)}%`} y1={0} y2={ROW} />
            ))}
            {own.map((stay) => (
              <Bar key={stay.id} stay={stay} share={share} until={until} />
            ))}
          </svg>
        </div>
      ))}
      <div class="timeline-line" aria-hidden="true">
        <span />
        <div class="timeline-times">
          {ticks.map((tick) => (
            <span key={tick}>{clock(tick)}</span>
          ))}
        </div>
      </div>
    </figure>
  );
}

const said =
  (until: number) =>
  ({ joined_at, left_at }: Stay): string =>
    `${clock(joined_at)} to ${left_at ? clock(left_at) : 'now'}, ${span((left_at ? at(left_at) : until) - at(joined_at))}`;

function Bar({ stay, share, until }: { stay: Stay; share: (time: number) => number; until: number }) {
  const [begin, end] = [share(at(stay.joined_at)), share(stay.left_at ? at(stay.left_at) : until)];
  // Before it was in, it knocked: from its creation on it stood in the waiting room or was connecting.
  const created = stay.peer_events?.find(({ event_name }) => event_name === 'PEER_CREATED');
  const knock = created && at(created.created_at) < at(stay.joined_at) ? share(at(created.created_at)) : begin;
  return (
    <g>
      <title>{said(until)(stay)}</title>
      {knock < begin && (
        <rect class="timeline-knock" x={`${knock}%`} width={`${begin - knock}%`} y={ROW / 2 - 1} height={2} />
      )}
      <rect
        class={stay.left_at ? 'timeline-bar' : 'timeline-bar live'}
        x={`${begin}%`}
        width={`${Math.max(end - begin, 0.4)}%`}
        y={4}
        height={ROW - 8}
        rx={4}
      />
    </g>
  );
}
