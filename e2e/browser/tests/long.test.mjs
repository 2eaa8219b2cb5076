import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meet, suite } from '../harness.mjs';

const SHARES = 20;
/** Sections that an offer may have at most, whatever was shared before. */
const SECTIONS_MOST = 40;
/**
 * Longest time without a new frame of the camera while the client makes its connection anew; it waits for
 * two seconds before it begins.
 */
const LONGEST_GAP_MS = 5000;

const sections = (person) =>
  person.does(() =>
    window.test.connections().map(({ localDescription }) => localDescription.sdp.split('\nm=').length - 1),
  );

suite('long meetings', () => {
  meet(test, 'descriptions stay small however often a screen is shared', async (meeting) => {
    const [ada, ben] = await meeting.joinAll('Ada', 'Ben');
    const times = [];
    let most = 0;
    await ben.does((id) => window.test.watchGaps(id), ada.id);
    for (let share = 0; share < SHARES; share += 1) {
      await ada.does(() => meeting.self.enableScreenShare());
      const begun = performance.now();
      await ben.until('the screen is seen', async (id) => (await window.test.received(id, 'screen'))?.frames > 0, ada.id);
      times.push(performance.now() - begun);
      await ada.does(() => meeting.self.disableScreenShare());
      await ben.until('the screen is gone', (id) => !meeting.participants.joined.get(id).screenShareEnabled, ada.id);
      most = Math.max(most, ...(await sections(ada)), ...(await sections(ben)));
    }
    await Promise.all([ben.sees(ada), ben.hears(ada), ada.sees(ben), ada.hears(ben)]);
    const gap = await ben.does(() => window.test.longestGap());
    const median = times.sort((a, b) => a - b)[SHARES / 2];
    console.log(`${most} sections, a share is seen after ${median.toFixed(0)} ms, longest gap ${gap.toFixed(0)} ms`);
    assert.ok(most <= SECTIONS_MOST, `${most} sections`);
    assert.ok((await sections(ada)).every((count) => count < SECTIONS_MOST / 2), 'the connection was made anew');
    assert.ok(gap < LONGEST_GAP_MS, `no frame of the camera for ${gap} ms`);
  });
});
