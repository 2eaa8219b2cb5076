// Requests to the management API, and what it says when something is wrong.

/** One thing that is wrong with a request: `field` is a dotted path into the body, or a parameter's name. */
export interface Fault {
  field: string;
  message: string;
}

export class ApiError extends Error {
  constructor(
    /** The HTTP status; 0 when no answer came. */
    readonly status: number,
    message: string,
    readonly faults: Fault[] = [],
  ) {
    super(message);
  }
}

/** Where a page stands in its list, from 1; both ends count. */
export interface Paging {
  total_count: number;
  start_offset: number;
  end_offset: number;
}

/** A success. Lists have `paging`; the gateway's own operations have `result` in place of `data`. */
export interface Answer<T> {
  data: T;
  result: T;
  paging?: Paging;
}

export interface Page<T> {
  items: T[];
  paging: Paging;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Ask {
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** Asked in the background: no progress bar for it. */
  quiet?: boolean | undefined;
}

/** Tells who draws the progress bar how many requests are under way. */
export const underWay = {
  count: 0,
  watchers: new Set<() => void>(),
  add(by: number) {
    this.count += by;
    for (const watcher of this.watchers) watcher();
  },
};

export class Http {
  constructor(
    private readonly token: string,
    /** Called when the token is no longer good. */
    private readonly refused: () => void = () => {},
  ) {}

  /** Asks below `/client/v4`. Throws an `ApiError`, or an `AbortError` when `signal` fires. */
  async ask<T>(method: Method, path: string, { query, body, signal, quiet }: Ask = {}): Promise<Answer<T>> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.token}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    // A repeated request then answers as the first did and does nothing twice.
    if (method === 'POST') headers['idempotency-key'] = randomKey();
    const init: RequestInit = { method, headers, signal: signal ?? null, cache: 'no-store', credentials: 'omit' };
    if (body !== undefined) init.body = JSON.stringify(body);
    if (!quiet) underWay.add(1);
    try {
      const answer = await fetchTwice(`/client/v4${path}${asText(query)}`, init, method === 'POST');
      const told = (await answer.json().catch(() => null)) as unknown;
      if (answer.ok && told !== null) return told as Answer<T>;
      if (answer.status === 401) this.refused();
      throw failure(answer.status, told);
    } finally {
      if (!quiet) underWay.add(-1);
    }
  }
}

async function fetchTwice(url: string, init: RequestInit, twice: boolean): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (problem) {
    if (init.signal?.aborted) throw problem;
    if (twice) return fetchTwice(url, init, false);
    throw new ApiError(0, 'The server cannot be reached. Check that it is running, then try again.');
  }
}

function asText(query: Ask['query'] = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]))}`;
}

/** `crypto.randomUUID` exists only over TLS and on localhost. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

interface Failure {
  error?: { message?: string };
  errors?: { message?: string; field?: string }[];
}

function failure(status: number, told: unknown): ApiError {
  const body = (typeof told === 'object' ? told : null) as Failure | null;
  const faults = (body?.errors ?? []).flatMap(({ field, message }) =>
    field === undefined || message === undefined ? [] : [{ field, message: plain(field, message) }],
  );
  const message = body?.error?.message ?? body?.errors?.[0]?.message;
  if (status === 429) return new ApiError(status, 'Too many requests. Wait a moment, then try again.');
  if (status === 403)
    return new ApiError(
      status,
      message === 'Authentication error' ? 'This API token may not do that.' : (message ?? 'Refused.'),
    );
  return new ApiError(status, message ?? `The server answered with status ${status}.`, faults);
}

/** `"title" must be …` says beside its field no more than `Must be …`. */
function plain(field: string, message: string): string {
  const quoted = `"${field}" `;
  const rest = field !== '' && message.startsWith(quoted) ? message.slice(quoted.length) : message;
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}
