// The official client and its UI kit, as published. Loaded only once it is clear that there is a meeting to join.

import RealtimeKitClient from '@cloudflare/realtimekit';
import { defineCustomElements } from '@cloudflare/realtimekit-ui/loader';

export type Meeting = Awaited<ReturnType<typeof RealtimeKitClient.init>>;

type Message = Meeting['chat']['messages'][number];

/** Signs in; the hosts are those below `baseDomain`. */
export function enter(token: string, baseDomain: string): Promise<Meeting> {
  return RealtimeKitClient.init({ authToken: token, baseURI: baseDomain, defaults: { audio: true, video: true } });
}

/** Shows the kit's meeting inside `place`. */
export function show(meeting: Meeting, place: HTMLElement): void {
  keepToOurselves(meeting);
  tellChatOnce(meeting);
  defineCustomElements();
  const element = document.createElement('rtk-meeting');
  element.mode = 'fill';
  // Its list is on a host of the kit's maker. Every system has a picker of its own.
  element.overrides = { disableEmojiPicker: true };
  element.meeting = meeting as never;
  place.replaceChildren(element);
}

/**
 * The kit shows a message twice that is told while the page of its history is on the way: it puts the page behind what
 * it was told, unseen. So the page comes without that. Only pages of what was before are put so.
 */
function tellChatOnce({ chat }: Meeting): void {
  const once =
    <Asked extends { direction?: 'before' | 'after' }>(fetch: (asked: Asked) => Promise<Message[]>) =>
    async (asked: Asked) => {
      if (asked.direction !== 'before') return fetch(asked);
      const told = new Set<string>();
      const note = ({ action, message }: { action: string; message: Message }) => {
        if (action === 'add') told.add(message.id);
      };
      chat.addListener('chatUpdate', note);
      try {
        return (await fetch(asked)).filter(({ id }) => !told.has(id));
      } finally {
        chat.removeListener('chatUpdate', note);
      }
    };
  Object.assign(chat, {
    fetchPublicMessages: once(chat.fetchPublicMessages.bind(chat)),
    fetchPrivateMessages: once(chat.fetchPrivateMessages.bind(chat)),
  });
}

/** What the kit would ask foreign hosts for, and the link by which it would tell one the token. */
function keepToOurselves(meeting: Meeting): void {
  // The Content-Security-Policy refuses the font's style sheet, but no policy keeps a browser from connecting ahead: the
  // kit does that unless it finds that a font is there.
  const decoy = document.createElement('link');
  decoy.dataset.rtkFont = 'none';
  document.head.append(decoy);
  withGenericFonts();

  const hidden = new CSSStyleSheet();
  hidden.replaceSync('.troubleshoot-link { display: none !important }');
  const attachShadow = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    const root = attachShadow.call(this, options);
    if (this.localName.startsWith('rtk-')) root.adoptedStyleSheets.push(hidden);
    return root;
  };
  const token = meeting.__internals__.authToken;
  const stop = (event: Event) => {
    const links = event.composedPath().filter((node) => node instanceof HTMLAnchorElement);
    if (links.some(({ href }) => href.includes(token))) event.preventDefault();
  };
  for (const kind of ['click', 'auxclick']) document.addEventListener(kind, stop, true);
}

/** A font of the kit's that is not on this machine must not end in the browser's serif. */
function withGenericFonts(): void {
  const { style } = document.documentElement;
  const name = '--rtk-font-family';
  new MutationObserver(() => {
    const family = style.getPropertyValue(name).trim();
    if (family !== '' && !family.endsWith('sans-serif')) style.setProperty(name, `${family}, system-ui, sans-serif`);
  }).observe(document.documentElement, { attributeFilter: ['style'] });
}
