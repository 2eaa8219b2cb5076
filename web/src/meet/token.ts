/** What the link to a meeting says. The token is taken out of the address, so that no history and no screenshot has it. */
export interface Invitation {
  meetingId: string;
  token: string;
}

/**
 * The invitation of this page: from the address, or as kept for this tab by an earlier load; null where there is
 * none that fits the meeting.
 */
export function takeInvitation(): Invitation | null {
  const meetingId = location.pathname.split('/')[2] ?? '';
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (location.hash !== '') history.replaceState(history.state, '', location.pathname + location.search);
  const key = `muster.meet.${meetingId}`;
  if (given !== null) kept(() => sessionStorage.setItem(key, given));
  const token = given ?? kept(() => sessionStorage.getItem(key));
  return token !== null && meetingOf(token) === meetingId ? { meetingId, token } : null;
}

/** Storage may be closed to a page; it then has the token until it is loaded again. */
function kept<T>(use: () => T): T | null {
  try {
    return use();
  } catch {
    return null;
  }
}

/** The meeting that a token says it opens. Whether it does is the server's to say. */
function meetingOf(token: string): string | null {
  try {
    const claims = token.split('.')[1] ?? '';
    const { meetingId } = JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/'))) as { meetingId?: unknown };
    return typeof meetingId === 'string' ? meetingId : null;
  } catch {
    return null;
  }
}
