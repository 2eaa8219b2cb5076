/** Why there is no meeting on this page: what it says, and what can be done. */
export interface Problem {
  title: string;
  text: string;
  /** Whether it may go better when the page is loaded again. */
  again?: boolean;
  /** Whether that should wait for the server. */
  waits?: boolean;
}

export const PROBLEMS = {
  insecure: {
    title: 'This address is not secure',
    text:
      'Browsers give cameras and microphones to pages on https addresses alone, or on localhost of the same machine. ' +
      'Open the meeting by its https address; whoever runs this server sets that up.',
  },
  old: {
    title: 'This browser is too old',
    text: 'It lacks what video meetings need. Update it, or use a current Chrome, Edge, Firefox or Safari.',
  },
  noToken: {
    title: 'This link is not complete',
    text: 'A link to a meeting holds a personal token after the “#”. Open the whole link that you were sent, in this tab.',
  },
  expired: {
    title: 'This link no longer holds',
    text: 'Its token has expired or was withdrawn. Ask whoever invited you for a new link.',
    again: true,
  },
  barred: {
    title: 'You may not join this meeting',
    text: 'You were removed from it by a host, and your link does not open it any more.',
  },
  inactive: {
    title: 'This meeting is not active',
    text: 'Nobody can join it at present. Whoever set it up can activate it again.',
    again: true,
  },
  gone: {
    title: 'The server does not answer',
    text: 'It may be starting again, or your network may be down. This page keeps trying.',
    waits: true,
  },
  hosts: {
    title: 'The meeting’s hosts cannot be reached',
    text:
      'The page came, but the names below the base domain that meetings use do not answer over https: their DNS entry or ' +
      'their certificate is missing, or is not trusted by this browser.',
    again: true,
  },
  left: { title: 'You have left the meeting', text: 'You can come back with the same link.', again: true },
  kicked: { title: 'You were removed from the meeting', text: 'A host has ended your stay.', again: true },
  ended: { title: 'The meeting has ended', text: 'It was ended for all.', again: true },
  rejected: { title: 'You were not let in', text: 'A host has declined your request to join.', again: true },
  lost: {
    title: 'The connection was lost',
    text: 'The server did not answer for a while, and you are no longer in the meeting.',
    again: true,
    waits: true,
  },
  broken: {
    title: 'The meeting could not be opened',
    text: 'Something went wrong that this page knows no better word for. The browser’s console has the details.',
    again: true,
  },
} satisfies Record<string, Problem>;

export type ProblemName = keyof typeof PROBLEMS;

/** What in this browser stands in the way, if anything does. */
export function obstacle(): ProblemName | null {
  if (!window.isSecureContext) return 'insecure';
  const needed = ['RTCPeerConnection', 'RTCRtpTransceiver', 'WebSocket', 'customElements', 'structuredClone', 'ResizeObserver'];
  if (needed.some((name) => !(name in window)) || !navigator.mediaDevices?.getUserMedia) return 'old';
  return null;
}

/** How the SDK says that somebody is out. A move to a breakout room is none of these. */
export const ENDINGS: Record<string, ProblemName> = {
  left: 'left',
  kicked: 'kicked',
  ended: 'ended',
  rejected: 'rejected',
  disconnected: 'lost',
  failed: 'lost',
};
