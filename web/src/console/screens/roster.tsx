import { useEffect, useState } from 'preact/hooks';
import type { AppApi } from '../api';
import { ago, count, span } from '../format';
import { useAction, usePoll } from '../hooks';
import { Avatar, Badge } from '../parts/bits';
import { Confirm } from '../parts/dialog';
import { CheckField } from '../parts/form';
import { EmptyState, Failed } from '../parts/table';
import { toast } from '../parts/toast';
import { useApp } from '../session';
import type { Session, Stay } from '../shapes';

const EVERY_MS = 2000;
/** Stays on a page, and pages at most, of what is asked each time. */
const STAYS = 500;
const PAGES = 4;

interface Live {
  session: Session;
  inside: Stay[];
}

/** Who is in: those who joined last are the likeliest to be, so their pages are read until all are found. */
async function live(api: AppApi, meeting: string, signal: AbortSignal): Promise<Live | null> {
  const session = await api.activeSession(meeting, signal);
  if (!session) return null;
  const inside: Stay[] = [];
  for (let page_no = 1; page_no <= PAGES; page_no += 1) {
    const query = { page_no, per_page: STAYS, sort_order: 'DESC' };
    const { items, paging } = await api.stays(session.id, query, { signal, quiet: true });
    inside.push(...items.filter(({ left_at }) => !left_at));
    if (inside.length >= session.live_participants || paging.end_offset >= paging.total_count) break;
  }
  return { session, inside };
}

const shownName = (stay: Stay): string => stay.display_name || stay.custom_participant_id;

type Open = { what: 'mute-all' | 'end' } | { what: 'kick'; stay: Stay };

/** Who is in a meeting now. */
export function Roster({ meeting }: { meeting: string }) {
  const { api } = useApp();
  const now = usePoll((signal) => live(api, meeting, signal), EVERY_MS, [api, meeting]);
  const action = useAction();
  const [open, setOpen] = useState<Open>();
  const [allowUnmute, setAllowUnmute] = useState(true);
  const [ban, setBan] = useState(false);
  const close = () => setOpen(undefined);
  const session = now.data?.session;
  const mute = async (stay: Stay) => {
    const muted = await action.run(() => api.mute(meeting, stay.user_id));
    if (muted) toast(`${shownName(stay)} is muted.`);
  };
  useEffect(() => {
    if (action.error) toast(action.error.message, { bad: true });
  }, [action.error]);
  return (
    <section class="roster" aria-labelledby="roster">
      <div class="section-head">
        <h2 id="roster">In the meeting now</h2>
        {session && <Badge tone="good">Live</Badge>}
      </div>
      {now.error && <Failed error={now.error} onRetry={now.reload} />}
      <p class="roster-line" role="status">
        {now.data
          ? `${count(now.data.session.live_participants, 'person', 'people')} · started ${ago(now.data.session.started_at)}`
          : now.data === null
            ? 'No session'
            : ''}
      </p>
      {now.data === null && (
        <EmptyState title="Nobody is in.">
          <p>A session begins when the first person joins.</p>
        </EmptyState>
      )}
      {now.data && (
        <>
          <ul class="people">
            {now.data.inside.map((stay) => (
              <Row
                key={stay.id}
                stay={stay}
                onMute={() => void mute(stay)}
                onKick={() => {
                  setBan(false);
                  setOpen({ what: 'kick', stay });
                }}
              />
            ))}
          </ul>
          {now.data.inside.length < now.data.session.live_participants && (
            <p class="hint">
              {count(now.data.session.live_participants - now.data.inside.length, 'more person', 'more people')} not
              shown.
            </p>
          )}
          <div class="form-buttons">
            <button type="button" class="button" onClick={() => setOpen({ what: 'mute-all' })}>
              Mute all
            </button>
            <button type="button" class="button danger" onClick={() => setOpen({ what: 'end' })}>
              End for all
            </button>
          </div>
        </>
      )}
      {open?.what === 'kick' && (
        <Confirm
          title="Kick this participant?"
          verb="Kick"
          onClose={close}
          onConfirm={async () => {
            await api.kick(meeting, open.stay.user_id, ban);
            toast(`${shownName(open.stay)} is out.`);
            now.reload();
          }}
        >
          <p>
            <strong>{shownName(open.stay)}</strong> is disconnected on every device.
          </p>
          <CheckField
            label="Ban: may not join again"
            name="ban"
            value={ban}
            onValue={setBan}
            hint="Lifted by editing the participant."
          />
        </Confirm>
      )}
      {open?.what === 'mute-all' && (
        <Confirm
          title="Mute everybody?"
          verb="Mute all"
          onClose={close}
          onConfirm={async () => {
            const { muted_participants_count } = await api.muteAll(meeting, allowUnmute);
            toast(`${count(muted_participants_count, 'person is', 'people are')} muted.`);
          }}
        >
          <CheckField
            label="They may turn their microphones on again"
            name="allow_unmute"
            value={allowUnmute}
            onValue={setAllowUnmute}
          />
        </Confirm>
      )}
      {open?.what === 'end' && (
        <Confirm
          title="End the meeting for all?"
          verb="End for all"
          onClose={close}
          onConfirm={async () => {
            const { kicked_participants_count } = await api.kickAll(meeting);
            toast(`The session has ended; ${count(kicked_participants_count, 'person was', 'people were')} in it.`);
            now.reload();
          }}
        >
          <p>
            Everybody is disconnected and the session ends. People can join again unless the meeting is deactivated.
          </p>
        </Confirm>
      )}
    </section>
  );
}

function Row({ stay, onMute, onKick }: { stay: Stay; onMute: () => void; onKick: () => void }) {
  const name = shownName(stay);
  return (
    <li>
      <span class="person">
        <Avatar name={name} />
        <span class="person-text">
          <span>{name}</span>
          <span class="dim">
            {stay.preset_name} · {span(Date.now() - new Date(stay.joined_at).getTime())}
          </span>
        </span>
      </span>
      <button type="button" class="button small" aria-label={`Mute ${name}`} onClick={onMute}>
        Mute
      </button>
      <button type="button" class="button small danger-text" aria-label={`Kick ${name}`} onClick={onKick}>
        Kick
      </button>
    </li>
  );
}
