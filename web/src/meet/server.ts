import type { Invitation } from './token';

/** How the server answers who wants to join, before the kit asks. */
export type Standing = 'welcome' | 'expired' | 'barred' | 'inactive' | 'gone';

const ANSWER_MS = 8_000;
const RETRY_MS = 2_000;

function ask(address: string, options: RequestInit = {}): Promise<Response> {
  return fetch(address, { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS), ...options });
}

/** What this participant would be told. */
export async function standing({ token }: Invitation): Promise<Standing> {
  try {
    const answer = await ask('/v2/internals/participant-details', { headers: { authorization: `Bearer ${token}` } });
    if (answer.ok) return 'welcome';
    if (answer.status === 401) return 'expired';
    if (answer.status === 403) return 'barred';
    if (answer.status === 404) return 'inactive';
  } catch {
    // said below
  }
  return 'gone';
}

export async function isUp(): Promise<boolean> {
  return ask('/readyz').then(
    ({ ok }) => ok,
    () => false,
  );
}

/** Resolves when the server answers again, or when nobody waits for it any more. It is first asked after a pause: one
 * that is up, but refuses what it is asked for, is not to be asked all the time. */
export async function untilUp(signal: AbortSignal): Promise<void> {
  do await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  while (!signal.aborted && !(await isUp()));
}

/** Whether a host that the client SDK asks can be reached: its name, and its certificate. */
export async function reaches(host: string): Promise<boolean> {
  return ask(`https://${host}/healthz`, { mode: 'no-cors' }).then(
    () => true,
    () => false,
  );
}

/** Has a script of ours done before anything else is loaded. */
export function runScript(address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = address;
    script.onload = () => resolve();
    script.onerror = () => reject(new Error(`${address} was not loaded`));
    document.head.append(script);
  });
}
