import assert from 'node:assert/strict';
import { Operator } from '../console.mjs';
import { suite, visits } from '../harness.mjs';

suite('a live meeting in the console', (site) => {
  /** Somebody in the first meeting by a link that `muster dev` printed, with a microphone and no camera. */
  const joined = async (visit, who) => {
    const person = await visit({ viewport: { width: 480, height: 480 } });
    await person.open(site.server.told[who]);
    const join = person.page.getByRole('button', { name: 'Join' });
    await join.waitFor();
    await person.page.evaluate(() => document.querySelector('rtk-meeting').meeting.self.disableVideo());
    await join.click();
    await person.page.locator('rtk-leave-button').waitFor();
    return person;
  };
  const inside = (person, check) => person.page.evaluate(check);

  visits(site, 'shows who is in; they are muted, kicked, and sent home', async (visit) => {
    const { meeting } = site.server.told;
    const operator = await Operator.signIn(visit, site.server, `meetings/${meeting}`);
    await operator.reads('Nobody is in.');
    const [host, guest] = [await joined(visit, 'host'), await joined(visit, 'guest')];
    const roster = operator.page.getByRole('region', { name: 'In the meeting now' });
    await roster.getByText('2 people').waitFor();
    await roster.getByRole('button', { name: 'Kick Grace' }).waitFor();
    await operator.looksRight('live');

    const unmuted = () => document.querySelector('rtk-meeting').meeting.self.audioEnabled;
    await guest.until('the guest speaks', () => inside(guest, unmuted));
    await roster.getByRole('button', { name: 'Mute Grace' }).click();
    await guest.until('the guest is muted', async () => !(await inside(guest, unmuted)));
    await roster.getByRole('button', { name: 'Mute all' }).click();
    await operator.dialog('Mute everybody?');
    await operator.press('Mute all');
    await host.until('the host is muted', async () => !(await inside(host, unmuted)));
    await operator.noDialog();

    await roster.getByRole('button', { name: 'Kick Grace' }).click();
    await operator.dialog('Kick this participant?');
    await operator.looksRight('kick');
    await operator.press('Kick');
    await guest.reads('You were removed from the meeting');
    await roster.getByText('1 person').waitFor();

    await roster.getByRole('button', { name: 'End for all' }).click();
    await operator.dialog('End the meeting for all?');
    await operator.press('End for all');
    await operator.reads('Nobody is in.');
    const [session] = (await site.server.rest('GET', '/sessions')).sessions;
    assert.equal(session.status, 'ENDED');
  });

  visits(site, 'is a picture of who was in when, with its chat, and counts in the analytics', async (visit) => {
    const { meeting } = site.server.told;
    const host = await joined(visit, 'host');
    await inside(host, () => document.querySelector('rtk-meeting').meeting.chat.sendTextMessage('Good morning'));
    const operator = await Operator.signIn(visit, site.server, `meetings/${meeting}`);
    await operator.page.getByRole('link', { name: 'Show' }).click();
    await operator.pick('Live');
    await operator.hasRows('First meeting');
    await operator.page.getByRole('link', { name: 'First meeting' }).click();
    await operator.page.getByRole('img', { name: /^Ada: .* to now/ }).waitFor();
    await site.server.rest('POST', `/meetings/${meeting}/active-session/kick-all`);
    await operator.press('Refresh');
    await operator.page.locator('.timeline-bar:not(.live)').waitFor();
    await operator.looksRight('session');
    await operator.press('Export chat');
    const chat = await operator.page.getByRole('link', { name: 'Download chat (CSV)' }).getAttribute('href');
    assert.match(await (await fetch(chat)).text(), /Good morning/);
    await operator.goes('sessions');
    await operator.row('First meeting').first().waitFor();
    await operator.looksRight('sessions');

    await operator.goes('analytics');
    await operator.page.locator('.chart-bar').first().waitFor();
    await operator.page.getByText('As a table').first().click();
    await operator.looksRight('analytics');
    await operator.pick('Other');
    await operator.page.getByLabel('From').fill('2026-01-01');
    await operator.page.locator('.chart-day').first().waitFor();
    await operator.looksRight('analytics-other');
  });

  visits(site, 'is asked for every two seconds, and not while the tab is hidden', async (visit) => {
    const operator = await Operator.signIn(visit, site.server);
    const asked = [];
    operator.page.on('request', (request) => request.url().includes('/sessions?') && asked.push(performance.now()));
    await operator.goes(`meetings/${site.server.told.meeting}`);
    await operator.visitor.until('asked three times', () => asked.length >= 3);
    const gap = asked[2] - asked[1];
    assert.ok(gap > 1900 && gap < 6000, `${gap} ms`);
    const hide = (hidden) =>
      operator.page.evaluate((value) => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => value });
        document.dispatchEvent(new Event('visibilitychange'));
      }, hidden);
    await hide(true);
    await operator.page.waitForLoadState('networkidle');
    const before = asked.length;
    await operator.page.waitForTimeout(5000); // Nothing is what is awaited: two turns pass without.
    assert.equal(asked.length, before);
    await hide(false);
    await operator.visitor.until('asked again', () => asked.length > before);
  });
});
