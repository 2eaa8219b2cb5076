// The network as a page sees it, with one difference: the names of the server under test lead to it,
// although nothing resolves them and it speaks no TLS. Other names lead nowhere. As in a browser, what
// CORS does not allow fails.

import WebSocket from 'ws';

const PAGE = 'https://page.example';
const ALWAYS_ALLOWED = ['accept', 'accept-language', 'content-language', 'range'];
const PLAIN_TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'];
const nativeFetch = globalThis.fetch;

/** Every socket that the page opened, oldest first. */
const sockets = [];

/** Makes `fetch` and `WebSocket` reach `server`: `{origin, base_domain}`. */
export function connect(server) {
  const { origin, base_domain: base } = server;
  const preflights = new Map();

  async function preflight(url, host, method, names) {
    const key = `${method} ${url.href} ${names}`;
    if (!preflights.has(key)) {
      const headers = { host, origin: PAGE, 'access-control-request-method': method };
      if (names.length > 0) headers['access-control-request-headers'] = names.join(',');
      preflights.set(key, nativeFetch(url, { method: 'OPTIONS', headers }));
    }
    const answer = await preflights.get(key);
    const listed = (name) => (answer.headers.get(name) ?? '').toLowerCase().split(/\s*,\s*/);
    // A wildcard does not cover Authorization, so only names count.
    const refused = names.filter((name) => !listed('access-control-allow-headers').includes(name));
    const methods = listed('access-control-allow-methods');
    const allowed = ['GET', 'HEAD', 'POST'].includes(method) || methods.includes(method.toLowerCase());
    if (!answer.ok || refused.length > 0 || !allowed) {
      throw new TypeError(`CORS does not allow ${method} ${url.href} with ${names}`);
    }
  }

  globalThis.fetch = async (input, init) => {
    const request = new Request(input, { ...init, duplex: 'half' });
    const asked = new URL(request.url);
    if (!asked.hostname.endsWith(`.${base}`)) throw new TypeError(`${asked.hostname} is unreachable`);
    if (asked.protocol !== 'https:') throw new TypeError(`${asked.href} is not https`);
    const url = new URL(asked.pathname + asked.search, origin);
    const names = [...request.headers.keys()].filter((name) => !isPlain(name, request.headers.get(name)));
    const plain = ['GET', 'HEAD', 'POST'].includes(request.method) && names.length === 0;
    if (!plain) await preflight(url, asked.host, request.method, names.sort());
    const headers = { ...Object.fromEntries(request.headers), host: asked.host, origin: PAGE };
    const body = request.body === null ? undefined : await request.arrayBuffer();
    const { method, signal } = request;
    const answer = await nativeFetch(url, { method, headers, body, signal });
    const opened = answer.headers.get('access-control-allow-origin');
    if (opened !== '*' && opened !== PAGE) throw new TypeError(`CORS hides the answer of ${asked.href}`);
    return answer;
  };

  globalThis.WebSocket = class extends WebSocket {
    constructor(address) {
      const asked = new URL(address);
      if (asked.protocol !== 'wss:' || asked.hostname !== `socket-edge.${base}`) {
        throw new DOMException(`${address} is unreachable`, 'NetworkError');
      }
      const url = new URL(asked.pathname + asked.search, origin.replace(/^http/, 'ws'));
      // As in a browser, what one message set going is done before the next one comes.
      const options = { headers: { host: asked.host }, origin: PAGE, allowSynchronousEvents: false };
      super(url, options);
      this.peerId = asked.searchParams.get('peerID');
      sockets.push(this);
    }
  };
}

function isPlain(name, value) {
  if (name === 'content-type') return PLAIN_TYPES.includes(value.split(';')[0].trim());
  return ALWAYS_ALLOWED.includes(name);
}

/** The sockets that a peer has opened so far. */
export function socketsOf(peerId) {
  return sockets.filter((socket) => socket.peerId === peerId);
}

/** Cuts the live socket of a peer, as a lost network does. */
export function cutSocket(peerId) {
  socketsOf(peerId).at(-1).terminate();
}

/** Cuts every socket. */
export function cutAll() {
  for (const socket of sockets) socket.terminate();
}

/** A request of the test itself, which is no page. */
export { nativeFetch as directFetch };
