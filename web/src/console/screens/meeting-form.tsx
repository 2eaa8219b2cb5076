import { useAction } from '../hooks';
import { bodyOf, formValues, GROUPS, isShown, type Option, type Values } from '../meeting-options';
import { CheckField, Form, SelectField, TextField, useValues, type Choice } from '../parts/form';
import { Dialog, useStillOpen } from '../parts/dialog';
import { toast } from '../parts/toast';
import { useApp } from '../session';
import type { Meeting } from '../shapes';

const YES_NO: readonly Choice[] = [
  ['', 'Default'],
  ['true', 'Yes'],
  ['false', 'No'],
];

/** Makes a meeting, or changes the one given. */
export function MeetingDialog({
  meeting,
  onClose,
  onSaved,
}: {
  meeting?: Meeting;
  onClose: () => void;
  onSaved: (saved: Meeting) => void;
}) {
  const { api } = useApp();
  const action = useAction();
  const before = formValues(meeting);
  const { values, set } = useValues<Values>(meeting ? before : { ...before, session_keep_alive_time_in_secs: '60' });
  const close = useStillOpen(onClose);
  const onSubmit = async () => {
    const body = bodyOf(values, before);
    const saved = meeting ? await api.updateMeeting(meeting.id, body) : await api.createMeeting(body);
    toast(meeting ? 'The meeting is changed.' : 'The meeting is made.');
    close();
    onSaved(saved);
  };
  return (
    <Dialog title={meeting ? 'Edit meeting' : 'New meeting'} onClose={onClose} wide>
      <Form action={action} submit={meeting ? 'Save' : 'Create'} onSubmit={onSubmit} onCancel={onClose}>
        {GROUPS.map(({ title, options }, index) => {
          const fields = options.map(
            (option) =>
              isShown(option, values) && <Field key={option.path} option={option} values={values} set={set} />,
          );
          return index === 0 ? (
            <div class="form-grid" key={title}>
              {fields}
            </div>
          ) : (
            <details class="form-group" key={title}>
              <summary>{title}</summary>
              <div class="form-grid">{fields}</div>
            </details>
          );
        })}
      </Form>
    </Dialog>
  );
}

function Field({ option, values, set }: { option: Option; values: Values; set: (change: Values) => void }) {
  const { path, label, kind, hint, min, max } = option;
  const value = values[path]!;
  const shared = { name: path, label, hint, onValue: (to: string | boolean) => set({ [path]: to }) };
  switch (kind) {
    case 'check':
      return <CheckField {...shared} value={value === true} />;
    case 'choice':
      return <SelectField {...shared} value={String(value)} choices={option.choices ?? []} />;
    case 'yes-no':
      return <SelectField {...shared} value={String(value)} choices={YES_NO} />;
    case 'list':
      return <TextField {...shared} value={String(value)} rows={3} />;
    case 'secret':
      return (
        <TextField
          {...shared}
          type="password"
          value={String(value)}
          hint={hint ?? 'Never shown again. Empty: as it is.'}
        />
      );
    default:
      return (
        <TextField {...shared} type={kind} value={String(value)} min={min} max={max} autofocus={path === 'title'} />
      );
  }
}
