import { useState } from 'preact/hooks';
import { clock, number, span, when } from '../format';
import { useAction, useLoad } from '../hooks';
import { ApiError } from '../http';
import { Facts, Heading } from '../parts/bits';
import { Spinner } from '../parts/spinner';
import { EmptyState, Failed, Table } from '../parts/table';
import { Timeline } from '../parts/timeline';
import { useApp } from '../session';
import { lengthOf, StatusOf } from './sessions';

/** As many stays are shown as a page of the API holds. */
const STAYS = 1000;

export function SessionScreen({ id }: { id: string }) {
  const { api, at } = useApp();
  const { data, error, loading, reload } = useLoad(
    async (signal) => {
      const [session, stays] = await Promise.all([
        api.session(id, signal),
        api.stays(id, { per_page: STAYS, sort_order: 'ASC', include_peer_events: true }, { signal }),
      ]);
      return { session, stays, now: Date.now() };
    },
    [api, id],
  );
  const back = { label: 'Sessions', href: at('sessions') };
  const session = data?.session;
  if (error && !data) {
    return (
      <>
        <Heading title="Session" back={back} />
        <Failed error={error} onRetry={reload} />
      </>
    );
  }
  const from = session && new Date(session.started_at).getTime();
  const until = session?.ended_at ? new Date(session.ended_at).getTime() : data?.now;
  return (
    <>
      <Heading title={session?.meeting_display_name || 'Session'} back={back}>
        {session?.status === 'LIVE' && (
          <button type="button" class="button" onClick={reload}>
            Refresh
          </button>
        )}
        <ChatExport session={id} />
      </Heading>
      <Facts
        of={[
          ['Status', session ? <StatusOf session={session} /> : '…'],
          ['Started', session ? when(session.started_at) : '…'],
          ['Ended', session?.ended_at ? when(session.ended_at) : '–'],
          ['Length', session ? lengthOf(session) : '…'],
          ['At most at once', session ? number(session.max_concurrent_participants) : '…'],
          ['Minutes of all', session ? number(session.minutes_consumed) : '…'],
          ['Meeting', session ? <a href={at('meetings', session.associated_id)}>Open</a> : '…'],
        ]}
      />
      <section class="section" aria-labelledby="timeline">
        <div class="section-head">
          <h2 id="timeline">Who was in when</h2>
        </div>
        <div class="timeline-box">
          {data && from !== undefined && until !== undefined ? (
            data.stays.items.length > 0 ? (
              <Timeline stays={data.stays.items} from={from} until={until} />
            ) : (
              <p class="dim">Nobody was in.</p>
            )
          ) : (
            <Spinner on={loading} label="Loading" />
          )}
        </div>
        {data && data.stays.paging.total_count > STAYS && (
          <p class="hint">
            The first {number(STAYS)} of {number(data.stays.paging.total_count)} stays.
          </p>
        )}
      </section>
      <section class="section" aria-labelledby="stays">
        <div class="section-head">
          <h2 id="stays">Stays</h2>
        </div>
        <Table
          caption="Stays"
          rows={data?.stays.items}
          rowKey={(stay) => stay.id}
          loading={loading}
          columns={[
            {
              title: 'Name',
              cell: (stay) => (
                <span class="person-text">
                  <span>{stay.display_name || stay.custom_participant_id}</span>
                  <span class="dim">{stay.custom_participant_id}</span>
                </span>
              ),
            },
            { title: 'Preset', cell: ({ preset_name }) => <code>{preset_name}</code>, room: 'minor' },
            { title: 'Joined', cell: ({ joined_at }) => clock(joined_at) },
            { title: 'Left', cell: ({ left_at }) => (left_at ? clock(left_at) : 'still inside') },
            { title: 'Length', cell: ({ duration }) => span(duration * 60_000), room: 'minor', right: true },
          ]}
          empty={<EmptyState title="Nobody was in." />}
        />
      </section>
    </>
  );
}

/** Asks for the link first, which then carries its own, short-lived right. */
function ChatExport({ session }: { session: string }) {
  const { api } = useApp();
  const action = useAction();
  const [link, setLink] = useState<{ href: string; until: string } | null>();
  const ask = () =>
    action.run(async () => {
      try {
        const { chat_download_url, chat_download_url_expiry } = await api.chat(session);
        setLink({ href: chat_download_url, until: chat_download_url_expiry });
      } catch (problem) {
        if (!(problem instanceof ApiError) || problem.status !== 404) throw problem;
        setLink(null);
      }
    });
  return (
    <>
      <span role="status" class="dim">
        {link === null && 'Nothing was said in the chat.'}
        {link && `Until ${when(link.until)}:`}
        {action.error?.message}
      </span>
      {link ? (
        <a class="button" href={link.href} download>
          Download chat (CSV)
        </a>
      ) : (
        <button
          type="button"
          class="button"
          disabled={link === null}
          aria-disabled={action.busy}
          onClick={() => void ask()}
        >
          <Spinner on={action.busy} />
          Export chat
        </button>
      )}
    </>
  );
}
