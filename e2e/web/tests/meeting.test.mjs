import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { startBrowser } from '../../browser/browser.mjs';
import { suite, visits } from '../harness.mjs';

suite('in a meeting', (site) => {
  /** Somebody who has joined a meeting of their own; `live` is the path of its active session. */
  const inside = async (visit, options) => {
    const invited = await site.server.invite();
    const visitor = await visit(options);
    await visitor.open(invited.link);
    await visitor.page.getByRole('button', { name: 'Join' }).click();
    await visitor.page.locator('rtk-leave-button').waitFor();
    return { visitor, ...invited, live: `/meetings/${invited.meeting.id}/active-session` };
  };

  visits(site, 'who loads the page again joins without the link', async (visit) => {
    const { visitor } = await inside(visit);
    assert.ok(!visitor.page.url().includes('token'));
    await visitor.page.reload();
    await visitor.page.getByRole('button', { name: 'Join' }).waitFor();
  });

  visits(site, 'who is kicked is told, and comes back', async (visit) => {
    const { visitor, participant, live } = await inside(visit);
    await site.server.rest('POST', `${live}/kick`, { participant_ids: [participant.id] });
    await visitor.reads('You were removed from the meeting');
    await visitor.isAccessible();
    await visitor.page.getByRole('button', { name: 'Try again' }).click();
    await visitor.page.getByRole('button', { name: 'Join' }).waitFor();
  });

  visits(site, 'who is banned is told that the link opens it no more', async (visit) => {
    const { visitor, participant, live } = await inside(visit);
    await site.server.rest('POST', `${live}/kick`, { participant_ids: [participant.id], ban: true });
    await visitor.page.getByRole('button', { name: 'Try again' }).click();
    await visitor.reads('You may not join this meeting');
  });

  visits(site, 'a server that dies is waited for, and the meeting goes on', async (visit) => {
    const { visitor } = await inside(visit);
    await site.server.halt('SIGKILL');
    const { page } = visitor;
    await page.getByText('The server does not answer. Trying again').waitFor();
    await visitor.isAccessible();
    await site.server.begin();
    await page.getByText('The server does not answer. Trying again').waitFor({ state: 'hidden' });
    await page.getByText('The server answers again.').waitFor({ state: 'hidden' });
    await visitor.until('inside again', () =>
      page.evaluate(() => document.querySelector('rtk-meeting').meeting.self.roomJoined),
    );
  });

  visits(site, 'a camera that is refused keeps nobody out', async (visit) => {
    const strict = await startBrowser({ fakeUi: false });
    try {
      const browser = await chromium.connect(strict.address);
      const { visitor } = await inside(visit, { browser });
      await visitor.page.getByText('does not give this page the microphone and the camera').waitFor();
      await visitor.isAccessible();
      await visitor.picture('meet-camera-refused');
      await browser.close();
    } finally {
      await strict.stop();
    }
  });

  visits(site, 'who is late for a meeting that was closed meanwhile is told so', async (visit) => {
    const { meeting, link } = await site.server.invite();
    const visitor = await visit();
    await visitor.open(link);
    const join = visitor.page.getByRole('button', { name: 'Join' });
    await join.waitFor();
    await site.server.rest('PATCH', `/meetings/${meeting.id}`, { status: 'INACTIVE' });
    await join.click();
    await visitor.reads('This meeting is not active');
  });

  visits(site, 'the link that would tell a foreign host the token is not shown', async (visit) => {
    const { meeting, link } = await site.server.invite();
    const visitor = await visit();
    await visitor.open(link);
    const join = visitor.page.getByRole('button', { name: 'Join' });
    await join.waitFor();
    await site.server.rest('PATCH', `/meetings/${meeting.id}`, { status: 'INACTIVE' });
    // The page would find out why.
    await visitor.context.route('**/v2/**', (route) => route.abort());
    await join.click();
    const trouble = visitor.page.locator('rtk-setup-screen .troubleshoot-link');
    await trouble.waitFor({ state: 'attached' });
    assert.match(await trouble.getAttribute('href'), /authToken=eyJ/);
    assert.ok(!(await trouble.isVisible()));
    const left = await trouble.evaluate((element) => {
      const click = new MouseEvent('click', { bubbles: true, cancelable: true, composed: true });
      return element.dispatchEvent(click);
    });
    assert.equal(left, false, 'a click goes nowhere');
  });

  visits(site, 'what the kit would ask of foreign hosts is refused, and nothing else', async (visit) => {
    const { visitor, meeting } = await inside(visit);
    const { token } = await site.server.rest('POST', `/meetings/${meeting.id}/participants`, {
      name: 'Grace',
      preset_name: 'group_call_participant',
      custom_participant_id: 'grace',
      picture: 'https://pictures.example.org/grace.png',
    });
    const other = await visit();
    await other.open(`${site.server.origin}/meet/${meeting.id}#token=${token}`);
    await other.page.getByRole('button', { name: 'Join' }).click();
    await visitor.until('the picture is refused', () => visitor.refused.some(([, what]) => what.includes('grace.png')));
    const foreign = ([directive, what]) =>
      (directive === 'media-src' && /^https:\/\/rtk-(assets|uploads)\./.test(what)) ||
      (directive === 'img-src' && what === 'https://pictures.example.org/grace.png') ||
      (directive === 'style-src-elem' && what.startsWith('https://fonts.googleapis.com/'));
    for (const { refused } of [visitor, other]) assert.deepEqual(refused.filter((one) => !foreign(one)), []);
  });
});
