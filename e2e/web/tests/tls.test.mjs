import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { startBrowser } from '../../browser/browser.mjs';
import { Server } from '../../browser/server.mjs';
import { suite, visits } from '../harness.mjs';

/** A record of the management API of a server that is no `muster dev`. */
async function make({ api, apiToken }, path, body) {
  const answer = await fetch(api + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await answer.json()).data;
}

suite(
  'over TLS with a base domain',
  (site) => {
    visits(site, 'the kit reaches its hosts by their own names', async (visit) => {
      const { about } = site.server;
      const own = await startBrowser(site.server);
      try {
        const browser = await chromium.connect(own.address);
        const meeting = await make(about, '/meetings', { title: 'A test' });
        const { token } = await make(about, `/meetings/${meeting.id}/participants`, {
          name: 'Ada',
          preset_name: 'group_call_host',
          custom_participant_id: 'ada',
        });
        const visitor = await visit({ browser, ignoreHTTPSErrors: true });
        const asked = new Set();
        visitor.page.on('request', (request) => asked.add(new URL(request.url()).host));
        visitor.page.on('websocket', (socket) => asked.add(new URL(socket.url()).host));
        await visitor.open(`https://meet.${about.baseDomain}/meet/${meeting.id}#token=${token}`);
        await visitor.page.getByRole('button', { name: 'Join' }).click();
        await visitor.page.locator('rtk-leave-button').waitFor();
        for (const name of ['meet', 'api', 'socket-edge']) assert.ok(asked.has(`${name}.${about.baseDomain}`), [...asked].join());
        const foreign = visitor.refused.filter(([directive]) => directive !== 'media-src');
        assert.deepEqual(foreign, [], 'of our own hosts nothing is refused');
      } finally {
        await own.stop();
      }
    });
  },
  Server.start,
);
