import assert from 'node:assert/strict';
import { newToken, Operator, revoke } from '../console.mjs';
import { suite, visits } from '../harness.mjs';

suite('signing in to the console', (site) => {
  visits(site, 'a token that does not work is told beside its field', async (visit) => {
    const operator = new Operator(await visit(), site.server);
    await operator.visitor.open(site.server.origin);
    await operator.looksRight('sign-in');
    await operator.press('Sign in');
    await operator.reads('Paste an API token.');
    await operator.fill('API token', 'muster_no-such-token');
    await operator.press('Sign in');
    await operator.reads('This API token does not work.');
    const field = operator.page.getByLabel('API token');
    assert.equal(await field.getAttribute('aria-invalid'), 'true');
    assert.ok(await field.evaluate((input) => input === document.activeElement), 'the field has the focus');
    await operator.looksRight('sign-in-refused');
  });

  visits(site, 'the token is kept for the tab alone, until one signs out', async (visit) => {
    const operator = await Operator.signIn(visit, site.server);
    await operator.looksRight('meetings');
    await operator.page.reload();
    await operator.page.getByRole('heading', { name: 'Meetings', level: 1 }).waitFor();
    const other = await operator.visitor.context.newPage();
    await other.goto(operator.page.url());
    await other.getByRole('heading', { name: 'Muster console' }).waitFor();
    await operator.press('Sign out');
    await operator.page.getByRole('heading', { name: 'Muster console' }).waitFor();
    assert.equal(await operator.page.evaluate(() => sessionStorage.length), 0);
  });

  visits(site, 'who holds a token that is revoked meanwhile is signed out and told why', async (visit) => {
    const token = await newToken(site.server);
    const operator = await Operator.signIn(visit, site.server, 'meetings', { token });
    await operator.page.getByRole('link', { name: 'API tokens' }).click();
    await operator.reads('Only a token with the permission Realtime Admin');
    await revoke(site.server, token);
    await operator.page.getByRole('link', { name: 'Sessions' }).click();
    await operator.reads('The API token is no longer good.');
  });

  visits(site, 'by the keyboard alone', async (visit) => {
    const operator = new Operator(await visit(), site.server);
    await operator.visitor.open(site.server.origin);
    const { keyboard } = operator.page;
    await operator.page.getByLabel('API token').waitFor();
    await keyboard.type(site.server.told.token);
    await keyboard.press('Enter');
    const heading = operator.page.getByRole('heading', { name: 'Meetings', level: 1 });
    await heading.waitFor();
    await operator.visitor.until('the heading has the focus', () =>
      heading.evaluate((h1) => h1 === document.activeElement),
    );
    await operator.row('First meeting').getByRole('button', { name: 'Delete First meeting' }).focus();
    await keyboard.press('Enter');
    await operator.dialog('Delete this meeting?');
    await keyboard.press('Escape');
    await operator.noDialog();
    const focused = await operator.page.evaluate(() => document.activeElement.getAttribute('aria-label'));
    assert.equal(focused, 'Delete First meeting', 'the focus is back where it was');
  });

  visits(site, 'what takes longer than a moment shows that it is under way', async (visit) => {
    const operator = await Operator.signIn(visit, site.server);
    let release;
    const held = new Promise((resolve) => (release = resolve));
    await operator.page.route('**/presets?**', async (route) => {
      await held;
      await route.continue();
    });
    await operator.page.getByRole('link', { name: 'Presets' }).click();
    await operator.page.getByRole('status', { name: 'Loading' }).waitFor();
    assert.ok((await operator.page.locator('.skeleton').count()) > 0);
    await operator.looksRight('loading');
    release();
    await operator.row('group_call_host').waitFor();
    await operator.page.locator('.progress-bar').waitFor({ state: 'detached' });
  });

  visits(site, 'a server that is away is told, with a way to try again', async (visit) => {
    const token = await newToken(site.server);
    const operator = await Operator.signIn(visit, site.server, 'meetings', { token });
    await site.server.halt();
    await operator.page.getByRole('link', { name: 'Presets' }).click();
    await operator.reads('The server cannot be reached.');
    await operator.looksRight('server-away');
    await site.server.begin();
    await operator.press('Try again');
    await operator.reads('group_call_host');
  });
});
