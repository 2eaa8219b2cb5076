import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { go, to, usePlace } from './router';
import { useConsole } from './session';

const OF_APP = [
  ['meetings', 'Meetings'],
  ['sessions', 'Sessions'],
  ['presets', 'Presets'],
  ['webhooks', 'Webhooks'],
  ['analytics', 'Analytics'],
] as const;
const OF_ACCOUNT = [
  ['apps', 'Apps'],
  ['tokens', 'API tokens'],
] as const;

export interface ShellProps {
  /** The app whose screens the menu leads to. */
  app: string | undefined;
  here: string;
  leave: () => void;
  children?: ComponentChildren;
}

/** The menu beside (on a phone: above) the screen. */
export function Shell({ app, here, leave, children }: ShellProps) {
  const [open, setOpen] = useState(false);
  const { parts } = usePlace();
  const path = parts.join('/');
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    setOpen(false);
    scrollTo(0, 0);
  }, [path]);
  return (
    <div class="shell">
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the content
      </a>
      <header class="side">
        <div class="side-top">
          <a class="brand" href={to()}>
            <Mark />
            Muster
          </a>
          <button
            type="button"
            class="button quiet menu-button"
            aria-expanded={open}
            aria-controls="menu"
            onClick={() => setOpen(!open)}
          >
            Menu
          </button>
        </div>
        <div id="menu" class={open ? 'menu open' : 'menu'}>
          <AppSwitch app={app} here={here} />
          <nav aria-label="Console">
            {app && (
              <ul>
                {OF_APP.map(([name, title]) => (
                  <Entry key={name} href={to('apps', app, name)} title={title} current={here === name} />
                ))}
              </ul>
            )}
            <p class="menu-title">Account</p>
            <ul>
              {OF_ACCOUNT.map(([name, title]) => (
                <Entry
                  key={name}
                  href={to(name)}
                  title={title}
                  current={here === name || (name === 'apps' && here === '')}
                />
              ))}
            </ul>
          </nav>
          <button type="button" class="button quiet sign-out" onClick={leave}>
            Sign out
          </button>
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

const Entry = ({ href, title, current }: { href: string; title: string; current: boolean }) => (
  <li>
    <a href={href} aria-current={current ? 'page' : undefined}>
      {title}
    </a>
  </li>
);

function AppSwitch({ app, here }: { app: string | undefined; here: string }) {
  const { apps } = useConsole();
  if (!app) return null;
  const screen = OF_APP.some(([name]) => name === here) ? here : 'meetings';
  return (
    <select
      class="input"
      aria-label="App"
      value={app}
      onChange={(event) => go(to('apps', event.currentTarget.value, screen))}
    >
      {apps.map(({ id, name }) => (
        <option key={id} value={id}>
          {name || id}
        </option>
      ))}
    </select>
  );
}

/** The sign of the product: two who face each other in a round. */
export const Mark = () => (
  <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
    <rect width="24" height="24" rx="7" class="mark-ground" />
    <path d="M5.5 17V8.6L12 14l6.5-5.4V17" class="mark-line" />
  </svg>
);
