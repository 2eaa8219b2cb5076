import { useEffect, useState } from 'preact/hooks';
import { useLasting } from '../hooks';
import { underWay } from '../http';

/** Turns while something takes longer than a moment. */
export function Spinner({ on, label }: { on: boolean; label?: string }) {
  const lasting = useLasting(on);
  if (!lasting) return null;
  return (
    <span
      class="spinner"
      role={label ? 'status' : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : true}
    />
  );
}

/** A line at the top of the page while any request takes longer than a moment. */
export function ProgressLine() {
  const [count, setCount] = useState(underWay.count);
  useEffect(() => {
    const watcher = () => setCount(underWay.count);
    underWay.watchers.add(watcher);
    return () => void underWay.watchers.delete(watcher);
  }, []);
  const lasting = useLasting(count > 0);
  return (
    <div class="progress-line" role="status" aria-label={lasting ? 'Loading' : undefined}>
      {lasting && <span class="progress-bar" />}
    </div>
  );
}
