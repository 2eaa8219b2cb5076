import { useEffect, useState } from 'preact/hooks';
import { useAction, useLoad } from '../hooks';
import { Heading, Segments } from '../parts/bits';
import { Form, TextField } from '../parts/form';
import { Spinner } from '../parts/spinner';
import { Failed } from '../parts/table';
import { toast } from '../parts/toast';
import { bodyOf, completed, parsed, trimmed } from '../preset-shape';
import { ApiError } from '../http';
import { go } from '../router';
import { useApp } from '../session';
import type { Preset, PresetBody } from '../shapes';
import { PresetFields } from './preset-form';
import { DeletePreset, NewPreset } from './presets';

export function PresetScreen({ id }: { id: string }) {
  const { api, at } = useApp();
  const { data, error, loading, reload } = useLoad((signal) => api.preset(id, signal), [api, id]);
  const [open, setOpen] = useState<'duplicate' | 'delete'>();
  const close = () => setOpen(undefined);
  return (
    <>
      <Heading title={data?.name ?? 'Preset'} back={{ label: 'Presets', href: at('presets') }}>
        <button type="button" class="button" disabled={!data} onClick={() => setOpen('duplicate')}>
          Duplicate
        </button>
        <button type="button" class="button danger-text" disabled={!data} onClick={() => setOpen('delete')}>
          Delete
        </button>
      </Heading>
      {error && <Failed error={error} onRetry={reload} />}
      {data ? (
        <Editor key={data.updated_at} preset={data} onSaved={reload} />
      ) : (
        <div class="form-room">
          <Spinner on={loading} label="Loading" />
        </div>
      )}
      {open === 'duplicate' && data && <NewPreset from={data} onClose={close} />}
      {open === 'delete' && data && (
        <DeletePreset preset={data} onClose={close} onDeleted={() => go(at('presets'), { replace: true })} />
      )}
    </>
  );
}

const VIEWS = [
  ['form', 'Form'],
  ['json', 'JSON'],
] as const;

function Editor({ preset, onSaved }: { preset: Preset; onSaved: () => void }) {
  const { api } = useApp();
  const action = useAction();
  const [view, setView] = useState<'form' | 'json'>('form');
  const [body, setBody] = useState(() => completed(bodyOf(preset)));
  const [text, setText] = useState('');
  const [fault, setFault] = useState<string>();
  useEffect(action.clear, [view]);

  /** The body as JSON says it; nothing, and a fault, where it does not read. */
  const read = (): PresetBody | undefined => {
    try {
      setFault(undefined);
      return parsed(text, bodyOf(preset));
    } catch (problem) {
      setFault(problem instanceof Error ? problem.message : String(problem));
      return undefined;
    }
  };
  const onView = (next: 'form' | 'json') => {
    if (next === 'json') setText(JSON.stringify(trimmed(body), null, 2));
    else {
      const told = read();
      if (!told) return;
      setBody(completed(told));
    }
    setView(next);
  };
  const onSubmit = async () => {
    const told = view === 'json' ? read() : trimmed(body);
    if (!told) throw new ApiError(400, '', [{ field: 'json', message: 'This is not JSON.' }]);
    await api.replacePreset(preset.id, told);
    toast('The preset is saved. It holds from the next join on.');
    onSaved();
  };
  return (
    <>
      <div class="filters">
        <Segments label="View" value={view} choices={VIEWS} onValue={onView} />
        {fault && (
          <span class="fault" role="alert">
            {fault}
          </span>
        )}
      </div>
      <div class="screen-form">
        <Form action={action} submit="Save" onSubmit={onSubmit}>
          {view === 'form' ? (
            <PresetFields body={body} onChange={setBody} />
          ) : (
            <TextField label="Preset as JSON" name="json" value={text} onValue={setText} rows={28} code />
          )}
        </Form>
      </div>
    </>
  );
}
