// Loading, acting and asking again.

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from './http';

const asError = (problem: unknown): ApiError =>
  problem instanceof ApiError ? problem : new ApiError(0, problem instanceof Error ? problem.message : String(problem));

export interface Loaded<T> {
  data: T | undefined;
  error: ApiError | undefined;
  /** Under way; `data` is then of the time before. */
  loading: boolean;
  reload: () => void;
}

/** What `load` answers; asked again when one of `inputs` changes, the old answer standing until the new one is there. */
export function useLoad<T>(load: (signal: AbortSignal) => Promise<T>, inputs: unknown[]): Loaded<T> {
  const [state, setState] = useState<Omit<Loaded<T>, 'reload'>>({ data: undefined, error: undefined, loading: true });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    setState((old) => ({ ...old, loading: true }));
    load(controller.signal).then(
      (data) => controller.signal.aborted || setState({ data, error: undefined, loading: false }),
      (problem: unknown) =>
        controller.signal.aborted || setState((old) => ({ ...old, error: asError(problem), loading: false })),
    );
    return () => controller.abort();
  }, [...inputs, turn]);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  return { ...state, reload };
}

export interface Action {
  busy: boolean;
  error: ApiError | undefined;
  /** Does it, unless it is being done; true when it went well. */
  run: (work: () => Promise<unknown>) => Promise<boolean>;
  clear: () => void;
}

export function useAction(): Action {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const running = useRef(false);
  const run = useCallback(async (work: () => Promise<unknown>) => {
    if (running.current) return false;
    running.current = true;
    setBusy(true);
    setError(undefined);
    try {
      await work();
      return true;
    } catch (problem) {
      setError(asError(problem));
      return false;
    } finally {
      running.current = false;
      setBusy(false);
    }
  }, []);
  return { busy, error, run, clear: useCallback(() => setError(undefined), []) };
}

/** Asks every `ms` from the end of the last answer on, and not at all while the tab is hidden. */
export function usePoll<T>(ask: (signal: AbortSignal) => Promise<T>, ms: number, inputs: unknown[]): Loaded<T> {
  const [state, setState] = useState<Omit<Loaded<T>, 'reload'>>({ data: undefined, error: undefined, loading: true });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let asking = false;
    setState((old) => ({ ...old, loading: true }));
    const next = async () => {
      clearTimeout(timer);
      if (asking || document.hidden) return;
      asking = true;
      try {
        const data = await ask(signal);
        if (!signal.aborted) setState({ data, error: undefined, loading: false });
      } catch (problem) {
        if (!signal.aborted) setState((old) => ({ ...old, error: asError(problem), loading: false }));
      }
      asking = false;
      if (!signal.aborted && !document.hidden) timer = setTimeout(() => void next(), ms);
    };
    const onVisibility = () => void next();
    document.addEventListener('visibilitychange', onVisibility);
    void next();
    return () => {
      controller.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisibility);
    };
  }, [...inputs, ms, turn]);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  return { ...state, reload };
}

/** Steps back from a page that has become empty, as when its last record was deleted. */
export function useNoEmptyPage(found: { items: unknown[] } | undefined, page: number, back: () => void): void {
  const empty = found?.items.length === 0 && page > 1;
  useEffect(() => {
    if (empty) back();
  }, [empty]);
}

/** The time, every `ms`. */
export function useNow(ms: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return now;
}

/** `value`, once it has stood still for `ms`. */
export function useSettled<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

/** The text of a search box, and the same once it has stood still, which `searched` becomes; and follows it. */
export function useSearch(searched: string, onSearch: (search: string) => void): [string, (typed: string) => void] {
  const [typed, setTyped] = useState(searched);
  const settled = useSettled(typed, 250);
  const told = useRef(searched);
  useEffect(() => {
    if (settled === told.current) return;
    told.current = settled;
    onSearch(settled);
  }, [settled]);
  useEffect(() => {
    if (searched === told.current) return;
    told.current = searched;
    setTyped(searched);
  }, [searched]);
  return [typed, setTyped];
}

/** Whether something has been going on for longer than `ms`. */
export function useLasting(on: boolean, ms = 300): boolean {
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    if (!on) {
      setLasting(false);
      return;
    }
    const timer = setTimeout(() => setLasting(true), ms);
    return () => clearTimeout(timer);
  }, [on, ms]);
  return lasting;
}
