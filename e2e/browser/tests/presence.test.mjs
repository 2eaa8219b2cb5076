import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everybodyMeets, meet, suite } from '../harness.mjs';

/** How long somebody whose connection broke is waited for: the server's `reconnect_grace`, and some more. */
const GRACE_MS = 25_000;

const count = (person, others, patience) =>
  person.until(`${others} others`, (wanted) => meeting.participants.joined.size === wanted, others, patience);

suite('coming and going', () => {
  meet(test, 'three people see and hear each other, and the third leaves', async (meeting) => {
    const [ada, ben] = await meeting.joinAll('Ada', 'Ben');
    const cem = await meeting.join('Cem');
    await everybodyMeets([ada, ben, cem]);
    await cem.does(() => meeting.leave());
    await Promise.all([count(ada, 1), count(ben, 1)]);
    await everybodyMeets([ada, ben]);
  });

  meet(test, 'somebody leaves and comes back', async (meeting) => {
    const [ada, ben] = await meeting.joinAll('Ada', 'Ben');
    await ben.does(() => meeting.leave());
    await count(ada, 0);
    await ben.signIn(ben.options);
    await ben.join();
    await everybodyMeets([ada, ben]);
  });

  meet(test, 'a page that goes away is gone for the others', async (meeting) => {
    const [ada, ben, cem] = await meeting.joinAll('Ada', 'Ben', 'Cem');
    await cem.vanish();
    await Promise.all([count(ada, 1, GRACE_MS), count(ben, 1, GRACE_MS)]);
    await everybodyMeets([ada, ben]);
  });

  meet(test, 'media goes on while the signalling socket is cut', async (meeting) => {
    const [ada, ben] = await meeting.joinAll('Ada', 'Ben');
    const cut = await ben.does(() => window.test.cutSocket());
    await Promise.all([ben.sees(ada, 'video', 2000), ben.hears(ada, 3000)]);
    await ben.until('a new socket', (before) => window.test.sockets.length > before && window.test.sockets.at(-1).readyState === 1, cut);
    await everybodyMeets([ada, ben]);
    // Signalling works again: what is switched now reaches the other.
    await ben.does(() => meeting.self.disableVideo());
    await ada.until('the camera is off', (id) => meeting.participants.joined.get(id)?.videoEnabled === false, ben.id);
    await ben.does(() => meeting.self.enableVideo());
    await everybodyMeets([ada, ben]);
  });

  meet(test, 'who is removed is neither seen nor heard', async (meeting) => {
    const [ada, ben, cem] = await meeting.joinAll('Ada', 'Ben', 'Cem');
    await ada.does((id) => meeting.participants.joined.get(id).kick(), ben.id);
    await ben.until('he is out', () => meeting.self.roomState === 'kicked');
    await Promise.all([count(ada, 1), count(cem, 1)]);
    await everybodyMeets([ada, cem]);
    assert.equal(await ada.received(ben, 'video'), null);
  });

  meet(test, 'a guest in the waiting room gets media only when admitted', async (meeting) => {
    const [ada, ben] = await meeting.joinAll('Ada', 'Ben');
    const gil = await meeting.signIn('Gil', { preset: 'group_call_guest' });
    await gil.does(() => void meeting.join());
    await gil.until('he waits', () => meeting.self.roomState === 'waitlisted');
    const knock = await ada.until('Ada sees him wait', () => meeting.participants.waitlisted.toArray()[0]?.id);
    const before = await gil.does(() => window.test.sent());
    assert.deepEqual(before.filter(({ bytesSent }) => bytesSent > 0), []);
    assert.equal(await gil.received(ada, 'video'), null);
    await ada.does((id) => meeting.participants.acceptWaitingRoomRequest(id), knock);
    await everybodyMeets([ada, ben, gil]);
  });

  meet(test, 'a host mutes somebody', async (meeting) => {
    const [ada, ben] = await meeting.joinAll('Ada', 'Ben');
    await ada.does((id) => meeting.participants.joined.get(id).disableAudio(), ben.id);
    await ben.until('he is muted', () => !meeting.self.audioEnabled);
    await ada.receivesNothing(ben, 'audio');
    await ada.does((id) => meeting.participants.joined.get(id).disableVideo(), ben.id);
    await ben.until('his camera is off', () => !meeting.self.videoEnabled);
    await ada.receivesNothing(ben, 'video');
    await ben.does(() => meeting.self.enableAudio());
    await ben.does(() => meeting.self.enableVideo());
    await everybodyMeets([ada, ben]);
  });
});
