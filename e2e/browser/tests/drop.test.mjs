import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everybodyMeets, meet, suite } from '../harness.mjs';

/** The browser checks every 2.5 seconds and learns then that it is refused; the client may wait two seconds more. */
const RECOVERY_MS = 8_000;

/** Watches that somebody gets every packet of sound of another, by the same track. */
async function watch(person, other) {
  const from = await person.received(other, 'audio');
  const sentBefore = await other.does(() => window.test.soundSent());
  return async () => {
    const sent = (await other.does(() => window.test.soundSent())) - sentBefore;
    await person.until(
      `all ${sent} packets of ${other.name}`,
      async ([id, track, packets]) => {
        const now = await window.test.received(id, 'audio');
        return now.track === track && now.packets >= packets;
      },
      [other.id, from.track, from.packets + sent],
    );
    const { lost } = await person.received(other, 'audio');
    assert.equal(lost, from.lost, `${person.name} lost packets of ${other.name}`);
  };
}

/** Drops a connection of Cem at the server. Ada and Ben notice nothing; Cem is back by himself. */
async function drop(meeting, direction) {
  const people = await meeting.joinAll('Ada', 'Ben', 'Cem');
  const [ada, ben, cem] = people;
  // The sound: of a picture the server may rightly hand on less than is sent.
  const watched = await Promise.all([watch(ada, ben), watch(ben, ada)]);
  const [who, whom] = direction === 'send' ? [ada, cem] : [cem, ada];

  const begun = performance.now();
  await cem.does((which) => window.test.dropConnection(which), direction);
  await who.receivesNothing(whom, 'audio');
  await who.hears(whom, RECOVERY_MS);
  const back = performance.now() - begun;
  await everybodyMeets(people);
  for (const assertAllCame of watched) await assertAllCame();
  console.log(`the connection to ${direction} is back after ${back.toFixed(0)} ms`);
}

suite('a connection that the server drops', () => {
  meet(test, 'the sending one is made anew, and the others keep every packet', (meeting) => drop(meeting, 'send'));
  meet(test, 'the receiving one is made anew, and the others keep every packet', (meeting) => drop(meeting, 'receive'));
});
