// Participants: add, page, edit, replace, refresh the token, delete.

import {
  NOT_AN_ID,
  NO_SUCH_ID,
  allPages,
  equal,
  expect,
  ids,
  isTime,
  pagingIs,
  refused,
} from '../harness.mjs';

async function read(w, meetingId, participantId) {
  const where = { ...w.inApp, meeting_id: meetingId };
  return (await w.kit.meetings.getMeetingParticipant(participantId, where)).data;
}

async function edit(w, meetingId, participantId, fields) {
  const body = { ...w.inApp, meeting_id: meetingId, ...fields };
  return (await w.kit.meetings.editParticipant(participantId, body)).data;
}

async function replace(w, meetingId, participantId, body) {
  return (await w.put(w.appPath('meetings', meetingId, 'participants', participantId), body)).data;
}

function partOfToken(token, index) {
  return JSON.parse(Buffer.from(token.split('.')[index], 'base64url').toString());
}

export async function addAnswersTheParticipantAndAToken(w) {
  const meeting = await w.newMeeting();
  const ada = await w.newParticipant(meeting.id, {
    custom_participant_id: 'u-1',
    name: 'Ada',
    picture: 'https://example.com/ada.png',
  });
  equal(w.lastStatus, 201, 'status');
  equal(ada.custom_participant_id, 'u-1', 'custom_participant_id');
  equal(ada.preset_name, 'group_call_host', 'preset_name');
  equal(ada.name, 'Ada', 'name');
  equal(ada.picture, 'https://example.com/ada.png', 'picture');
  isTime(ada.created_at, 'created_at');
  isTime(ada.updated_at, 'updated_at');
  expect(ada.token.startsWith('eyJ'), `the token begins with ${ada.token.slice(0, 3)}`);
}

export async function theTokenNamesItsOwner(w) {
  const meeting = await w.newMeeting();
  const ada = await w.newParticipant(meeting.id);
  equal(partOfToken(ada.token, 0).alg, 'EdDSA', 'alg');
  const claims = partOfToken(ada.token, 1);
  equal(claims.orgId, w.appId, 'orgId');
  equal(claims.meetingId, meeting.id, 'meetingId');
  equal(claims.participantId, ada.id, 'participantId');
  expect(claims.presetId && claims.jti, 'presetId or jti is missing');
  expect(claims.exp > claims.iat, 'the token is born expired');
}

export async function nameAndPictureMayBeLeftOut(w) {
  const meeting = await w.newMeeting();
  const ada = await w.newParticipant(meeting.id, { name: null });
  const found = await read(w, meeting.id, ada.id);
  equal([found.name, found.picture], [null, null], 'name and picture');
}

export async function readsNeverTellAToken(w) {
  const meeting = await w.newMeeting();
  const ada = await w.newParticipant(meeting.id);
  const one = await read(w, meeting.id, ada.id);
  const { data: many } = await w.kit.meetings.getMeetingParticipants(meeting.id, w.inApp);
  equal(ids(many), [ada.id], 'list');
  for (const found of [one, many[0]]) {
    expect(!('token' in found), 'a read tells the token');
    equal(found.custom_participant_id, 'ada', 'custom_participant_id');
  }
}

export async function theSamePersonTwiceIsOneParticipant(w) {
  const meeting = await w.newMeeting();
  const first = await w.newParticipant(meeting.id, { name: 'Ada' });
  const fields = { name: 'Ada L.', preset_name: 'group_call_guest' };
  const second = await w.newParticipant(meeting.id, fields);
  equal(second.id, first.id, 'id');
  equal([second.name, second.preset_name], ['Ada L.', 'group_call_guest'], 'name and preset');
  expect(second.token !== first.token, 'the second token is the first one');
  const { paging } = await w.kit.meetings.getMeetingParticipants(meeting.id, w.inApp);
  pagingIs(paging, 1, 1, 1);
}

export async function theSamePersonInTwoMeetingsIsTwoParticipants(w) {
  const first = await w.newParticipant((await w.newMeeting()).id);
  const second = await w.newParticipant((await w.newMeeting()).id);
  expect(first.id !== second.id, 'two meetings share a participant');
}

export async function presetNamesWithHyphensFindTheUnderscoredOne(w) {
  const meeting = await w.newMeeting();
  const ada = await w.newParticipant(meeting.id, { preset_name: 'group-call-participant' });
  equal(ada.preset_name, 'group_call_participant', 'preset_name');
}

export async function anExactPresetNameComesFirst(w) {
  await w.post(w.appPath('presets'), { name: 'webinar-viewer' });
  const meeting = await w.newMeeting();
  for (const preset_name of ['webinar-viewer', 'webinar_viewer']) {
    const fields = { custom_participant_id: preset_name, preset_name };
    const person = await w.newParticipant(meeting.id, fields);
    equal(person.preset_name, preset_name, 'preset_name');
  }
}

export async function unknownPresetIs404(w) {
  const meeting = await w.newMeeting();
  const says = 'No preset found';
  for (const preset_name of ['nobody', 'Group_Call_Host']) {
    await refused(404, () => w.newParticipant(meeting.id, { preset_name }), says);
  }
  const ada = await w.newParticipant(meeting.id);
  await refused(404, () => edit(w, meeting.id, ada.id, { preset_name: 'nobody' }), says);
  equal((await read(w, meeting.id, ada.id)).preset_name, ada.preset_name, 'preset_name');
}

export async function valuesAreChecked(w) {
  const participants = w.appPath('meetings', (await w.newMeeting()).id, 'participants');
  const good = { custom_participant_id: 'ada', preset_name: 'group_call_host' };
  const bodies = [
    {},
    { custom_participant_id: 'ada' },
    { preset_name: 'group_call_host' },
    { ...good, custom_participant_id: '' },
    { ...good, custom_participant_id: 'x'.repeat(257) },
    { ...good, name: 7 },
  ];
  for (const body of bodies) await refused(400, () => w.post(participants, body));
}

export async function unknownKeysAreTolerated(w) {
  const meeting = await w.newMeeting();
  await w.newParticipant(meeting.id, { metadata: { team: 'blue' }, presetName: 'x' });
}

export async function theOlderFieldNameIsAccepted(w) {
  const participants = w.appPath('meetings', (await w.newMeeting()).id, 'participants');
  const body = { client_specific_id: 'old', preset_name: 'group_call_host' };
  const { data: ada } = await w.post(participants, body);
  equal(ada.custom_participant_id, 'old', 'custom_participant_id');
  expect(!('client_specific_id' in ada), 'the older name is answered too');
}

export async function anInactiveMeetingTakesParticipants(w) {
  const meeting = await w.newMeeting();
  await w.kit.meetings.updateMeetingByID(meeting.id, { ...w.inApp, status: 'INACTIVE' });
  equal((await w.newParticipant(meeting.id)).custom_participant_id, 'ada', 'custom_participant_id');
}

export async function listComesInPagesNewestFirst(w) {
  const meeting = await w.newMeeting();
  const made = [];
  for (const custom_participant_id of ['a', 'b', 'c', 'd', 'e']) {
    made.push((await w.newParticipant(meeting.id, { custom_participant_id })).id);
  }
  const page = (query) =>
    w.kit.meetings.getMeetingParticipants(meeting.id, { ...w.inApp, ...query });
  equal(ids(await allPages(page, 2)), made.toReversed(), 'order');
  const expected = [
    [{}, 1, 5],
    [{ page_no: null, per_page: null }, 1, 5],
    [{ page_no: 0, per_page: 2 }, 1, 2],
    [{ page_no: 1, per_page: 2 }, 1, 2],
    [{ page_no: 3, per_page: 2 }, 5, 5],
    [{ page_no: 1, per_page: 100000 }, 1, 5],
  ];
  for (const [query, start, end] of expected) pagingIs((await page(query)).paging, 5, start, end);
  const beyond = await page({ page_no: 4, per_page: 2 });
  equal(beyond.data, [], 'past the end');
  pagingIs(beyond.paging, 5, 7, 5);
}

export async function listOfANewMeetingIsEmpty(w) {
  const meeting = await w.newMeeting();
  const answer = await w.kit.meetings.getMeetingParticipants(meeting.id, w.inApp);
  equal(answer.data, [], 'data');
  pagingIs(answer.paging, 0, 0, 0);
}

export async function impossiblePagesAre400(w) {
  const meeting = await w.newMeeting();
  for (const query of [{ page_no: -1 }, { page_no: 1.5 }, { page_no: 'two' }, { per_page: -1 }]) {
    const params = { ...w.inApp, ...query };
    await refused(400, () => w.kit.meetings.getMeetingParticipants(meeting.id, params));
  }
}

export async function editChangesOnlyWhatIsGiven(w) {
  const meeting = await w.newMeeting();
  const picture = 'https://example.com/ada.png';
  const ada = await w.newParticipant(meeting.id, { name: 'Ada', picture });
  const renamed = await edit(w, meeting.id, ada.id, { name: 'Ada L.' });
  equal(renamed.id, ada.id, 'id');
  equal(renamed.name, 'Ada L.', 'name');
  equal(renamed.picture, picture, 'picture');
  equal(renamed.preset_name, ada.preset_name, 'preset_name');
  expect(renamed.token.startsWith('eyJ') && renamed.token !== ada.token, 'no new token');
  expect(renamed.updated_at >= ada.updated_at, 'updated_at went back');
  const moved = await edit(w, meeting.id, ada.id, { preset_name: 'webinar-presenter' });
  equal(moved.preset_name, 'webinar_presenter', 'preset_name');
  equal((await read(w, meeting.id, ada.id)).preset_name, 'webinar_presenter', 'read');
}

export async function replaceSetsAbsentFieldsToNull(w) {
  const meeting = await w.newMeeting();
  const ada = await w.newParticipant(meeting.id, { name: 'Ada' });
  const body = { custom_participant_id: 'grace', preset_name: 'group_call_guest' };
  const grace = await replace(w, meeting.id, ada.id, body);
  equal(grace.id, ada.id, 'id');
  equal(grace.custom_participant_id, 'grace', 'custom_participant_id');
  equal(grace.preset_name, 'group_call_guest', 'preset_name');
  equal([grace.name, grace.picture], [null, null], 'name and picture');
  expect(grace.token.startsWith('eyJ') && grace.token !== ada.token, 'no new token');
  equal(grace.created_at, ada.created_at, 'created_at');
}

export async function replaceNeedsBothFields(w) {
  const meeting = await w.newMeeting();
  const ada = await w.newParticipant(meeting.id);
  for (const body of [{ custom_participant_id: 'ada' }, { preset_name: 'group_call_host' }]) {
    await refused(400, () => replace(w, meeting.id, ada.id, body));
  }
}

export async function refreshAnswersANewToken(w) {
  const meeting = await w.newMeeting();
  const ada = await w.newParticipant(meeting.id);
  const where = { ...w.inApp, meeting_id: meeting.id };
  const { data } = await w.kit.meetings.refreshParticipantToken(ada.id, where);
  equal(w.lastStatus, 200, 'status');
  expect(data.token !== ada.token, 'the token is the old one');
  equal(partOfToken(data.token, 1).participantId, ada.id, 'participantId');
}

export async function deleteRemovesTheParticipant(w) {
  const meeting = await w.newMeeting();
  const ada = await w.newParticipant(meeting.id, { name: 'Ada' });
  const search = ada.preset_name;
  const { data: presets } = await w.kit.presets.get(w.appId, { ...w.account, search });
  const where = { ...w.inApp, meeting_id: meeting.id };
  const { data: gone } = await w.kit.meetings.deleteMeetingParticipant(ada.id, where);
  equal(gone.custom_participant_id, 'ada', 'custom_participant_id');
  expect(ids(presets).includes(gone.preset_id), 'preset_id is not that of the preset');
  const fields = ['created_at', 'custom_participant_id', 'preset_id', 'updated_at'];
  equal(Object.keys(gone).sort(), fields, 'fields');
  await refused(404, () => read(w, meeting.id, ada.id));
  const { paging } = await w.kit.meetings.getMeetingParticipants(meeting.id, w.inApp);
  pagingIs(paging, 0, 0, 0);
}

export async function unknownParticipantIs404(w) {
  const meeting = await w.newMeeting();
  const where = { ...w.inApp, meeting_id: meeting.id };
  const body = { custom_participant_id: 'ada', preset_name: 'group_call_host' };
  for (const participantId of [NO_SUCH_ID, NOT_AN_ID]) {
    await refused(404, () => read(w, meeting.id, participantId));
    await refused(404, () => edit(w, meeting.id, participantId, { name: 'x' }));
    await refused(404, () => replace(w, meeting.id, participantId, body));
    await refused(404, () => w.kit.meetings.refreshParticipantToken(participantId, where));
    await refused(404, () => w.kit.meetings.deleteMeetingParticipant(participantId, where));
  }
}

export async function unknownMeetingIs404(w) {
  await refused(404, () => w.kit.meetings.getMeetingParticipants(NO_SUCH_ID, w.inApp));
  await refused(404, () => w.newParticipant(NO_SUCH_ID));
}

export async function aParticipantOfAnotherMeetingIs404(w) {
  const ada = await w.newParticipant((await w.newMeeting()).id);
  const other = await w.newMeeting();
  await refused(404, () => read(w, other.id, ada.id));
}
