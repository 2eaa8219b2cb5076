// Forms whose fields know what the API says of them.

import { createContext, type ComponentChildren } from 'preact';
import { useContext, useEffect, useId, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../http';
import type { Action } from '../hooks';
import { Spinner } from './spinner';

interface Faults {
  of: Map<string, string>;
  /** The fields that are shown, and so show their own faults. */
  shown: Set<string>;
}
const Faulty = createContext<Faults>({ of: new Map(), shown: new Set() });

export interface FormProps {
  action: Action;
  submit: string;
  /** Throws when it fails. */
  onSubmit: () => Promise<unknown>;
  onCancel?: (() => void) | undefined;
  /** The word on the button that cancels. */
  cancel?: string;
  danger?: boolean;
  disabled?: boolean;
  children?: ComponentChildren;
}

/** A form: its faults appear beside their fields, the rest above the buttons. */
export function Form({ action, submit, onSubmit, onCancel, cancel = 'Cancel', danger, disabled, children }: FormProps) {
  const form = useRef<HTMLFormElement>(null);
  const { error, busy } = action;
  const faults: Faults = { of: new Map(error?.faults.map(({ field, message }) => [field, message])), shown: new Set() };
  useEffect(() => {
    const first = error && form.current?.querySelector<HTMLElement>('[aria-invalid="true"]');
    first?.closest('details')?.setAttribute('open', '');
    first?.focus();
  }, [error]);
  const onSend = (event: Event) => {
    event.preventDefault();
    void action.run(onSubmit);
  };
  return (
    <Faulty.Provider value={faults}>
      <form ref={form} class="form" onSubmit={onSend} noValidate aria-busy={busy}>
        <div class="form-fields">{children}</div>
        <Rest error={error} faults={faults} />
        <div class="form-buttons">
          {onCancel && (
            <button type="button" class="button" onClick={onCancel}>
              {cancel}
            </button>
          )}
          <button
            type="submit"
            class={danger ? 'button danger' : 'button primary'}
            disabled={disabled}
            aria-disabled={busy}
          >
            <Spinner on={busy} />
            {submit}
          </button>
        </div>
      </form>
    </Faulty.Provider>
  );
}

/** Rendered after the fields, which have then said which faults they show. */
function Rest({ error, faults }: { error: ApiError | undefined; faults: Faults }) {
  const rest = error?.faults.filter(({ field }) => !faults.shown.has(field)) ?? [];
  const own = error && error.faults.length === 0 ? error.message : undefined;
  return (
    <div role="alert">
      {own && <p class="notice bad">{own}</p>}
      {rest.length > 0 && (
        <ul class="notice bad">
          {rest.map(({ field, message }) => (
            <li key={field}>
              {field && <code>{field}</code>} {message}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

interface Common {
  label: string;
  /** Where in the body it goes, as a dotted path. */
  name: string;
  hint?: ComponentChildren;
}

function useField(name: string, hint: unknown) {
  const id = useId();
  const faults = useContext(Faulty);
  faults.shown.add(name);
  const fault = faults.of.get(name);
  const describedBy = [hint ? `${id}-hint` : '', fault ? `${id}-fault` : ''].filter(Boolean).join(' ') || undefined;
  return {
    id,
    fault,
    attributes: { id, name, 'aria-describedby': describedBy, 'aria-invalid': fault ? true : undefined } as const,
  };
}

function Below({ id, hint, fault }: { id: string; hint?: ComponentChildren; fault: string | undefined }) {
  return (
    <>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {fault && (
        <p class="fault" id={`${id}-fault`}>
          {fault}
        </p>
      )}
    </>
  );
}

export interface TextProps extends Common {
  value: string;
  onValue: (value: string) => void;
  type?: 'text' | 'url' | 'password' | 'number' | 'date' | 'search';
  required?: boolean;
  autofocus?: boolean;
  placeholder?: string;
  min?: number | undefined;
  max?: number | undefined;
  /** Several lines. */
  rows?: number;
  code?: boolean;
}

export function TextField(props: TextProps) {
  const { label, name, hint, value, onValue, type = 'text', rows, code, autofocus, ...rest } = props;
  const { id, fault, attributes } = useField(name, hint);
  const shared = {
    ...attributes,
    ...rest,
    class: code ? 'input code' : 'input',
    value,
    autofocus: autofocus ?? false,
    autocomplete: 'off',
    spellcheck: false,
    onInput: (event: Event) => onValue((event.target as HTMLInputElement).value),
  } as const;
  return (
    <div class="field">
      <label for={id}>
        {label} {rest.required && <span class="required">required</span>}
      </label>
      {rows ? (
        <textarea {...shared} rows={rows} />
      ) : (
        <input {...shared} type={type} step={type === 'number' ? 'any' : undefined} />
      )}
      <Below id={id} hint={hint} fault={fault} />
    </div>
  );
}

export type Choice = readonly [value: string, label: string];

export interface SelectProps extends Common {
  value: string;
  onValue: (value: string) => void;
  choices: readonly Choice[];
  required?: boolean;
}

export function SelectField({ label, name, hint, value, onValue, choices, required }: SelectProps) {
  const { id, fault, attributes } = useField(name, hint);
  return (
    <div class="field">
      <label for={id}>
        {label} {required && <span class="required">required</span>}
      </label>
      <select {...attributes} class="input" value={value} onChange={(event) => onValue(event.currentTarget.value)}>
        {choices.map(([choice, text]) => (
          <option key={choice} value={choice}>
            {text}
          </option>
        ))}
      </select>
      <Below id={id} hint={hint} fault={fault} />
    </div>
  );
}

export interface CheckProps extends Common {
  value: boolean;
  onValue: (value: boolean) => void;
}

export function CheckField({ label, name, hint, value, onValue }: CheckProps) {
  const { id, fault, attributes } = useField(name, hint);
  return (
    <div class="field check">
      <input
        {...attributes}
        type="checkbox"
        checked={value}
        onChange={(event) => onValue(event.currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      <Below id={id} hint={hint} fault={fault} />
    </div>
  );
}

/** What is typed into a form, and a field's part of it. */
export function useValues<T extends object>(initial: T) {
  const [values, setValues] = useState(initial);
  const set = (change: Partial<T>) => setValues((old) => ({ ...old, ...change }));
  const bind = <N extends keyof T & string>(name: N) => ({
    name,
    value: values[name],
    onValue: (value: T[N]) => set({ [name]: value } as unknown as Partial<T>),
  });
  return { values, set, bind };
}
