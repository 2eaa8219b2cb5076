import assert from 'node:assert/strict';
import { suite, visits } from '../harness.mjs';

suite('dev-origin.js', (site) => {
  visits(site, 'leads what the client SDK asks to the origin of the page, and nothing else', async (visit) => {
    const { participant } = await site.server.invite();
    const visitor = await visit();
    await visitor.open(`${site.server.origin}/meet/none`);
    await visitor.page.addScriptTag({ url: `${site.server.origin}/dev-origin.js` });
    const seen = await visitor.page.evaluate(async (token) => {
      const socket = new WebSocket('wss://socket-edge.localhost/ws?a=b');
      socket.close();
      const headers = { authorization: `Bearer ${token}` };
      const asked = [
        fetch('https://api.localhost/v2/internals/participant-details', { headers }),
        fetch(new URL('https://location.localhost/')),
        fetch(new Request('https://da-collector.localhost/api/v1/message', { method: 'POST', body: '{"a": 1}' })),
        fetch('/healthz'),
      ];
      return {
        socket: [socket.url, socket instanceof WebSocket, socket.constructor === WebSocket, WebSocket.OPEN, socket.CLOSED],
        answers: await Promise.all(asked.map(async (answer) => [(await answer).url, (await answer).ok])),
        foreign: await fetch('https://api.localhost.example.org/').then(String, () => 'refused'),
      };
    }, participant.token);
    const { origin, port } = site.server;
    assert.deepEqual(seen.socket, [`ws://localhost:${port}/ws?a=b`, true, true, 1, 3]);
    const paths = ['/v2/internals/participant-details', '/location', '/api/v1/message', '/healthz'];
    assert.deepEqual(
      seen.answers,
      paths.map((path) => [origin + path, true]),
    );
    assert.equal(seen.foreign, 'refused');
  });
});
