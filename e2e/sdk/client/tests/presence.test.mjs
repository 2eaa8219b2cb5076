import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Meeting, TEST_MS, endOfPage, eventually, first, heard, rest, seen, sees } from '../harness.mjs';

describe('presence', { concurrency: true, timeout: TEST_MS }, () => {
  after(endOfPage);

  test('init tells who one is', async () => {
    const meeting = await Meeting.create({ title: 'Weekly' });
    const record = await meeting.add('Ada');
    const ada = await meeting.signIn('Ada');
    assert.equal(ada.self.name, 'Ada');
    assert.equal(ada.self.userId, record.id);
    assert.equal(ada.self.customParticipantId, 'Ada@example.org');
    assert.equal(ada.self.presetName, 'group_call_host');
    assert.equal(ada.self.organizationId, record.app_id ?? ada.self.organizationId);
    assert.equal(ada.self.roomState, 'init');
    assert.equal(ada.meta.meetingId, meeting.id);
    assert.equal(ada.meta.meetingTitle, 'Weekly');
    assert.equal(ada.meta.viewType, 'GROUP_CALL');
    assert.equal(ada.self.permissions.kickParticipant, true);
    assert.equal(ada.self.permissions.canProduceAudio, 'ALLOWED');
  });

  test('one person joins', async () => {
    const meeting = await Meeting.create();
    const ada = await meeting.signIn('Ada');
    const joined = heard(ada.self, 'roomJoined');
    await ada.join();
    assert.equal(ada.self.roomState, 'joined');
    assert.equal(joined.length, 1);
    assert.equal(ada.participants.joined.size, 0);
    assert.equal(ada.self.stageStatus, 'ON_STAGE');
    assert.ok(ada.meta.sessionId);
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
    assert.equal(came.length, 1);
  });
});
