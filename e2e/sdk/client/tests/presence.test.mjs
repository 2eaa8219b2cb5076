import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  Meeting,
  eventually,
  first,
  heard,
  newPreset,
  rest,
  seen,
  sees,
  server,
  signIn,
  suite,
} from '../harness.mjs';
import { cutSocket, socketsOf } from '../network.mjs';

suite('presence', () => {
  before(() =>
    newPreset('no_renaming', 'group_call_participant', { permissions: { can_edit_display_name: false } }),
  );

  test('init tells who one is and what one may do', async () => {
    const meeting = await Meeting.create({ title: 'Weekly' });
    const { id, token } = await meeting.add('Ada');
    const ada = await signIn(token);
    assert.equal(ada.self.name, 'Ada');
    assert.equal(ada.self.userId, id);
    assert.equal(ada.self.customParticipantId, 'Ada@example.org');
    assert.equal(ada.self.presetName, 'group_call_host');
    assert.equal(ada.self.organizationId, server.app_id);
    assert.equal(ada.self.roomState, 'init');
    assert.equal(ada.meta.meetingId, meeting.id);
    assert.equal(ada.meta.meetingTitle, 'Weekly');
    assert.equal(ada.meta.viewType, 'GROUP_CALL');
    assert.equal(ada.self.permissions.kickParticipant, true);
    assert.equal(ada.self.permissions.canProduceAudio, 'ALLOWED');
  });

  test('a guest may less', async () => {
    const meeting = await Meeting.create();
    const { permissions } = (await meeting.signIn('Gil', 'group_call_guest')).self;
    assert.equal(permissions.kickParticipant, false);
    assert.equal(permissions.waitingRoomBehaviour, 'SKIP_ON_ACCEPT');
    assert.equal(permissions.canProduceScreenshare, 'NOT_ALLOWED');
    assert.equal(permissions.polls.canCreate, false);
  });

  test('one person joins', async () => {
    const meeting = await Meeting.create();
    const ada = await meeting.signIn('Ada');
    const joined = heard(ada.self, 'roomJoined');
    await ada.join();
    assert.equal(ada.self.roomState, 'joined');
    assert.deepEqual(joined, [{ reconnected: false }]);
    assert.equal(ada.participants.joined.size, 0);
    assert.equal(ada.stage.status, 'ON_STAGE');
    assert.equal(ada.meta.socketState.state, 'connected');
    const age = Date.now() - ada.meta.meetingStartedTimestamp.getTime();
    assert.ok(age > -5_000 && age < 60_000, `the meeting began ${age} ms ago`);
    const session = await rest('GET', `${meeting.path}/active-session`);
    assert.equal(session.id, ada.meta.sessionId);
    assert.equal(session.live_participants, 1);
  });

  test('two people see each other come', async () => {
    const meeting = await Meeting.create();
    const ada = await meeting.join('Ada');
    const came = heard(ada.participants.joined, 'participantJoined');
    const ben = await meeting.join('Ben', 'group_call_participant');
    const asSeen = await first(came, 'Ben comes', (person) => person.id === ben.self.id);
    assert.equal(asSeen.name, 'Ben');
    assert.equal(asSeen.userId, ben.self.userId);
    assert.equal(asSeen.customParticipantId, 'Ben@example.org');
    assert.equal(asSeen.presetName, 'group_call_participant');
    assert.equal(asSeen.stageStatus, 'ON_STAGE');
    await sees(ben, 1);
    assert.equal(seen(ben, ada).name, 'Ada');
    assert.equal(ada.meta.sessionId, ben.meta.sessionId);
    assert.equal(came.length, 1);
  });

  test('six people come at once and all see all', async () => {
    const meeting = await Meeting.create();
    const names = ['Ada', 'Ben', 'Cem', 'Dea', 'Eli', 'Fay'];
    const people = await meeting.joinAll(names, 'group_call_participant');
    for (const person of people) {
      const others = person.participants.joined.toArray().map((other) => other.name);
      assert.deepEqual(others.sort(), names.filter((name) => name !== person.self.name));
    }
  });

  test('a name given before joining is the one others see', async () => {
    const meeting = await Meeting.create();
    const ada = await meeting.join('Ada');
    const ben = await meeting.signIn('Ben');
    ben.self.setName('Benjamin');
    await ben.join();
    await sees(ada, 1);
    assert.equal(seen(ada, ben).name, 'Benjamin');
  });

  test('someone whose preset forbids it keeps the name of the record', async () => {
    const meeting = await Meeting.create();
    const ada = await meeting.join('Ada');
    const ben = await meeting.signIn('Ben', 'no_renaming');
    assert.equal(ben.self.permissions.canEditDisplayName, false);
    ben.self.setName('Somebody else');
    await ben.join();
    await sees(ada, 1);
    assert.equal(seen(ada, ben).name, 'Ben');
  });

  test('who leaves is gone for the others and may come back', async () => {
    const meeting = await Meeting.create();
    const [ada, ben] = await meeting.joinAll(['Ada', 'Ben']);
    const gone = heard(ada.participants.joined, 'participantLeft');
    const left = heard(ben.self, 'roomLeft');
    await ben.leave();
    await first(gone, 'Ben is gone', (person) => person.id === ben.self.id);
    assert.equal(ada.participants.joined.size, 0);
    assert.equal(ben.self.roomState, 'left');
    assert.deepEqual(left, [{ state: 'left' }]);
    const again = await meeting.join('Ben');
    assert.equal(again.self.userId, ben.self.userId);
    assert.notEqual(again.self.id, ben.self.id);
    await sees(ada, 1);
    assert.equal(seen(ada, again).name, 'Ben');
    assert.equal(again.meta.sessionId, ada.meta.sessionId);
  });

  test('a lost socket comes back by itself, and others notice nothing', async () => {
    const meeting = await Meeting.create();
    const [ada, ben] = await meeting.joinAll(['Ada', 'Ben']);
    const gone = heard(ada.participants.joined, 'participantLeft');
    const left = heard(ben.self, 'roomLeft');
    const returned = heard(ben.self, 'roomJoined');
    cutSocket(ben.self.id);
    assert.deepEqual(await first(left, 'Ben is disconnected'), { state: 'disconnected' });
    assert.deepEqual(await first(returned, 'Ben is back'), { reconnected: true });
    assert.equal(socketsOf(ben.self.id).length, 2);
    assert.equal(ben.self.roomState, 'joined');
    await ben.chat.sendTextMessage('back again');
    await eventually('Ada reads it', () => ada.chat.messages.at(-1)?.message === 'back again');
    await ada.chat.sendTextMessage('welcome');
    await eventually('Ben reads it', () => ben.chat.messages.at(-1)?.message === 'welcome');
    assert.deepEqual(gone, []);
    assert.deepEqual([ada.participants.joined.size, ben.participants.joined.size], [1, 1]);
  });

  test('what was said while the socket was lost is there afterwards', async () => {
    const meeting = await Meeting.create();
    const [ada, ben] = await meeting.joinAll(['Ada', 'Ben']);
    const returned = heard(ben.self, 'roomJoined');
    cutSocket(ben.self.id);
    await ada.chat.sendTextMessage('meanwhile');
    await first(returned, 'Ben is back');
    await eventually('Ben reads it', () => ben.chat.messages.some((said) => said.message === 'meanwhile'));
    assert.equal(ben.chat.messages.length, 1);
  });
});
