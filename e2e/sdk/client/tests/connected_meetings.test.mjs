import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Meeting, eventually, first, heard, newPreset, sees, suite } from '../harness.mjs';

const titles = (person) => person.connectedMeetings.meetings.map((meeting) => meeting.title).sort();

/** An organiser and somebody else, who know of each other. */
async function start() {
  const meeting = await Meeting.create({ title: 'Plenary' });
  const [ada, ben] = await Promise.all([
    meeting.join('Ada', 'organiser'),
    meeting.join('Ben', 'group_call_participant'),
  ]);
  await Promise.all([sees(ada, 1), sees(ben, 1)]);
  return { meeting, ada, ben };
}

/** Moves somebody, and answers the client in the other meeting that they go on with. */
async function move(by, person, from, to) {
  const changed = heard(person.connectedMeetings, 'meetingChanged');
  const answer = await by.connectedMeetings.moveParticipants(from, to, [person.self.userId]);
  assert.equal(answer.success, true);
  return first(changed, `${person.self.name} is moved`);
}

suite('breakout rooms', () => {
  before(() =>
    newPreset('organiser', 'group_call_host', {
      permissions: {
        connected_meetings: {
          can_alter_connected_meetings: true,
          can_switch_connected_meetings: true,
          can_switch_to_parent_meeting: true,
        },
      },
    }),
  );

  test('rooms are made, told and deleted', async () => {
    const { meeting, ada, ben } = await start();
    const made = await ada.connectedMeetings.createMeetings([{ title: 'Red' }, { title: 'Blue' }]);
    assert.deepEqual(made.map(({ title }) => title), ['Red', 'Blue']);
    assert.ok(made.every(({ id }) => id));
    for (const person of [ada, ben]) {
      await eventually('both are told', () => titles(person).join() === 'Blue,Red');
    }
    const dump = await ada.connectedMeetings.getConnectedMeetings();
    assert.equal(dump.parentMeeting.id, meeting.id);
    assert.equal(dump.parentMeeting.title, 'Plenary');
    assert.equal(dump.parentMeeting.participants.length, 2);
    assert.equal(ada.connectedMeetings.isActive, true);
    await ada.connectedMeetings.deleteMeetings([made[0].id]);
    for (const person of [ada, ben]) {
      await eventually('one is gone', () => titles(person).join() === 'Blue');
    }
  });

  test('somebody is moved, and back', async () => {
    const { meeting, ada, ben } = await start();
    const [room] = await ada.connectedMeetings.createMeetings([{ title: 'Red' }]);
    const moved = await move(ada, ben, meeting.id, room.id);
    assert.equal(moved.meta.meetingId, room.id);
    assert.equal(moved.meta.meetingTitle, 'Red');
    assert.equal(moved.self.roomState, 'joined');
    assert.equal(moved.self.name, 'Ben');
    assert.equal(ben.self.roomState, 'connected-meeting');
    await sees(ada, 0);
    await eventually('Ada sees him there', () =>
      ada.connectedMeetings.meetings[0]?.participants.some(({ id }) => id === ben.self.userId),
    );
    await moved.chat.sendTextMessage('anybody here?');
    await eventually('his own echo', () => moved.chat.messages.length === 1);
    assert.deepEqual(ada.chat.messages, []);
    const back = await move(ada, moved, room.id, meeting.id);
    assert.equal(back.meta.meetingId, meeting.id);
    await Promise.all([sees(ada, 1), sees(back, 1)]);
  });

  test('who may not alter rooms makes none', async () => {
    const { ada, ben } = await start();
    assert.equal(ben.self.permissions.connectedMeetings.canAlterConnectedMeetings, false);
    await ben.connectedMeetings.createMeetings([{ title: 'Mine' }]).catch(() => {});
    const dump = await ada.connectedMeetings.getConnectedMeetings();
    assert.deepEqual(dump.meetings, []);
  });
});
