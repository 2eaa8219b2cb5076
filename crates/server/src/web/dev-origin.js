// For `muster dev`, which has one plain address on this machine: a page that loads this script has the requests of
// the client SDK, which go to https and wss hosts below the base domain, sent to where this script came from.

(() => {
  const target = new URL(document.currentScript.src).origin;
  const base = 'the base domain';
  const hosts = ['api', 'socket-edge', 'api-silos', 'da-collector', 'location', 'location-legacy'];
  // The root of these is another path where all hosts are one.
  const roots = ['location', 'location-legacy'];

  /** Where a request to `address` goes; null when that is where it says. */
  function redirected(address) {
    let url;
    try {
      url = new URL(address, document.baseURI);
    } catch {
      return null; // the real one has the right error
    }
    if (url.protocol !== 'https:' && url.protocol !== 'wss:') return null;
    const name = hosts.find((host) => url.host === `${host}.${base}`);
    if (name === undefined) return null;
    const to = new URL(target);
    if (url.protocol === 'wss:') to.protocol = to.protocol === 'https:' ? 'wss:' : 'ws:';
    to.pathname = url.pathname === '/' && roots.includes(name) ? '/location' : url.pathname;
    to.search = url.search;
    return to.href;
  }

  window.fetch = new Proxy(window.fetch, {
    apply(fetch, self, [input, ...rest]) {
      const to = redirected(input instanceof Request ? input.url : String(input));
      if (to === null) return Reflect.apply(fetch, self, [input, ...rest]);
      if (!(input instanceof Request)) return Reflect.apply(fetch, self, [to, ...rest]);
      const request = new Request(input, ...rest);
      const { method, headers, signal, credentials, cache, redirect, integrity, keepalive } = request;
      const options = { method, headers, signal, credentials, cache, redirect, integrity, keepalive };
      if (request.body === null) return fetch.call(self, to, options);
      // Browsers send a stream over HTTP/2 alone.
      return request.arrayBuffer().then((body) => fetch.call(self, to, { ...options, body }));
    },
  });

  window.WebSocket = new Proxy(window.WebSocket, {
    construct(WebSocket, [address, ...rest], newTarget) {
      return Reflect.construct(WebSocket, [redirected(String(address)) ?? address, ...rest], newTarget);
    },
  });
  WebSocket.prototype.constructor = WebSocket;
})();
