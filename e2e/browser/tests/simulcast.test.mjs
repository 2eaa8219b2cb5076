import { before, test } from 'node:test';
import { meet, suite } from '../harness.mjs';
import { followsTile, severalSizes } from '../layers.mjs';

const PRESET = 'several_sizes';

suite('simulcast', () => {
  before(() => severalSizes(PRESET, 'hd'));

  meet(test, 'the layer follows the size of the tile, without a freeze', async (meeting) => {
    const ada = await meeting.join('Ada', { preset: PRESET });
    const ben = await meeting.join('Ben', { preset: PRESET, video: false });
    await ben.sees(ada);
    await followsTile(ben, ada);
  });
});
