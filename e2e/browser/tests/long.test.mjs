import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meet, suite } from '../harness.mjs';

/** How often a screen is shared and a camera switched. */
const CYCLES = Number(process.env.MUSTER_BROWSER_CYCLES ?? 20);
const CYCLE_MS = 5000;
/** Sections that an offer of the client may have at most, whatever was shared before. */
const SECTIONS_MOST = 40;
/** Longest time without a new frame of the camera, should the client make its connection anew: it waits for two seconds first. */
const LONGEST_GAP_MS = 5000;
/** The cycle by which the size of descriptions has settled, and how much larger they may then become. */
const SETTLED = 5;
const GROWTH_MOST = 2;
/** How much longer it may take in the end until a screen is seen. */
const SLOWER_MOST = 1.5;

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Of each connection of somebody: the sections of the client's description, and the bytes of the server's offer. */
const descriptions = (person) =>
  person.does(() =>
    window.test.connections().map(({ localDescription, remoteDescription }) => ({
      sections: localDescription.sdp.split('\nm=').length - 1,
      bytes: remoteDescription.type === 'offer' ? remoteDescription.sdp.length : 0,
    })),
  );

/** Keeps the greatest of both over the people. */
async function weigh(people) {
  const all = (await Promise.all(people.map(descriptions))).flat();
  const most = (what) => Math.max(...all.map((one) => one[what]));
  return { sections: most('sections'), bytes: most('bytes') };
}

/** Waits until the first frame of something of somebody is decoded, which has not come before. */
const begins = (person, other, what) =>
  person.does(
    async ([id, kind]) => {
      while (!((await window.test.received(id, kind))?.frames > 0)) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    [other.id, what],
  );

const is = (person, other, flag, value) =>
  person.until(`${flag} is ${value}`, ([id, name, wanted]) => meeting.participants.joined.get(id)[name] === wanted, [other.id, flag, value]);

suite('long meetings', () => {
  meet(test, 'descriptions stay small however often a screen is shared and a camera switched', async (meeting) => {
    const [ada, ben] = await meeting.joinAll('Ada', 'Ben');
    const weights = [];
    const times = [];
    await ben.does((id) => window.test.watchGaps(id), ada.id);
    for (let cycle = 0; cycle < CYCLES; cycle += 1) {
      const begun = performance.now();
      await ada.does(() => meeting.self.enableScreenShare());
      await begins(ben, ada, 'screen');
      times.push(performance.now() - begun);
      await ada.does(() => meeting.self.disableScreenShare());
      await is(ben, ada, 'screenShareEnabled', false);
      weights.push(await weigh([ada, ben]));
    }
    const gap = await ben.does(() => window.test.longestGap());
    for (let cycle = 0; cycle < CYCLES; cycle += 1) {
      await ada.does(() => meeting.self.disableVideo());
      await is(ben, ada, 'videoEnabled', false);
      await ada.does(() => meeting.self.enableVideo());
      await begins(ben, ada, 'video');
      weights.push(await weigh([ada, ben]));
    }
    await Promise.all([ben.sees(ada), ben.hears(ada), ada.sees(ben), ada.hears(ben)]);

    const sections = Math.max(...weights.map((weight) => weight.sections));
    const growth = Math.max(...weights.slice(SETTLED).map(({ bytes }) => bytes)) / weights[SETTLED - 1].bytes;
    const [first, last] = [median(times.slice(0, CYCLES / 2)), median(times.slice(-CYCLES / 2))];
    console.log(
      `${CYCLES} cycles: ${sections} sections at most, the server's offers grow ${growth.toFixed(2)} times, ` +
        `a share is seen after ${first.toFixed(0)} then ${last.toFixed(0)} ms, longest gap ${gap.toFixed(0)} ms`,
    );
    assert.ok(sections <= SECTIONS_MOST, `${sections} sections`);
    assert.ok(growth <= GROWTH_MOST, `${growth} times the size`);
    assert.ok(last <= SLOWER_MOST * first, `${last} ms after ${first} ms`);
    assert.ok(gap <= LONGEST_GAP_MS, `no frame of the camera for ${gap} ms`);
  }, 2 * CYCLES * CYCLE_MS);
});
