import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meet, suite } from '../harness.mjs';

/** How often a screen is shared, every other time with its sound, and a camera switched. */
const CYCLES = Number(process.env.MUSTER_BROWSER_CYCLES ?? 20);
const CYCLE_MS = 5000;
/**
 * Sections that an offer of the client may have, whatever was shared before: the two that it begins with, and twice those
 * of microphone, camera, a screen and its sound, of which some wait to be used again.
 */
const SECTIONS_MOST = 10;
/** How long no sound may come. (Pictures the server holds back on a machine that is too busy.) */
const SILENCE_MOST_MS = 1000;
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

/** Waits until something of somebody is decoded, which has not come before. */
const begins = (person, other, what) =>
  person.does(
    async ([id, kind]) => {
      const decoded = ({ frames, energy }) => (kind === 'screen sound' ? energy : frames) > 0;
      while (!decoded((await window.test.received(id, kind)) ?? {})) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    [other.id, what],
  );

const is = (person, other, flag, value) =>
  person.until(`${flag} is ${value}`, ([id, name, wanted]) => meeting.participants.joined.get(id)[name] === wanted, [other.id, flag, value]);

const isElsewhere = (person, other, what, place) =>
  person.until(
    `${what} comes elsewhere`,
    async ([id, kind, before]) => ![undefined, before].includes((await window.test.received(id, kind))?.mid),
    [other.id, what, place],
  );

suite('long meetings', () => {
  meet(test, 'descriptions stay small however often a screen is shared and a camera switched', async (meeting) => {
    const [ada, ben] = await meeting.joinAll('Ada', 'Ben');
    const weights = [];
    const times = [];
    const made = () => Promise.all([ada, ben].map((person) => person.does(() => window.test.connectionsMade())));
    const before = await made();
    await ben.does((id) => {
      window.test.watchGaps(id);
      void window.test.watchSilence(id);
    }, ada.id);
    const share = async (sound) => {
      await ada.does((wanted) => window.test.shareSound(wanted), sound);
      const begun = performance.now();
      await ada.does(() => meeting.self.enableScreenShare());
      await begins(ben, ada, 'screen');
      times.push(performance.now() - begun);
      if (sound) await begins(ben, ada, 'screen sound');
      weights.push(await weigh([ada, ben]));
      await ada.does(() => meeting.self.disableScreenShare());
      await is(ben, ada, 'screenShareEnabled', false);
    };
    for (let cycle = 0; cycle < CYCLES; cycle += 1) await share(cycle % 2 === 0);
    const gap = await ben.does(() => window.test.longestGap());
    for (let cycle = 0; cycle < CYCLES; cycle += 1) {
      await ada.does(() => meeting.self.disableVideo());
      await is(ben, ada, 'videoEnabled', false);
      await ada.does(() => meeting.self.enableVideo());
      await begins(ben, ada, 'video');
      weights.push(await weigh([ada, ben]));
    }
    await ben.hears(ada);
    const silence = await ben.does(() => window.test.longestSilence());
    assert.deepEqual(await made(), before, 'a connection was made anew');

    // After a cut everything is sent anew, the microphone first.
    const kinds = ['audio', 'video'];
    const places = await Promise.all(kinds.map(async (kind) => (await ben.received(ada, kind)).mid));
    await ada.does(() => window.test.cutSocket());
    await Promise.all(kinds.map((kind, at) => isElsewhere(ben, ada, kind, places[at])));
    await Promise.all([begins(ben, ada, 'video'), ben.hears(ada)]);
    await share(true);
    await share(false);

    const sections = Math.max(...weights.map((weight) => weight.sections));
    const growth = Math.max(...weights.slice(SETTLED).map(({ bytes }) => bytes)) / weights[SETTLED - 1].bytes;
    const [first, last] = [median(times.slice(0, CYCLES / 2)), median(times.slice(CYCLES / 2, CYCLES))];
    console.log(
      `${CYCLES} cycles: ${sections} sections at most, the server's offers grow ${growth.toFixed(2)} times, ` +
        `a share is seen after ${first.toFixed(0)} then ${last.toFixed(0)} ms, ` +
        `no picture for ${gap.toFixed(0)} ms at most, no sound for ${silence.toFixed(0)} ms`,
    );
    assert.ok(sections <= SECTIONS_MOST, `${sections} sections`);
    assert.ok(growth <= GROWTH_MOST, `${growth} times the size`);
    assert.ok(last <= SLOWER_MOST * first, `${last} ms after ${first} ms`);
    assert.ok(silence <= SILENCE_MOST_MS, `no sound for ${silence} ms`);
  }, 2 * CYCLES * CYCLE_MS);
});
