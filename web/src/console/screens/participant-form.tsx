import { useAction, useLoad } from '../hooks';
import { CheckField, Form, SelectField, TextField, useValues, type Choice } from '../parts/form';
import { Dialog } from '../parts/dialog';
import { Spinner } from '../parts/spinner';
import { Failed } from '../parts/table';
import { toast } from '../parts/toast';
import { useApp } from '../session';
import type { Json, Participant, ParticipantToken } from '../shapes';

export interface ParticipantDialogProps {
  meeting: string;
  /** Whom to change; somebody new when absent. */
  person?: Participant;
  onClose: () => void;
  onSaved: (saved: Participant & ParticipantToken) => void;
}

export function ParticipantDialog({ meeting, person, onClose, onSaved }: ParticipantDialogProps) {
  const { api } = useApp();
  // The list does not tell who is banned.
  const { data, error, reload } = useLoad(
    async (signal) => {
      const [presets, full] = await Promise.all([
        api.presets({ per_page: 1000 }, signal),
        person ? api.participant(meeting, person.id, signal) : undefined,
      ]);
      return { presets: presets.items.map(({ name }) => name).sort(), full };
    },
    [api, meeting, person],
  );
  return (
    <Dialog title={person ? 'Edit participant' : 'Add participant'} onClose={onClose}>
      {error && <Failed error={error} onRetry={reload} />}
      {data ? (
        <Fields meeting={meeting} person={data.full} presets={data.presets} onClose={onClose} onSaved={onSaved} />
      ) : (
        <div class="form-room">
          <Spinner on={!error} label="Loading" />
        </div>
      )}
    </Dialog>
  );
}

function Fields({
  meeting,
  person,
  presets,
  onClose,
  onSaved,
}: Omit<ParticipantDialogProps, 'person'> & { person: Participant | undefined; presets: string[] }) {
  const { api } = useApp();
  const action = useAction();
  const usual = presets.includes('group_call_participant') ? 'group_call_participant' : (presets[0] ?? '');
  const { values, bind } = useValues({
    name: person?.name ?? '',
    custom_participant_id: person?.custom_participant_id ?? '',
    preset_name: person?.preset_name ?? usual,
    picture: person?.picture ?? '',
    banned: person?.banned ?? false,
  });
  const onSubmit = async () => {
    const { name, custom_participant_id, preset_name, picture, banned } = values;
    if (person) {
      const change: Json = { name: name || null, preset_name, picture: picture || null };
      if (banned !== (person.banned ?? false)) change.banned = banned;
      onSaved(await api.updateParticipant(meeting, person.id, change));
      toast('The participant is changed. It holds from the next join on.');
    } else {
      onSaved(
        await api.addParticipant(meeting, {
          custom_participant_id,
          preset_name,
          name: name || null,
          picture: picture || null,
        }),
      );
    }
  };
  const choices = presets.map((name): Choice => [name, name]);
  return (
    <Form action={action} submit={person ? 'Save' : 'Add'} onSubmit={onSubmit} onCancel={onClose}>
      <TextField {...bind('name')} label="Name" autofocus hint="As the others see it." />
      {person ? (
        <p class="hint">
          Own id: <code>{person.custom_participant_id}</code>
        </p>
      ) : (
        <TextField
          {...bind('custom_participant_id')}
          label="Own id"
          required
          hint="What your application calls this person. Somebody added under the same id again stays one participant."
        />
      )}
      <SelectField {...bind('preset_name')} label="Preset" required choices={choices} hint="What the person may do." />
      <TextField {...bind('picture')} label="Picture" type="url" placeholder="https://…" />
      {person && <CheckField {...bind('banned')} label="Banned: may not join" />}
    </Form>
  );
}
