import { number, span, when } from '../format';
import { useLoad, useNoEmptyPage, useSearch } from '../hooks';
import { Badge, Heading, SearchBox, Segments } from '../parts/bits';
import { Pager } from '../parts/pager';
import { EmptyState, Table } from '../parts/table';
import { useQuery } from '../router';
import { useApp } from '../session';
import type { Session } from '../shapes';

const PER_PAGE = 25;
const STATUSES = [
  ['', 'All'],
  ['LIVE', 'Live'],
  ['ENDED', 'Ended'],
] as const;
const ORDERS = [
  ['', 'Newest first'],
  ['minutesConsumed', 'Longest first'],
] as const;

export const StatusOf = ({ session }: { session: Session }) =>
  session.status === 'LIVE' ? <Badge tone="good">Live</Badge> : <Badge>Ended</Badge>;

export function lengthOf({ started_at, ended_at }: Session): string {
  return span((ended_at ? new Date(ended_at).getTime() : Date.now()) - new Date(started_at).getTime());
}

export function Sessions() {
  const { api, at } = useApp();
  const [query, setQuery] = useQuery('search', 'status', 'sort', 'meeting', 'page');
  const [typed, setTyped] = useSearch(query.search, (search) => setQuery({ search, page: '' }));
  const page = Number(query.page) || 1;
  const { status, sort, meeting } = query;
  const found = useLoad(
    (signal) =>
      api.sessions(
        { page_no: page, per_page: PER_PAGE, search: query.search, status, sort_by: sort, meeting_id: meeting },
        signal,
      ),
    [api, page, query.search, status, sort, meeting],
  );
  useNoEmptyPage(found.data, page, () => setQuery({ page: '' }));
  const narrowed = query.search || status || meeting;
  return (
    <>
      <Heading title="Sessions" />
      <div class="filters">
        <SearchBox label="Search title or id" value={typed} onValue={setTyped} />
        <Segments
          label="Status"
          value={status}
          choices={STATUSES}
          onValue={(to) => setQuery({ status: to, page: '' })}
        />
        <Segments label="Order" value={sort} choices={ORDERS} onValue={(to) => setQuery({ sort: to, page: '' })} />
        {meeting && (
          <button type="button" class="button" onClick={() => setQuery({ meeting: '', page: '' })}>
            Of all meetings
          </button>
        )}
      </div>
      <Table
        caption="Sessions"
        rows={found.data?.items}
        rowKey={({ id }) => id}
        loading={found.loading}
        error={found.error}
        onRetry={found.reload}
        columns={[
          {
            title: 'Meeting',
            cell: (session) => (
              <a href={at('sessions', session.id)}>{session.meeting_display_name || 'Untitled meeting'}</a>
            ),
          },
          { title: 'Status', cell: (session) => <StatusOf session={session} /> },
          { title: 'Started', cell: ({ started_at }) => <time dateTime={started_at}>{when(started_at)}</time> },
          { title: 'Length', cell: lengthOf, room: 'minor' },
          {
            title: 'At most at once',
            cell: ({ max_concurrent_participants }) => number(max_concurrent_participants),
            room: 'least',
            right: true,
          },
          { title: 'Minutes', cell: ({ minutes_consumed }) => number(minutes_consumed), room: 'minor', right: true },
        ]}
        empty={
          <EmptyState title={narrowed ? 'No session matches.' : 'No sessions yet.'}>
            {!narrowed && <p>A session lasts from the first join in a meeting until the last one has left.</p>}
          </EmptyState>
        }
      />
      <Pager
        paging={found.data?.paging}
        page={page}
        perPage={PER_PAGE}
        onPage={(to) => setQuery({ page: String(to) })}
      />
    </>
  );
}
