// Small pieces that screens share.

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { encode } from 'uqr';
import { ago, initials, when } from '../format';
import { useNow } from '../hooks';
import { toast } from './toast';

/** The heading of a screen, which has the focus when the screen appears. */
export function Heading({
  title,
  back,
  children,
}: {
  title: string;
  back?: { label: string; href: string };
  children?: ComponentChildren;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Muster`;
  }, [title]);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <header class="screen-head">
      <div class="screen-title">
        {back && (
          <a class="back" href={back.href}>
            ← {back.label}
          </a>
        )}
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
      </div>
      <div class="screen-actions">{children}</div>
    </header>
  );
}

export type Tone = 'good' | 'bad' | 'warn' | 'plain';

export const Badge = ({ tone = 'plain', children }: { tone?: Tone; children?: ComponentChildren }) => (
  <span class={`badge ${tone}`}>{children}</span>
);

/** `3 minutes ago`, with the time itself when pointed at. */
export function Ago({ time }: { time: string | null | undefined }) {
  const now = useNow(15_000);
  if (!time) return <span class="dim">never</span>;
  return (
    <time dateTime={time} title={when(time)}>
      {ago(time, now)}
    </time>
  );
}

/** A person's picture when it is ours, their initials otherwise: nothing is asked of foreign hosts. */
export function Avatar({ name, picture }: { name: string; picture?: string | null | undefined }) {
  const [broken, setBroken] = useState(false);
  const ours =
    picture && URL.canParse(picture, location.href) && new URL(picture, location.href).origin === location.origin;
  if (ours && !broken)
    return <img class="avatar" src={picture} alt="" loading="lazy" onError={() => setBroken(true)} />;
  return (
    <span class="avatar" aria-hidden="true">
      {initials(name)}
    </span>
  );
}

/** Text to be taken along, such as a link or a secret. */
export function CopyField({ label, value, secret }: { label: string; value: string; secret?: boolean }) {
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  const copy = async () => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(value);
      setCopied(true);
    } catch {
      // No clipboard over plain http: what is selected can still be copied by hand.
      toast('Press Ctrl+C to copy the marked text.');
    }
  };
  const [copied, setCopied] = useState(false);
  useEffect(() => setCopied(false), [value]);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="copy">
        <input
          ref={field}
          id={id}
          class="input code"
          readOnly
          value={value}
          data-secret={secret}
          onFocus={(event) => event.currentTarget.select()}
        />
        <button type="button" class="button" onClick={() => void copy()}>
          {copied ? 'Copied' : 'Copy'}
        </button>
      </div>
      <span class="unseen" role="status">
        {copied ? `${label} copied` : ''}
      </span>
    </div>
  );
}

/** Dark on light in both colour schemes, as cameras expect. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const { data, size } = encode(text, { ecc: 'L', border: 2 });
  const path = data.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x} ${y}h1v1h-1z`] : []))).join('');
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}

/** What cannot be changed of a record: name and value. */
export const Facts = ({ of }: { of: [string, ComponentChildren][] }) => (
  <dl class="facts">
    {of.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
);

/** A field that narrows a list down. */
export function SearchBox({
  label,
  value,
  onValue,
}: {
  label: string;
  value: string;
  onValue: (value: string) => void;
}) {
  return (
    <input
      class="input search"
      type="search"
      aria-label={label}
      placeholder={label}
      value={value}
      maxLength={256}
      onInput={(event) => onValue(event.currentTarget.value)}
    />
  );
}

/** One of few values, all of them seen. */
export function Segments<T extends string>(props: {
  label: string;
  value: T;
  choices: readonly (readonly [T, string])[];
  onValue: (value: T) => void;
}) {
  const name = useId();
  return (
    <fieldset class="segments">
      <legend class="unseen">{props.label}</legend>
      {props.choices.map(([choice, text]) => (
        <label key={choice}>
          <input
            type="radio"
            name={name}
            value={choice}
            checked={choice === props.value}
            onChange={() => props.onValue(choice)}
          />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}
