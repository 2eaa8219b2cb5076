import { useEffect, useState } from 'preact/hooks';
import { useLoad, useNoEmptyPage, useSettled } from '../hooks';
import { Ago, Avatar, SearchBox } from '../parts/bits';
import { Confirm } from '../parts/dialog';
import { Pager } from '../parts/pager';
import { EmptyState, Table } from '../parts/table';
import { toast } from '../parts/toast';
import { useApp } from '../session';
import type { Participant, ParticipantToken } from '../shapes';
import { JoinLink } from './join-link';
import { ParticipantDialog } from './participant-form';

const PER_PAGE = 25;

export const nameOf = ({ name, custom_participant_id }: Pick<Participant, 'name' | 'custom_participant_id'>): string =>
  name || custom_participant_id;

type Open =
  | { what: 'add' }
  | { what: 'edit' | 'remove'; person: Participant }
  | { what: 'link'; person: Participant; fresh?: ParticipantToken };

/** Who may come to a meeting. */
export function Participants({ meeting }: { meeting: string }) {
  const { api } = useApp();
  const [typed, setTyped] = useState('');
  const search = useSettled(typed, 250);
  // The last participant of each page before this one: the page after it costs the same at any depth.
  const [before, setBefore] = useState<string[]>([]);
  const [open, setOpen] = useState<Open>();
  useEffect(() => setBefore([]), [search]);
  const after = before.at(-1);
  const found = useLoad(
    (signal) => api.participants(meeting, { per_page: PER_PAGE, search, after }, signal),
    [api, meeting, search, after],
  );
  const page = before.length + 1;
  useNoEmptyPage(found.data, page, () => setBefore(before.slice(0, -1)));
  // The one after whom the page begins may have been removed meanwhile.
  const lost = after !== undefined && found.error?.status === 404;
  useEffect(() => {
    if (lost) setBefore([]);
  }, [lost]);
  const rows = found.data?.items;
  const onPage = (to: number) => {
    const last = rows?.at(-1)?.id;
    if (to < page) setBefore(before.slice(0, to - 1));
    else if (last && !found.loading) setBefore([...before, last]);
  };
  const close = () => setOpen(undefined);
  const button = (person: Participant, label: string, what: 'link' | 'edit' | 'remove', shape = '') => (
    <button
      type="button"
      class={`button small ${shape}`}
      aria-label={`${label}: ${nameOf(person)}`}
      onClick={() => setOpen({ what, person })}
    >
      {label}
    </button>
  );
  return (
    <section aria-labelledby="participants">
      <div class="section-head">
        <h2 id="participants">Participants</h2>
        <SearchBox label="Search name or id" value={typed} onValue={setTyped} />
        <button type="button" class="button primary" onClick={() => setOpen({ what: 'add' })}>
          Add participant
        </button>
      </div>
      <Table
        caption="Participants"
        rows={rows}
        rowKey={({ id }) => id}
        loading={found.loading}
        error={found.error}
        onRetry={found.reload}
        columns={[
          { title: 'Name', cell: (person) => <Person of={person} /> },
          { title: 'Preset', cell: ({ preset_name }) => <code>{preset_name}</code>, room: 'minor' },
          { title: 'Added', cell: ({ created_at }) => <Ago time={created_at} />, room: 'least' },
        ]}
        actions={(person) => (
          <>
            {button(person, 'Join link', 'link')}
            {button(person, 'Edit', 'edit')}
            {button(person, 'Remove', 'remove', 'danger-text')}
          </>
        )}
        empty={
          search ? (
            <EmptyState title="Nobody matches." />
          ) : (
            <EmptyState title="Nobody has been added yet.">
              <p>Add people to get a link for each with which they join.</p>
            </EmptyState>
          )
        }
      />
      <Pager paging={found.data && { ...found.data.paging }} page={page} perPage={PER_PAGE} onPage={onPage} />
      {open?.what === 'add' && (
        <ParticipantDialog
          meeting={meeting}
          onClose={close}
          onSaved={(person) => {
            setBefore([]);
            found.reload();
            setOpen({ what: 'link', person, fresh: person });
          }}
        />
      )}
      {open?.what === 'edit' && (
        <ParticipantDialog
          meeting={meeting}
          person={open.person}
          onClose={close}
          onSaved={() => (found.reload(), close())}
        />
      )}
      {open?.what === 'link' && <JoinLink meeting={meeting} person={open.person} fresh={open.fresh} onClose={close} />}
      {open?.what === 'remove' && (
        <Confirm
          title="Remove this participant?"
          verb="Remove"
          onClose={close}
          onConfirm={async () => {
            await api.removeParticipant(meeting, open.person.id);
            toast(`${nameOf(open.person)} is removed.`);
            found.reload();
          }}
        >
          <p>
            <strong>{nameOf(open.person)}</strong> is disconnected where still inside, and none of their join links
            works any longer.
          </p>
        </Confirm>
      )}
    </section>
  );
}

function Person({ of: person }: { of: Participant }) {
  return (
    <span class="person">
      <Avatar name={nameOf(person)} picture={person.picture} />
      <span class="person-text">
        <span>{nameOf(person)}</span>
        <span class="dim">{person.custom_participant_id}</span>
      </span>
    </span>
  );
}
