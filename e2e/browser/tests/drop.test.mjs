import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everybodyMeets, meet, suite } from '../harness.mjs';

/** The client first has to learn that its packets are not answered, and waits two seconds more. */
const RECOVERY_MS = 20_000;
/** Longest time without a new frame between those whom it does not concern. */
const LONGEST_GAP_MS = 1000;

/** Drops a connection of Cem at the server. Ada and Ben notice nothing; Cem is back by himself. */
async function drop(meeting, direction) {
  const [ada, ben, cem] = await meeting.joinAll('Ada', 'Ben', 'Cem');
  const pairs = [
    [ada, ben],
    [ben, ada],
  ];
  const lost = () => Promise.all(pairs.map(([a, b]) => a.does((id) => window.test.lost([id]), b.id)));
  const tracks = () => Promise.all(pairs.map(async ([a, b]) => (await a.received(b, 'video')).track));
  const before = [await lost(), await tracks()];
  for (const [a, b] of pairs) await a.does((id) => window.test.watchGaps(id), b.id);

  const begun = performance.now();
  await cem.does((which) => window.test.dropConnection(which), direction);
  const stopped = direction === 'send' ? [ada, cem] : [cem, ada];
  await stopped[0].receivesNothing(stopped[1], 'video');
  const gone = performance.now() - begun;
  await stopped[0].sees(stopped[1], 'video', RECOVERY_MS);
  const back = performance.now() - begun;
  await everybodyMeets([ada, ben, cem]);

  const gaps = await Promise.all(pairs.map(([a]) => a.does(() => window.test.longestGap())));
  console.log(`${direction}: noticed after ${gone.toFixed(0)}, back after ${back.toFixed(0)} ms; longest gap of others ${Math.max(...gaps).toFixed(0)} ms`);
  assert.deepEqual([await lost(), await tracks()], before, 'the others lose nothing');
  assert.ok(Math.max(...gaps) < LONGEST_GAP_MS, `no frame for ${gaps} ms`);
}

suite('a connection that the server drops', () => {
  meet(test, 'the sending one is made anew, and the others keep every packet', (meeting) => drop(meeting, 'send'));
  meet(test, 'the receiving one is made anew, and the others keep every packet', (meeting) => drop(meeting, 'receive'));
});
