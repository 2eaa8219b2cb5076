import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { meet, newPreset, suite } from '../harness.mjs';

const PRESET = 'several_sizes';
/** Longest time without a new frame while the size of the picture changes. */
const LONGEST_GAP_MS = 1000;

/** Gives a tile a width. The SDK then wishes for the layer that fits. */
const tile = (person, other, width) =>
  person.does(
    ([id, pixels]) => {
      const { style } = document.getElementById(`video-${id}`);
      Object.assign(style, { width: `${pixels}px`, height: `${(pixels * 9) / 16}px` });
    },
    [other.id, width],
  );

/** Waits until the decoded picture of somebody fits; answers its width. */
const becomes = (person, other, what, [least, most]) =>
  person.until(
    `the picture of ${other.name} is ${what}`,
    async ([id, from, to]) => {
      const video = await window.test.received(id, 'video');
      return video?.width >= from && video.width <= to && video.width;
    },
    [other.id, least, most],
  );

suite('simulcast', () => {
  before(() =>
    newPreset(PRESET, 'group_call_host', {
      config: { media: { video: { quality: 'hd', frame_rate: 15, simulcast: true } } },
    }),
  );

  meet(test, 'the layer follows the size of the tile, without a freeze', async (meeting) => {
    const ada = await meeting.join('Ada', { preset: PRESET });
    const ben = await meeting.join('Ben', { preset: PRESET, video: false });
    await ben.sees(ada);
    const layers = await ada.until('several layers are encoded', async () => {
      const video = (await window.test.sent()).filter(({ kind, framesEncoded }) => kind === 'video' && framesEncoded > 0);
      return video.length > 1 && video.map(({ rid, frameWidth }) => [rid, frameWidth]);
    });
    const widths = layers.map(([, width]) => width).sort((a, b) => a - b);
    await tile(ben, ada, 160);
    const small = await becomes(ben, ada, 'small', [1, 400]);
    await ben.does((id) => window.test.watchGaps(id), ada.id);
    await tile(ben, ada, 1280);
    const large = await becomes(ben, ada, 'large', [401, 4000]);
    await ben.sees(ada);
    await tile(ben, ada, 160);
    await becomes(ben, ada, 'small again', [1, 400]);
    await ben.sees(ada);
    const gap = await ben.does(() => window.test.longestGap());
    console.log(`layers ${widths}; ${small} to ${large} and back, longest gap ${gap.toFixed(0)} ms`);
    assert.ok(gap < LONGEST_GAP_MS, `no frame for ${gap} ms`);
  });
});
