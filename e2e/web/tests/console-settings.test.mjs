import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Operator } from '../console.mjs';
import { suite, visits } from '../harness.mjs';

// Webhooks of these tests lead to this machine, which servers otherwise refuse.
process.env.MUSTER_ALLOW_OUTBOUND = '127.0.0.0/8';
process.env.MUSTER_WEBHOOK_RETRY_SCHEDULE = '1s';

suite('presets in the console', (site) => {
  visits(site, 'are duplicated, changed by form and as JSON, and deleted', async (visit) => {
    const operator = await Operator.signIn(visit, site.server, 'presets');
    await operator.row('group_call_host').waitFor();
    await operator.looksRight('presets');
    await operator.press('Duplicate group_call_guest');
    await operator.dialog('Duplicate preset');
    await operator.fill('Name', 'quiet_guest');
    await operator.press('Create');
    await operator.page.getByRole('heading', { name: 'quiet_guest', level: 1 }).waitFor();
    const labels = await operator.page.locator('.preset-fields label').count();
    assert.ok(labels > 60, `a field for each setting: ${labels}`);
    await operator.page.getByLabel('Kick participant').check();
    await operator.page.getByLabel('Waiting room type').selectOption('SKIP');
    await operator.page
      .getByRole('group', { name: 'Audio' })
      .first()
      .getByLabel('Can produce')
      .selectOption('CAN_REQUEST');
    await operator.looksRight('preset');
    await operator.press('Save');
    await operator.reads('The preset is saved.');
    const [{ id }] = await site.server.rest('GET', '/presets?search=quiet_guest');
    const saved = await site.server.rest('GET', `/presets/${id}`);
    assert.equal(saved.permissions.kick_participant, true);
    assert.equal(saved.permissions.waiting_room_type, 'SKIP');
    assert.equal(saved.permissions.media.audio.can_produce, 'CAN_REQUEST');

    await operator.pick('JSON');
    const field = operator.page.getByLabel('Preset as JSON');
    const body = JSON.parse(await field.inputValue());
    await field.fill('{"name": "quiet_guest", "config": []}');
    await operator.page.getByRole('radio', { name: 'Form' }).click();
    await operator.page.getByRole('alert').getByText('"config" must be an object.').waitFor();
    body.config.max_screenshare_count = 3;
    await field.fill(JSON.stringify({ ...body, config: { ...body.config, view_type: 'PARTY' } }));
    await operator.press('Save');
    await operator.page.getByRole('alert').getByText('config.view_type').waitFor();
    await operator.looksRight('preset-json');
    await field.fill(JSON.stringify(body));
    await operator.press('Save');
    await operator.visitor.until('it is saved', async () => {
      const { config } = await site.server.rest('GET', `/presets/${id}`);
      return config.max_screenshare_count === 3;
    });
    await site.server.rest('PATCH', `/presets/${id}`, { version: 'ours-7' });
    await operator.page.reload();
    await operator.page.getByLabel('Kick participant').uncheck();
    await operator.press('Save');
    await operator.visitor.until('it is saved again', async () => {
      const { permissions, version } = await site.server.rest('GET', `/presets/${id}`);
      // What the form does not show is kept.
      return permissions.kick_participant === false && version === 'ours-7';
    });
    await operator.page.getByText('Media and layout').waitFor();
    await operator.press('Delete');
    await operator.dialog('Delete this preset?');
    await operator.press('Delete');
    await operator.page.getByRole('heading', { name: 'Presets', level: 1 }).waitFor();
    await operator.row('group_call_host').waitFor();
    assert.deepEqual(await site.server.rest('GET', '/presets?search=quiet_guest'), []);
  });

  visits(site, 'in use are deleted only with another in their place', async (visit) => {
    const { id } = await site.server.rest('POST', '/presets', { name: 'worn' });
    const { meeting, participant } = await site.server.invite({ preset: 'worn' });
    const operator = await Operator.signIn(visit, site.server, `presets/${id}`);
    await operator.press('Delete');
    await operator.dialog('Delete this preset?');
    await operator.press('Delete');
    await operator.page.locator('dialog .notice.bad').waitFor();
    await operator.choose('Its participants get', { label: 'group_call_host' });
    await operator.press('Delete');
    await operator.noDialog();
    const now = await site.server.rest('GET', `/meetings/${meeting.id}/participants/${participant.id}`);
    assert.equal(now.preset_name, 'group_call_host');
  });
});

suite('webhooks in the console', (site) => {
  visits(site, 'are made; what they were told is read and told again', async (visit) => {
    const told = [];
    let status = 400;
    const receiver = createServer((request, response) => {
      told.push(request.headers['rtk-uuid']);
      request.resume();
      request.on('end', () => response.writeHead(status).end('so it is'));
    });
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    try {
      const operator = await Operator.signIn(visit, site.server, 'webhooks');
      await operator.reads('No webhooks yet.');
      await operator.looksRight('webhooks-empty');
      await operator.page.getByRole('button', { name: 'New webhook' }).first().click();
      await operator.dialog('New webhook');
      await operator.fill('Name', 'Billing');
      await operator.fill('Address', 'nowhere');
      await operator.press('Create');
      await operator.front.locator('[aria-invalid=true]').waitFor();
      await operator.fill('Address', `http://127.0.0.1:${receiver.address().port}/hook`);
      await operator.front.getByLabel('meeting.chatSynced').uncheck();
      await operator.looksRight('webhook-new');
      await operator.press('Create');
      await operator.noDialog();
      await operator.row('Billing').waitFor();
      await operator.looksRight('webhooks');

      const guest = await visit({ viewport: { width: 480, height: 480 } });
      await guest.open(site.server.told.host);
      await guest.page.getByRole('button', { name: 'Join' }).click();
      await guest.page.locator('rtk-leave-button').waitFor();

      await operator.page.getByRole('link', { name: 'Billing' }).click();
      const row = operator.row('meeting.started');
      await row.getByText('Failed').waitFor();
      await row.getByRole('button').click();
      await operator.reads('"event": "meeting.started"');
      await operator.reads('so it is');
      await operator.looksRight('delivery');
      status = 200;
      await operator.press('Deliver again');
      await operator.front.locator('.facts').getByText('Delivered').waitFor();
      await operator.press('Done');
      await operator.looksRight('webhook');
      assert.ok(told.length > new Set(told).size, 'the same delivery came twice');
      await operator.goes('webhooks');
      await operator.press('Delete Billing');
      await operator.dialog('Delete this webhook?');
      await operator.press('Delete');
      await operator.reads('No webhooks yet.');
    } finally {
      receiver.close();
      receiver.closeAllConnections();
    }
  });
});

suite('the account in the console', (site) => {
  visits(site, 'API tokens are made, shown once, and revoked', async (visit) => {
    const operator = await Operator.signIn(visit, site.server);
    await operator.page.getByRole('link', { name: 'API tokens' }).click();
    await operator.row('muster dev').waitFor();
    await operator.press('New token');
    await operator.dialog('New API token');
    await operator.fill('Name', 'CI');
    await operator.choose('Works', '86400');
    await operator.press('Create');
    await operator.dialog('The new token');
    const secret = await operator.front.getByLabel('API token').inputValue();
    const verify = () =>
      fetch(`${site.server.origin}/client/v4/user/tokens/verify`, { headers: { authorization: `Bearer ${secret}` } });
    assert.equal((await verify()).status, 200);
    await operator.press('Done');
    await operator.row('CI').waitFor();
    await operator.looksRight('tokens');
    assert.ok(!(await operator.page.content()).includes(secret), 'it is shown once');
    await operator.press('Revoke CI');
    await operator.dialog('Revoke this token?');
    await operator.press('Revoke');
    await operator.noDialog();
    assert.equal((await verify()).status, 401);
  });

  visits(site, 'apps are made, renamed, and switched between', async (visit) => {
    const operator = await Operator.signIn(visit, site.server);
    await operator.page.getByRole('link', { name: 'Apps' }).click();
    await operator.press('New app');
    await operator.dialog('New app');
    await operator.press('Create');
    await operator.front.locator('[aria-invalid=true]').waitFor();
    await operator.fill('Name', 'Shop');
    await operator.press('Create');
    await operator.noDialog();
    await operator.press('Rename Shop');
    await operator.dialog('Rename app');
    await operator.fill('Name', 'Web shop');
    await operator.press('Rename');
    await operator.noDialog();
    await operator.row('Web shop').waitFor();
    await operator.looksRight('apps');
    await operator.page.getByLabel('App', { exact: true }).selectOption({ label: 'Web shop' });
    await operator.reads('No meetings yet.');
    await operator.looksRight('meetings-none');
  });
});

suite('the console elsewhere', (site) => {
  const screens = ['meetings', 'sessions', 'presets', 'webhooks', 'analytics'];
  const everywhere = async (operator, name) => {
    for (const screen of [...screens, `meetings/${site.server.told.meeting}`]) {
      await operator.goes(screen);
      await operator.page.getByRole('heading', { level: 1 }).waitFor();
      await operator.page.locator('[aria-busy=true]').waitFor({ state: 'detached' });
      await operator.looksRight(`${name}-${screen.includes('/') ? 'meeting' : screen}`);
      const overflow = await operator.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${screen} is ${overflow} pixels too wide`);
    }
  };

  visits(site, 'on a phone', async (visit) => {
    const operator = await Operator.signIn(visit, site.server, 'meetings', { viewport: { width: 375, height: 740 } });
    await everywhere(operator, 'phone');
    await operator.press('Menu');
    await operator.page.getByRole('link', { name: 'Presets' }).click();
    await operator.page.getByRole('heading', { name: 'Presets', level: 1 }).waitFor();
  });

  visits(site, 'in the dark', async (visit) => {
    await everywhere(await Operator.signIn(visit, site.server, 'meetings', { colorScheme: 'dark' }), 'dark');
  });

  visits(site, 'the first load is small, and nothing jumps', async (visit) => {
    const visitor = await visit({
      init: () => {
        window.jumped = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.jumped += entry.value;
        }).observe({ type: 'layout-shift', buffered: true });
      },
    });
    let bytes = 0;
    visitor.page.on('requestfinished', async (request) => {
      const { responseBodySize } = await request.sizes();
      bytes += responseBodySize;
    });
    const operator = new Operator(visitor, site.server);
    await visitor.open(site.server.origin);
    await operator.fill('API token', site.server.told.token);
    await operator.press('Sign in');
    await operator.row('First meeting').waitFor();
    await visitor.page.waitForLoadState('networkidle');
    assert.ok(bytes > 10_000 && bytes < 300_000, `${bytes} bytes`);
    console.log(`the first load of the console: ${bytes} bytes`);
    for (const screen of [...screens, `meetings/${site.server.told.meeting}`]) {
      await operator.goes(screen);
      await visitor.page.waitForLoadState('load');
      await visitor.page.locator('[aria-busy=true]').waitFor({ state: 'detached' });
      const jumped = await visitor.page.evaluate(() => window.jumped);
      assert.ok(jumped < 0.1, `${screen}: ${jumped}`);
    }
  });
});
