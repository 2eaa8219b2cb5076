import assert from 'node:assert/strict';
import { suite, visits } from '../harness.mjs';

suite('what stands in the way of a meeting is told', (site) => {
  const told = (name, title, prepare) =>
    visits(site, name, async (visit) => {
      const { visitor, address } = await prepare(visit, site.server);
      await visitor.open(address);
      await visitor.reads(title);
      assert.equal(await visitor.page.title(), title);
      assert.ok(!visitor.page.url().includes('token='), visitor.page.url());
      await visitor.isAccessible();
      await visitor.picture(`meet-${name.replaceAll(' ', '-')}`);
    });

  told('a link without a token', 'This link is not complete', async (visit, server) => ({
    visitor: await visit(),
    address: `${server.origin}/meet/${server.told.meeting}`,
  }));

  told('a token of another meeting', 'This link is not complete', async (visit, server) => {
    const { participant } = await server.invite();
    return { visitor: await visit(), address: `${server.origin}/meet/${server.told.meeting}#token=${participant.token}` };
  });

  told('a token that was withdrawn', 'This link no longer holds', async (visit, server) => {
    const { meeting, participant, link } = await server.invite();
    await server.rest('DELETE', `/meetings/${meeting.id}/participants/${participant.id}`);
    return { visitor: await visit(), address: link };
  });

  told('a token that has expired', 'This link no longer holds', async (visit, server) => {
    const { participant, link } = await server.invite({ expires_in: 1 });
    const visitor = await visit();
    const headers = { authorization: `Bearer ${participant.token}` };
    const ask = () => fetch(`${server.origin}/v2/internals/participant-details`, { headers });
    await visitor.until('the token expires', async () => (await ask()).status === 401);
    return { visitor, address: link };
  });

  told('a meeting that is not active', 'This meeting is not active', async (visit, server) => {
    const { meeting, link } = await server.invite();
    await server.rest('PATCH', `/meetings/${meeting.id}`, { status: 'INACTIVE' });
    return { visitor: await visit(), address: link };
  });

  told('an address that is not secure', 'This address is not secure', async (visit, server) => {
    const { link } = await server.invite();
    return { visitor: await visit(), address: link.replace('localhost', 'meet.test') };
  });

  told('a browser that is too old', 'This browser is too old', async (visit, server) => {
    const { link } = await server.invite();
    return { visitor: await visit({ init: () => delete window.RTCPeerConnection }), address: link };
  });

  visits(site, 'a browser that runs no script', async (visit) => {
    const { link } = await site.server.invite();
    const visitor = await visit({ javaScriptEnabled: false });
    await visitor.open(link);
    await visitor.reads('The meeting does not open');
  });

  told('hosts that cannot be reached', 'The meeting’s hosts cannot be reached', async (visit, server) => {
    const { link } = await server.invite();
    const visitor = await visit();
    // As a server says that is no `muster dev`; this one has no TLS.
    const settings = { public_url: server.origin, base_domain: `localhost:${server.port}`, dev: false };
    await visitor.page.route('**/settings.json', (route) => route.fulfill({ json: settings }));
    return { visitor, address: link };
  });

  visits(site, 'a server that is gone while a meeting is opened, and comes back', async (visit) => {
    const visitor = await visit();
    const { link } = await site.server.invite();
    const away = (route) => route.abort('connectionrefused');
    await visitor.context.route(/\/(v2|readyz)/, away);
    await visitor.open(link);
    await visitor.reads('The server does not answer');
    await visitor.isAccessible();
    await visitor.picture('meet-a-server-that-is-gone');
    await visitor.context.unroute(/\/(v2|readyz)/, away);
    await visitor.page.getByRole('button', { name: 'Join' }).waitFor();
  });

  visits(site, 'a server that has too much to do is left in peace', async (visit) => {
    const visitor = await visit();
    const { link } = await site.server.invite();
    let asked = 0;
    const busy = (route) => {
      asked += 1;
      return route.fulfill({ status: 503, json: {} });
    };
    await visitor.context.route(/\/v2\//, busy);
    await visitor.open(link);
    await visitor.reads('The server does not answer');
    await visitor.until('it is asked again', () => asked > 1);
    assert.ok(asked < 4, `asked ${asked} times at once`);
    await visitor.context.unroute(/\/v2\//, busy);
    await visitor.page.getByRole('button', { name: 'Join' }).waitFor();
  });
});
