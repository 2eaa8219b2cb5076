import { useEffect, useState } from 'preact/hooks';

interface Toast {
  id: number;
  text: string;
  bad: boolean;
}

const SHOWN_MS = 5000;
let toasts: Toast[] = [];
let latest = 0;
const watchers = new Set<() => void>();

function change(next: Toast[]): void {
  toasts = next;
  for (const watcher of watchers) watcher();
}

/** Says in passing what was done, or what was not. */
export function toast(text: string, { bad = false } = {}): void {
  const id = ++latest;
  change([...toasts.slice(-3), { id, text, bad }]);
  setTimeout(() => change(toasts.filter((other) => other.id !== id)), bad ? 2 * SHOWN_MS : SHOWN_MS);
}

export function Toasts() {
  const [, setTurn] = useState(0);
  useEffect(() => {
    const watcher = () => setTurn((n) => n + 1);
    watchers.add(watcher);
    return () => void watchers.delete(watcher);
  }, []);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.map(({ id, text, bad }) => (
        <p key={id} class={bad ? 'toast bad' : 'toast'}>
          {text}
        </p>
      ))}
    </div>
  );
}
