import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Meeting, eventually, first, heard, rest, seen, sees, suite } from '../harness.mjs';

const left = (person, state) =>
  eventually(`${person.self.name} left as ${state}`, () => person.self.roomState === state);

suite('moderation', () => {
  test('a host removes one person, who may come back', async () => {
    const meeting = await Meeting.create();
    const [ada, ben, cem] = await meeting.joinAll(['Ada', 'Ben', 'Cem']);
    const told = heard(ben.self, 'roomLeft');
    await seen(ada, ben).kick();
    assert.deepEqual(await first(told, 'Ben is told'), { state: 'kicked' });
    await Promise.all([sees(ada, 1), sees(cem, 1)]);
    assert.deepEqual([ada.self.roomState, cem.self.roomState], ['joined', 'joined']);
    await meeting.join('Ben');
    await sees(ada, 2);
  });

  test('who may not remove others is refused', async () => {
    const meeting = await Meeting.create();
    const [ada, ben] = await meeting.joinAll(['Ada', 'Ben'], 'group_call_participant');
    await assert.rejects(seen(ada, ben).kick(), { code: '1201' });
    await assert.rejects(ada.participants.kickAll(), { code: '1201' });
    assert.equal(ben.self.roomState, 'joined');
  });

  test('a host ends the meeting for all', async () => {
    const meeting = await Meeting.create();
    const people = await meeting.joinAll(['Ada', 'Ben', 'Cem']);
    await people[0].participants.kickAll();
    await Promise.all(people.map((person) => left(person, 'ended')));
  });

  test('a session ended over REST ends for all', async () => {
    const meeting = await Meeting.create();
    const people = await meeting.joinAll(['Ada', 'Ben']);
    const { sessionId } = people[0].meta;
    await rest('POST', `${meeting.path}/active-session/kick-all`);
    await Promise.all(people.map((person) => left(person, 'ended')));
    const again = await meeting.join('Ada');
    assert.notEqual(again.meta.sessionId, sessionId);
    assert.equal(again.participants.joined.size, 0);
  });

  test('one person removed over REST', async () => {
    const meeting = await Meeting.create();
    const [ada, ben] = await meeting.joinAll(['Ada', 'Ben']);
    await rest('POST', `${meeting.path}/active-session/kick`, {
      participant_ids: [ben.self.userId],
      custom_participant_ids: [],
    });
    await left(ben, 'kicked');
    await sees(ada, 0);
    assert.equal(ada.self.roomState, 'joined');
  });

  test('permissions changed in the meeting hold at once', async () => {
    const meeting = await Meeting.create();
    const [ada, ben] = await Promise.all([meeting.join('Ada'), meeting.join('Ben', 'group_call_participant')]);
    await Promise.all([sees(ada, 1), sees(ben, 1)]);
    const updates = heard(ben.self.permissions, 'permissionsUpdate');
    await ada.participants.updatePermissions([ben.self.id], {
      polls: { canCreate: true },
      chat: { public: { canSend: false, text: false, files: false } },
    });
    await eventually('Ben is told', () => updates.length === 1);
    assert.equal(ben.self.permissions.polls.canCreate, true);
    assert.equal(ben.self.permissions.polls.canVote, true);
    assert.equal(ben.self.permissions.chatPublic.canSend, false);
    assert.equal(ada.self.permissions.chatPublic.canSend, true);
    await ben.polls.create('Tea?', ['yes', 'no']);
    await eventually('Ada has his poll', () => ada.polls.items[0]?.question === 'Tea?');
    const now = await seen(ada, ben).getPermissions();
    assert.equal(now.polls.canCreate, true);
    assert.equal(now.chat.public.canSend, false);
  });

  test('a microphone forbidden and allowed in the meeting', async () => {
    const meeting = await Meeting.create();
    const [ada, ben] = await Promise.all([meeting.join('Ada'), meeting.join('Ben', 'group_call_participant')]);
    await sees(ada, 1);
    const may = () => ben.self.permissions.canProduceAudio;
    await ada.participants.updatePermissions([ben.self.id], { media: { audio: { canProduce: 2 } } });
    await eventually('Ben may not', () => may() === 'NOT_ALLOWED');
    await ada.participants.updatePermissions([ben.self.id], { media: { audio: { canProduce: 1 } } });
    await eventually('Ben may', () => may() === 'ALLOWED');
    assert.equal(ben.self.permissions.canProduceVideo, 'ALLOWED');
  });

  test('a message to the room, to people, to those of a preset', async () => {
    const meeting = await Meeting.create();
    const [ada, ben, cem] = await Promise.all([
      meeting.join('Ada'),
      meeting.join('Ben', 'group_call_participant'),
      meeting.join('Cem'),
    ]);
    await Promise.all([ada, ben, cem].map((person) => sees(person, 2)));
    const [toBen, toCem] = [ben, cem].map((person) => heard(person.participants, 'broadcastedMessage'));
    await ada.participants.broadcastMessage('all', { n: 1 });
    const message = await first(toBen, 'to all', ({ type }) => type === 'all');
    assert.deepEqual(message.payload, { n: 1 });
    assert.ok(Math.abs(message.timestamp - Date.now()) < 60_000);
    await ada.participants.broadcastMessage('one', { n: 2 }, { participantIds: [ben.self.id] });
    await ada.participants.broadcastMessage('role', { n: 3 }, { presetNames: ['group_call_host'] });
    await first(toBen, 'to one', ({ type, payload }) => type === 'one' && payload.n === 2);
    await first(toCem, 'to a role', ({ type, payload }) => type === 'role' && payload.n === 3);
    assert.deepEqual(toBen.map(({ type }) => type), ['all', 'one']);
    assert.deepEqual(toCem.map(({ type }) => type), ['all', 'role']);
  });

  test('a pin is seen by all', async () => {
    const meeting = await Meeting.create();
    const [ada, ben, cem] = await meeting.joinAll(['Ada', 'Ben', 'Cem']);
    await seen(ada, ben).pin();
    await eventually('Cem sees it', () => cem.participants.pinned.has(ben.self.id));
    await eventually('Ben knows', () => ben.self.isPinned);
    await seen(ada, ben).unpin();
    await eventually('it is over', () => cem.participants.pinned.size === 0 && !ben.self.isPinned);
  });
});
