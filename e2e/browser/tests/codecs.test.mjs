import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { everybodyMeets, meet, suite } from '../harness.mjs';
import { followsTile, severalSizes, TWO_SIZES } from '../layers.mjs';

const PRESET = 'several_sizes_of_codecs';
// Without a mode Chromium puts all sizes of VP9 into one stream.
const VP9_SIZES = TWO_SIZES.map((layer) => ({ ...layer, scalabilityMode: 'L1T1' }));

/** What somebody decodes is what the other encodes, and that is the codec. */
async function getsAs(codec, person, other) {
  const received = await person.sees(other);
  assert.equal(received.codec, codec, `what ${person.name} gets of ${other.name}`);
  const sent = (await other.does(() => window.test.sent())).filter(({ kind, bytesSent }) => kind === 'video' && bytesSent > 0);
  assert.deepEqual([...new Set(sent.map((stream) => stream.codec))], [codec], `what ${other.name} sends`);
}

/** A sender of several sizes by a codec, another of one size, and one of VP8, as the SDK does by itself. */
async function join(meeting, codec, layers) {
  const ada = await meeting.join('Ada', { preset: PRESET, codec, layers });
  const ben = await meeting.join('Ben', { codec });
  const cem = await meeting.join('Cem');
  await everybodyMeets([ada, ben, cem]);
  await Promise.all([getsAs(codec, ben, ada), getsAs(codec, cem, ada), getsAs(codec, ada, ben), getsAs('video/VP8', ada, cem)]);
  return [ada, ben];
}

suite('codecs', () => {
  before(() => severalSizes(PRESET));

  meet(test, 'H.264 is seen in the size that fits', async (meeting) => {
    const [ada, ben] = await join(meeting, 'video/H264', TWO_SIZES);
    await followsTile(ben, ada);
  });

  meet(test, 'VP9 is seen in the size that fits', async (meeting) => {
    const [ada, ben] = await join(meeting, 'video/VP9', VP9_SIZES);
    await followsTile(ben, ada);
  });

  meet(test, 'VP9 with all sizes in one stream is seen', async (meeting) => {
    await join(meeting, 'video/VP9', TWO_SIZES);
  });
});
