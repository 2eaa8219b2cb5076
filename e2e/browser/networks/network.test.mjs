// How a narrow or bad network is dealt with goes by the clock of real browsers, which a busy machine disturbs. So these tests
// run by themselves (`make networks`); those of `crates/sfu` tell the same stories in virtual time, with every change.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { meet, suite } from '../harness.mjs';
import { becomes, LARGE, LONGEST_GAP_MS, severalSizes, SMALL, tile, TWO_SIZES } from '../layers.mjs';
import { Network } from '../network.mjs';

const PRESET = 'several_sizes_over_networks';
const TEST_MS = 120_000;
/** Less than the larger picture takes. */
const NARROW = 300_000;
/** How long a bad network is looked at. */
const BAD_MS = 8_000;
const LOSS = 0.05;
/** One way. */
const FAR_MS = 50;
/** The part of the sound that is heard over a narrow network, once that is found out. */
const HEARD = 0.99;
/** The same until then, in some seconds; the longest time without a new frame, and how long after that the last of it is gone. */
const FINDING_OUT_HEARD = 0.85;
const FINDING_OUT_GAP_MS = 5000;
const SETTLED_MS = 5000;
/** How long it may take until a smaller picture is seen, and until the larger one is again. */
const DOWN_MS = 10_000;
const UP_MS = 45_000;

/** Counts the packets of sound that somebody gets of another; answers which part of what was handed on that was. */
async function counts(person, other) {
  const sentBefore = await other.does(() => window.test.soundSent());
  const before = await person.received(other, 'audio');
  return async () => {
    const sent = (await other.does(() => window.test.soundSent())) - sentBefore;
    const now = await person.received(other, 'audio');
    const [got, lost] = [now.packets - before.packets, now.lost - before.lost];
    // The two pages are not asked at the same moment.
    assert.ok(got + lost >= 0.9 * sent, `of ${sent} packets ${got} came and ${lost} are missed`);
    return got / (got + lost);
  };
}

/** Ada sends a picture in two sizes, the others sound alone; Cem has a network of his own. They look closely. */
async function withNetwork(meeting) {
  const network = new Network();
  const ada = await meeting.join('Ada', { preset: PRESET, layers: TWO_SIZES });
  const ben = await meeting.join('Ben', { video: false });
  const cem = await meeting.join('Cem', { video: false, network });
  for (const who of [ben, cem]) {
    await who.sees(ada);
    await tile(who, ada, 1280);
    await becomes(who, ada, 'large', LARGE);
  }
  await Promise.all([cem.hears(ada), cem.hears(ben), ada.hears(cem), ben.hears(cem), ada.hears(ben)]);
  return { ada, ben, cem, network };
}

/** Nothing of what Ben sees and both hear of each other is lost until what this answers is called. */
async function unharmed(ada, ben) {
  const streams = [[ben, ada, 'video'], [ben, ada, 'audio'], [ada, ben, 'audio']];
  const lost = () => Promise.all(streams.map(async ([who, whom, what]) => (await who.received(whom, what)).lost));
  const before = await lost();
  return async () => {
    assert.deepEqual(await lost(), before, `of ${streams.map(([who, whom, what]) => `${whom.name}'s ${what} at ${who.name}`)}`);
  };
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What Cem sees of Ada and hears of both while something happens. */
async function during({ ada, ben, cem }, what, happens) {
  await cem.watches(ada);
  const heard = [await counts(cem, ada), await counts(cem, ben)];
  const begun = performance.now();
  await happens();
  const seconds = (performance.now() - begun) / 1000;
  const gap = await cem.longestGap(ada);
  const part = Math.min(...(await Promise.all(heard.map((count) => count()))));
  console.log(`${what}, ${seconds.toFixed(1)} s: heard ${(100 * part).toFixed(2)} %, longest gap ${gap.toFixed(0)} ms`);
  return { gap, part };
}

function assertGood({ gap, part }, least) {
  assert.ok(part >= least, `heard ${part}`);
  assert.ok(gap < LONGEST_GAP_MS, `no frame for ${gap} ms`);
}

suite('a bad network', () => {
  before(() => severalSizes(PRESET));

  meet(
    test,
    'who has a narrow one hears everything and sees a smaller picture meanwhile, and the others all',
    async (meeting) => {
      const all = await withNetwork(meeting);
      const { ada, ben, cem, network } = all;
      const others = await unharmed(ada, ben);
      network.become({ down: { rate: NARROW } });
      const found = await during(all, 'found out to be narrow', async () => {
        await becomes(cem, ada, 'small', SMALL, DOWN_MS);
        await pause(SETTLED_MS);
      });
      assert.ok(found.gap < FINDING_OUT_GAP_MS, `no frame for ${found.gap} ms`);
      assert.ok(found.part >= FINDING_OUT_HEARD, `heard ${found.part}`);
      const then = await during(all, 'narrow and wide again', async () => {
        await pause(BAD_MS);
        await Promise.all([cem.sees(ada), becomes(ben, ada, 'large for Ben', LARGE), becomes(cem, ada, 'still small', SMALL)]);
        network.become();
        await becomes(cem, ada, 'large again', LARGE, UP_MS);
      });
      assertGood(then, HEARD);
      await others();
    },
    TEST_MS,
  );

  meet(
    test,
    'who has one that is far and loses packets sees no freeze, and the others nothing of it',
    async (meeting) => {
      const all = await withNetwork(meeting);
      const { ada, ben, cem, network } = all;
      const others = await unharmed(ada, ben);
      network.become({ down: { loss: LOSS, delay: FAR_MS }, up: { loss: LOSS, delay: FAR_MS } });
      const bad = await during(all, 'far and lossy', async () => {
        await pause(BAD_MS);
        await Promise.all([cem.sees(ada), cem.hears(ada), cem.hears(ben), ada.hears(cem), ben.hears(cem)]);
        await becomes(ben, ada, 'large for Ben', LARGE);
      });
      // What was lost is lost: sound is not sent again, and some is on its way.
      assertGood(bad, 1 - 2 * LOSS);
      await others();
    },
    TEST_MS,
  );
});
