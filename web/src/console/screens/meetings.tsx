import { useEffect, useState } from 'preact/hooks';
import { useAction, useLoad, useNoEmptyPage, useSearch } from '../hooks';
import { Ago, Badge, Heading, SearchBox, Segments } from '../parts/bits';
import { Confirm } from '../parts/dialog';
import { Pager } from '../parts/pager';
import { EmptyState, Table } from '../parts/table';
import { toast } from '../parts/toast';
import { useQuery } from '../router';
import { useApp } from '../session';
import type { Meeting } from '../shapes';
import { MeetingDialog } from './meeting-form';

const PER_PAGE = 25;
const STATUSES = [
  ['', 'All'],
  ['ACTIVE', 'Active'],
  ['INACTIVE', 'Inactive'],
] as const;

export const titleOf = (meeting: Meeting): string => meeting.title || 'Untitled meeting';

type Open = { what: 'create' } | { what: 'edit' | 'delete'; meeting: Meeting };

export function Meetings() {
  const { api, at } = useApp();
  const [query, setQuery] = useQuery('search', 'status', 'page');
  const [typed, setTyped] = useSearch(query.search, (search) => setQuery({ search, page: '' }));
  const [open, setOpen] = useState<Open>();
  const page = Number(query.page) || 1;
  const { status } = query;
  const found = useLoad(
    (signal) => api.meetings({ page_no: page, per_page: PER_PAGE, search: query.search, status }, signal),
    [api, page, query.search, status],
  );
  useNoEmptyPage(found.data, page, () => setQuery({ page: '' }));
  const narrowed = query.search !== '' || status !== '';
  const close = () => setOpen(undefined);
  return (
    <>
      <Heading title="Meetings">
        <button type="button" class="button primary" onClick={() => setOpen({ what: 'create' })}>
          New meeting
        </button>
      </Heading>
      <div class="filters">
        <SearchBox label="Search title or id" value={typed} onValue={setTyped} />
        <Segments
          label="Status"
          value={status}
          choices={STATUSES}
          onValue={(to) => setQuery({ status: to, page: '' })}
        />
      </div>
      <Table
        caption="Meetings"
        rows={found.data?.items}
        rowKey={(meeting) => meeting.id}
        loading={found.loading}
        error={found.error}
        onRetry={found.reload}
        columns={[
          { title: 'Title', cell: (meeting) => <a href={at('meetings', meeting.id)}>{titleOf(meeting)}</a> },
          {
            title: 'Status',
            cell: ({ status }) => (
              <Badge tone={status === 'ACTIVE' ? 'good' : 'plain'}>{status === 'ACTIVE' ? 'Active' : 'Inactive'}</Badge>
            ),
          },
          { title: 'Options', room: 'minor', cell: (meeting) => <Options of={meeting} /> },
          { title: 'Created', room: 'least', cell: ({ created_at }) => <Ago time={created_at} /> },
        ]}
        actions={(meeting) => (
          <>
            <button
              type="button"
              class="button small"
              aria-label={`Edit ${titleOf(meeting)}`}
              onClick={() => setOpen({ what: 'edit', meeting })}
            >
              Edit
            </button>
            <StatusButton meeting={meeting} onChanged={found.reload} />
            <button
              type="button"
              class="button small danger-text"
              aria-label={`Delete ${titleOf(meeting)}`}
              onClick={() => setOpen({ what: 'delete', meeting })}
            >
              Delete
            </button>
          </>
        )}
        empty={
          narrowed ? (
            <EmptyState title="No meeting matches.">
              <button
                type="button"
                class="button"
                onClick={() => {
                  setTyped('');
                  setQuery({ search: '', status: '', page: '' });
                }}
              >
                Show all
              </button>
            </EmptyState>
          ) : (
            <EmptyState title="No meetings yet.">
              <p>A meeting is a room that stays: people are added to it once and come as often as they like.</p>
              <button type="button" class="button primary" onClick={() => setOpen({ what: 'create' })}>
                New meeting
              </button>
            </EmptyState>
          )
        }
      />
      <Pager
        paging={found.data?.paging}
        page={page}
        perPage={PER_PAGE}
        onPage={(to) => setQuery({ page: String(to) })}
      />
      {open?.what === 'create' && <MeetingDialog onClose={close} onSaved={found.reload} />}
      {open?.what === 'edit' && <MeetingDialog meeting={open.meeting} onClose={close} onSaved={found.reload} />}
      {open?.what === 'delete' && <DeleteMeeting meeting={open.meeting} onClose={close} onDeleted={found.reload} />}
    </>
  );
}

function Options({ of: meeting }: { of: Meeting }) {
  const on = [
    meeting.record_on_start && 'record',
    meeting.live_stream_on_start && 'livestream',
    meeting.persist_chat && 'keep chat',
    meeting.transcribe_on_end && 'transcribe',
    meeting.summarize_on_end && 'summarize',
  ].filter(Boolean);
  return on.length > 0 ? <>{on.join(', ')}</> : <span class="dim">none</span>;
}

export function StatusButton({
  meeting,
  onChanged,
  large,
}: {
  meeting: Meeting;
  onChanged: () => void;
  large?: boolean;
}) {
  const { api } = useApp();
  const action = useAction();
  const [verb, status] = meeting.status === 'ACTIVE' ? ['Deactivate', 'INACTIVE'] : ['Activate', 'ACTIVE'];
  const change = async () => {
    const changed = await action.run(() => api.updateMeeting(meeting.id, { status: status! }));
    if (changed)
      toast(status === 'ACTIVE' ? 'The meeting is open again.' : 'Nobody can join any more. Who is inside stays.');
    onChanged();
  };
  useEffect(() => {
    if (action.error) toast(action.error.message, { bad: true });
  }, [action.error]);
  return (
    <button
      type="button"
      class={large ? 'button' : 'button small'}
      aria-label={`${verb} ${titleOf(meeting)}`}
      aria-disabled={action.busy}
      onClick={() => void change()}
    >
      {verb}
    </button>
  );
}

export function DeleteMeeting({
  meeting,
  onClose,
  onDeleted,
}: {
  meeting: Meeting;
  onClose: () => void;
  onDeleted: () => void;
}) {
  const { api } = useApp();
  return (
    <Confirm
      title="Delete this meeting?"
      verb="Delete"
      onClose={onClose}
      onConfirm={async () => {
        await api.deleteMeeting(meeting.id);
        toast(`${titleOf(meeting)} is deleted.`);
        onDeleted();
      }}
    >
      <p>
        <strong>{titleOf(meeting)}</strong> and its participants go away, their join links stop working, and a session
        that is live ends for everybody. Past sessions stay.
      </p>
    </Confirm>
  );
}
