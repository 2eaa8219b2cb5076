// Which screen: the path below /console/, with what is searched for as its query. Never a token.

import { useEffect, useState } from 'preact/hooks';

const ROOT = '/console/';

export interface Place {
  /** The parts of the path below /console/. */
  parts: string[];
  query: URLSearchParams;
}

const watchers = new Set<() => void>();
const tell = () => {
  for (const watcher of watchers) watcher();
};

function here(): Place {
  const { pathname, search } = location;
  const below = pathname.startsWith(ROOT) ? pathname.slice(ROOT.length) : '';
  return { parts: below.split('/').filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(search) };
}

/** The address of a screen. */
export const to = (...parts: string[]): string => ROOT + parts.map(encodeURIComponent).join('/');

export function go(address: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
  tell();
}

/** Plain links to our own screens change the screen without loading the page again. */
function onClick(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  const link = (event.target as Element | null)?.closest?.('a');
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (!link.pathname.startsWith(ROOT)) return;
  event.preventDefault();
  go(link.pathname + link.search);
}

export function startRouter(): void {
  addEventListener('popstate', tell);
  document.addEventListener('click', onClick);
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const watcher = () => setPlace(here());
    watchers.add(watcher);
    watcher();
    return () => void watchers.delete(watcher);
  }, []);
  return place;
}

/** What the address asks for by `names`, and a way to change it; empty text is left out of the address. */
export function useQuery<N extends string>(
  ...names: N[]
): [Record<N, string>, (change: Partial<Record<N, string>>) => void] {
  const { query } = usePlace();
  const values = Object.fromEntries(names.map((name) => [name, query.get(name) ?? ''])) as Record<N, string>;
  const change = (by: Partial<Record<N, string>>) => {
    const next = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries<string | undefined>(by)) {
      if (value) next.set(name, value);
      else next.delete(name);
    }
    const text = next.toString();
    go(location.pathname + (text && `?${text}`), { replace: true });
  };
  return [values, change];
}
