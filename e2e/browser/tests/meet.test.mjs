import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everybodyMeets, meet, suite } from '../harness.mjs';

suite('meeting', () => {
  meet(test, 'two people see and hear each other', async (meeting) => {
    const ada = await meeting.join('Ada');
    const ben = await meeting.signIn('Ben');
    const joined = await ben.join();
    const seen = await ben.does((id) => window.test.firstFrame(id), ada.id);
    await everybodyMeets([ada, ben]);
    console.log(`joined after ${joined.toFixed(0)} ms, first frame after ${seen.toFixed(0)} ms`);
    assert.ok(seen < 10_000);
  });

  meet(test, 'four people see and hear each other', async (meeting) => {
    await meeting.joinAll('Ada', 'Ben', 'Cem', 'Dua');
  });
});
