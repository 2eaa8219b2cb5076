import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Meeting, eventually, first, heard, newPreset, sees, suite } from '../harness.mjs';
import { cutSocket } from '../network.mjs';

/** Somebody who asked to come in and was told to wait. */
async function waits(meeting, name, preset = 'group_call_guest') {
  const guest = await meeting.signIn(name, preset);
  const told = heard(guest.self, 'waitlisted');
  await guest.join();
  await eventually(`${name} waits`, () => told.length === 1);
  assert.equal(guest.self.roomState, 'waitlisted');
  return guest;
}

const waiting = (host, count) =>
  eventually(`${count} wait`, () => host.participants.waitlisted.size === count);

suite('the waiting room', () => {
  before(() =>
    newPreset('waits_for_host', 'group_call_participant', {
      permissions: { waiting_room_type: 'ON_PRIVILEGED_USER_ENTRY' },
    }),
  );

  test('a guest waits, is accepted and is inside', async () => {
    const meeting = await Meeting.create();
    const ada = await meeting.join('Ada');
    const knocks = heard(ada.participants.waitlisted, 'participantJoined');
    const guest = await waits(meeting, 'Gil');
    const knock = await first(knocks, 'Ada sees him wait');
    assert.equal(knock.name, 'Gil');
    assert.equal(knock.userId, guest.self.userId);
    assert.equal(ada.participants.joined.size, 0);
    assert.equal(guest.participants.joined.size, 0);
    const joined = heard(guest.self, 'roomJoined');
    await ada.participants.acceptWaitingRoomRequest(knock.id);
    await first(joined, 'Gil is inside');
    assert.equal(guest.self.roomState, 'joined');
    assert.equal(guest.self.waitlistStatus, 'accepted');
    await Promise.all([sees(ada, 1), sees(guest, 1), waiting(ada, 0)]);
    await guest.chat.sendTextMessage('thank you');
    await eventually('Ada reads it', () => ada.chat.messages[0]?.message === 'thank you');
  });

  test('a guest is rejected', async () => {
    const meeting = await Meeting.create();
    const ada = await meeting.join('Ada');
    const guest = await waits(meeting, 'Gil');
    await waiting(ada, 1);
    const left = heard(guest.self, 'roomLeft');
    await ada.participants.rejectWaitingRoomRequest([...ada.participants.waitlisted.keys()][0]);
    assert.deepEqual(await first(left, 'Gil is told'), { state: 'rejected' });
    await waiting(ada, 0);
    assert.equal(ada.participants.joined.size, 0);
  });

  test('a host who comes later finds those who wait, and accepts all', async () => {
    const meeting = await Meeting.create();
    const guests = await Promise.all(['Gil', 'Hal'].map((name) => waits(meeting, name)));
    const ada = await meeting.join('Ada');
    await waiting(ada, 2);
    const userIds = ada.participants.waitlisted.toArray().map((guest) => guest.userId);
    await ada.participants.acceptAllWaitingRoomRequest(userIds);
    await Promise.all([sees(ada, 2), ...guests.map((guest) => sees(guest, 2))]);
    await waiting(ada, 0);
  });

  test('a guest who gives up waits no more', async () => {
    const meeting = await Meeting.create();
    const ada = await meeting.join('Ada');
    const guest = await waits(meeting, 'Gil');
    await waiting(ada, 1);
    await guest.leave();
    await waiting(ada, 0);
    assert.equal(ada.participants.joined.size, 0);
  });

  test('those who wait read and hear nothing', async () => {
    const meeting = await Meeting.create();
    const [ada, ben] = await meeting.joinAll(['Ada', 'Ben']);
    const guest = await waits(meeting, 'Gil');
    await waiting(ada, 1);
    await ada.chat.sendTextMessage('secret');
    await ada.polls.create('Secret?', ['yes', 'no']);
    await ada.participants.broadcastMessage('secret', { a: 1 });
    await eventually('Ben has all', () => ben.chat.messages.length + ben.polls.items.length === 2);
    await ada.participants.rejectWaitingRoomRequest([...ada.participants.waitlisted.keys()][0]);
    await eventually('Gil is told', () => guest.self.roomState === 'rejected');
    assert.deepEqual([guest.chat.messages, guest.polls.items], [[], []]);
    assert.equal(guest.participants.joined.size, 0);
  });

  test('who waits for somebody privileged comes in with them', async () => {
    const meeting = await Meeting.create();
    const early = await waits(meeting, 'Eve', 'waits_for_host');
    const joined = heard(early.self, 'roomJoined');
    const ada = await meeting.join('Ada');
    await first(joined, 'Eve is inside');
    await Promise.all([sees(ada, 1), sees(early, 1)]);
    const late = await meeting.join('Lea', 'waits_for_host');
    await sees(late, 2);
  });

  test('who was accepted comes back after a lost socket without waiting', async () => {
    const meeting = await Meeting.create();
    const ada = await meeting.join('Ada');
    const guest = await waits(meeting, 'Gil');
    await waiting(ada, 1);
    const joined = heard(guest.self, 'roomJoined');
    await ada.participants.acceptWaitingRoomRequest([...ada.participants.waitlisted.keys()][0]);
    await first(joined, 'Gil is inside');
    cutSocket(guest.self.id);
    await first(joined, 'Gil is back', ({ reconnected }) => reconnected);
    assert.equal(guest.self.roomState, 'joined');
    await sees(ada, 1);
    assert.equal(ada.participants.waitlisted.size, 0);
  });
});
