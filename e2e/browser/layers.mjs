// Pictures that are sent in several sizes, and which of them somebody sees.

import assert from 'node:assert/strict';
import { newPreset } from './harness.mjs';

/** Longest time without a new frame while the size of the picture changes. */
export const LONGEST_GAP_MS = 1000;
/** Widths of the picture's layers. */
export const SMALL = [1, 400];
export const LARGE = [401, 4000];

/**
 * The layers of a host who sends a picture in two sizes, which are the two that the SDK asks for by the size of tiles, and
 * little enough for one machine that encodes for several people. Bit rates are in bits per second.
 */
export const TWO_SIZES = [
  { rid: 'h', scaleResolutionDownBy: 1, maxBitrate: 600_000 },
  { rid: 'q', scaleResolutionDownBy: 2, maxBitrate: 100_000 },
];

/** Makes the preset of a host who sends a picture in several sizes. */
export async function severalSizes(name, quality = 'vga') {
  await newPreset(name, 'group_call_host', {
    config: { media: { video: { quality, frame_rate: 15, simulcast: true } } },
  });
}

/** Gives a tile a width. The SDK then wishes for the layer that fits. */
export const tile = (person, other, width) =>
  person.does(
    ([id, pixels]) => {
      const { style } = document.getElementById(`video-${id}`);
      Object.assign(style, { width: `${pixels}px`, height: `${(pixels * 9) / 16}px` });
    },
    [other.id, width],
  );

/** Waits until the decoded picture of somebody fits; answers its width. */
export const becomes = (person, other, what, [least, most], patience) =>
  person.until(
    `the picture of ${other.name} is ${what}`,
    async ([id, from, to]) => {
      const video = await window.test.received(id, 'video');
      return video?.width >= from && video.width <= to && video.width;
    },
    [other.id, least, most],
    patience,
  );

/** Waits until somebody sends several layers; answers their widths. */
export const sentWidths = async (person) => {
  const widths = await person.until('several layers are encoded', async () => {
    const video = (await window.test.sent()).filter(({ kind, framesEncoded }) => kind === 'video' && framesEncoded > 0);
    return video.length > 1 && video.map(({ frameWidth }) => frameWidth);
  });
  return widths.sort((a, b) => a - b);
};

/** Has somebody see another's picture small, large and small again, without a freeze. */
export async function followsTile(person, other) {
  const widths = await sentWidths(other);
  await tile(person, other, 160);
  const small = await becomes(person, other, 'small', SMALL);
  await person.watches(other);
  await tile(person, other, 1280);
  const large = await becomes(person, other, 'large', LARGE);
  await person.sees(other);
  await tile(person, other, 160);
  await becomes(person, other, 'small again', SMALL);
  await person.sees(other);
  const gap = await person.longestGap(other);
  console.log(`layers ${widths}; ${small} to ${large} and back, longest gap ${gap.toFixed(0)} ms`);
  assert.ok(gap < LONGEST_GAP_MS, `no frame for ${gap} ms`);
}
