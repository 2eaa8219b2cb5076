import { useState } from 'preact/hooks';
import { useLoad } from '../hooks';
import { Ago, Badge, Facts, Heading } from '../parts/bits';
import { Failed } from '../parts/table';
import { go } from '../router';
import { useApp } from '../session';
import { MeetingDialog } from './meeting-form';
import { DeleteMeeting, StatusButton, titleOf } from './meetings';
import { Participants } from './participants';
import { Roster } from './roster';

/** A meeting: who may come, and beside it who is in now. */
export function MeetingScreen({ id }: { id: string }) {
  const { api, at } = useApp();
  const { data: meeting, error, reload } = useLoad((signal) => api.meeting(id, signal), [api, id]);
  const [open, setOpen] = useState<'edit' | 'delete'>();
  const back = { label: 'Meetings', href: at('meetings') };
  if (error && !meeting) {
    return (
      <>
        <Heading title="Meeting" back={back} />
        <Failed error={error} onRetry={reload} />
      </>
    );
  }
  return (
    <>
      <Heading title={meeting ? titleOf(meeting) : 'Meeting'} back={back}>
        <button type="button" class="button" disabled={!meeting} onClick={() => setOpen('edit')}>
          Edit
        </button>
        {meeting && <StatusButton meeting={meeting} onChanged={reload} large />}
        <button type="button" class="button danger-text" disabled={!meeting} onClick={() => setOpen('delete')}>
          Delete
        </button>
      </Heading>
      <Facts
        of={[
          [
            'Status',
            meeting ? (
              <Badge tone={meeting.status === 'ACTIVE' ? 'good' : 'plain'}>
                {meeting.status === 'ACTIVE' ? 'Active' : 'Inactive'}
              </Badge>
            ) : (
              '…'
            ),
          ],
          ['Id', <code>{id}</code>],
          ['Created', meeting ? <Ago time={meeting.created_at} /> : '…'],
          ['Past sessions', <a href={`${at('sessions')}?meeting=${id}`}>Show</a>],
        ]}
      />
      {meeting?.status === 'INACTIVE' && (
        <p class="notice warn">This meeting is inactive: nobody can join until it is activated.</p>
      )}
      <div class="beside">
        <Participants meeting={id} />
        <Roster meeting={id} />
      </div>
      {open === 'edit' && meeting && (
        <MeetingDialog meeting={meeting} onClose={() => setOpen(undefined)} onSaved={reload} />
      )}
      {open === 'delete' && meeting && (
        <DeleteMeeting
          meeting={meeting}
          onClose={() => setOpen(undefined)}
          onDeleted={() => go(at('meetings'), { replace: true })}
        />
      )}
    </>
  );
}
