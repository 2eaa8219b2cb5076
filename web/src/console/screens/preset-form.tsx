import { words } from '../format';
import { CheckField, SelectField, TextField } from '../parts/form';
import { branchOf, changed, choicesOf, type Branch, type Leaf } from '../preset-shape';
import type { JsonValue, PresetBody } from '../shapes';

const PARTS = [
  ['permissions', 'Permissions'],
  ['config', 'Media and layout'],
  ['ui', 'Look of the meeting'],
] as const;

type Change = (path: string, value: JsonValue) => void;

/** A field for every member of the preset. */
export function PresetFields({ body, onChange }: { body: PresetBody; onChange: (body: PresetBody) => void }) {
  const change: Change = (path, value) => onChange(changed(body, path, value));
  return (
    <>
      <TextField label="Name" name="name" value={body.name} onValue={(name) => onChange({ ...body, name })} required />
      {PARTS.map(([part, title]) => (
        <details class="card" key={part} open={part === 'permissions'}>
          <summary>
            <h2>{title}</h2>
          </summary>
          <Fields branch={branchOf(part, body[part])} change={change} />
        </details>
      ))}
    </>
  );
}

function Fields({ branch, change }: { branch: Branch; change: Change }) {
  const checks = branch.leaves.filter(({ value }) => typeof value === 'boolean');
  const others = branch.leaves.filter(({ value }) => typeof value !== 'boolean');
  return (
    <div class="preset-fields">
      {others.length > 0 && (
        <div class="form-grid">
          {others.map((leaf) => (
            <Field key={leaf.path} leaf={leaf} change={change} />
          ))}
        </div>
      )}
      {checks.length > 0 && (
        <div class="check-grid">
          {checks.map((leaf) => (
            <Field key={leaf.path} leaf={leaf} change={change} />
          ))}
        </div>
      )}
      {branch.branches.length > 0 && (
        <div class="preset-groups">
          {branch.branches.map((inner) => (
            <fieldset class="preset-group" key={inner.path}>
              <legend>{words(inner.name)}</legend>
              <Fields branch={inner} change={change} />
            </fieldset>
          ))}
        </div>
      )}
    </div>
  );
}

function Field({ leaf: { path, name, value }, change }: { leaf: Leaf; change: Change }) {
  const shared = { name: path, label: words(name) };
  if (typeof value === 'boolean') return <CheckField {...shared} value={value} onValue={(to) => change(path, to)} />;
  const choices = choicesOf(path);
  if (choices)
    return <SelectField {...shared} value={String(value)} choices={choices} onValue={(to) => change(path, to)} />;
  if (typeof value === 'number') {
    // What does not read as a number is sent as it stands: the server says what is wrong with it.
    const onValue = (to: string) => change(path, to === '' || Number.isNaN(Number(to)) ? to : Number(to));
    return <TextField {...shared} type="number" value={String(value)} onValue={onValue} />;
  }
  return (
    <div class="with-swatch">
      <TextField {...shared} value={value} onValue={(to) => change(path, to)} />
      {/^#[0-9a-f]{6}$/i.test(value) && (
        <input
          type="color"
          aria-label={`${shared.label}: pick`}
          value={value}
          onInput={(event) => change(path, event.currentTarget.value)}
        />
      )}
    </div>
  );
}
