// Meetings: create with all configs, list, read, change, replace.

import {
  NOT_AN_ID,
  NO_SUCH_ID,
  allPages,
  contains,
  equal,
  expect,
  ids,
  isTime,
  pagingIs,
  refused,
} from '../harness.mjs';
import {
  FULL_MEETING,
  MEETING_DEFAULTS,
  RECORDING_CONFIG,
  SECRETS,
  STORAGE_CONFIGS,
  readable,
  withoutSecrets,
} from '../samples.mjs';

const FULL_MEETING_READABLE = { ...FULL_MEETING, recording_config: readable(RECORDING_CONFIG) };
const HOUR_MS = 60 * 60 * 1000;

async function read(w, meetingId) {
  return (await w.kit.meetings.getMeetingByID(meetingId, w.inApp)).data;
}

async function update(w, meetingId, fields) {
  return (await w.kit.meetings.updateMeetingByID(meetingId, { ...w.inApp, ...fields })).data;
}

function hasNoSecret(answer, what) {
  const text = JSON.stringify(answer);
  for (const [name, value] of Object.entries(SECRETS)) {
    expect(!text.includes(value), `${what} tells the ${name}`);
    expect(!text.includes(`"${name}"`), `${what} has a field ${name}`);
  }
}

export async function createWithDefaults(w) {
  const meeting = await w.newMeeting();
  equal(w.lastStatus, 201, 'status');
  contains(MEETING_DEFAULTS, meeting, 'meeting');
  expect(!meeting.title, `title is ${meeting.title}`);
  isTime(meeting.created_at, 'created_at');
  equal(meeting.updated_at, meeting.created_at, 'updated_at');
}

export async function createTakesNullAsDefault(w) {
  const nulls = { title: null, record_on_start: null, live_stream_on_start: null };
  contains(MEETING_DEFAULTS, await w.newMeeting(nulls), 'meeting');
}

export async function createKeepsEveryConfig(w) {
  const meeting = await w.newMeeting(FULL_MEETING);
  contains(FULL_MEETING_READABLE, meeting, 'created');
  contains(FULL_MEETING_READABLE, await read(w, meeting.id), 'read');
}

export async function storageSecretsNeverComeBack(w) {
  const appId = await w.newApp(`${w.tag} storage`);
  const inApp = { ...w.account, app_id: appId };
  const kit = w.kit.meetings;
  for (const storage of STORAGE_CONFIGS) {
    const config = { recording_config: { storage_config: storage } };
    const created = await kit.create(appId, { ...w.account, ...config });
    const meetingId = created.data.id;
    const answers = {
      create: created,
      read: await kit.getMeetingByID(meetingId, inApp),
      list: await kit.get(appId, w.account),
      update: await kit.updateMeetingByID(meetingId, { ...inApp, ...config }),
      replace: await kit.replaceMeetingByID(meetingId, { ...inApp, ...config }),
    };
    for (const [what, answer] of Object.entries(answers)) {
      hasNoSecret(answer, `${what} (${storage.type})`);
    }
    const kept = answers.read.data.recording_config.storage_config;
    contains(withoutSecrets(storage), kept, `storage_config (${storage.type})`);
  }
}

export async function unknownKeysAreTolerated(w) {
  await w.newMeeting({ title: 'loose', preferred_region: 'eu-central-1', metadata: {} });
}

export async function valuesAreChecked(w) {
  const faults = [
    { session_keep_alive_time_in_secs: 59 },
    { session_keep_alive_time_in_secs: 601 },
    { session_keep_alive_time_in_secs: 60.5 },
    { title: 7 },
    { persist_chat: 'yes' },
    { recording_config: { max_seconds: 59 } },
    { recording_config: { max_seconds: 86401 } },
    { recording_config: { realtimekit_bucket_config: {} } },
    { recording_config: { realtimekit_bucket_config: { enabled: false } } },
    { recording_config: { storage_config: { type: 'floppy' } } },
    { recording_config: { video_config: { width: 1921 } } },
    { recording_config: { audio_config: { codec: 'OPUS' } } },
    { ai_config: { summarization: { word_limit: 149 } } },
    { ai_config: { transcription: { language: 'xx' } } },
  ];
  for (const fault of faults) await refused(400, () => w.newMeeting(fault));
}

export async function allFaultsAreToldAtOnce(w) {
  const faults = { session_keep_alive_time_in_secs: 1, persist_chat: 'yes' };
  const error = await refused(400, () => w.newMeeting(faults));
  const text = JSON.stringify(error.error);
  for (const field of Object.keys(faults)) {
    expect(text.includes(field), `${field} is not named: ${text}`);
  }
}

export async function moreLanguagesThanTheContractLists(w) {
  for (const language of ['es', 'pt', 'pt-BR', 'it', 'multi', 'en']) {
    const meeting = await w.newMeeting({ ai_config: { transcription: { language } } });
    equal(meeting.ai_config.transcription.language, language, 'language');
  }
}

export async function readAnswersWhatCreateAnswered(w) {
  const meeting = await w.newMeeting({ title: 'same' });
  equal(await read(w, meeting.id), meeting, 'meeting');
}

export async function readIgnoresTheNameParameter(w) {
  const meeting = await w.newMeeting({ title: 'named' });
  const answer = await w.kit.meetings.getMeetingByID(meeting.id, { ...w.inApp, name: 'other' });
  equal(answer.data.title, 'named', 'title');
}

export async function updateChangesOnlyWhatIsGiven(w) {
  const meeting = await w.newMeeting(FULL_MEETING);
  const fields = { title: 'Monthly', status: 'INACTIVE' };
  const changed = await update(w, meeting.id, fields);
  contains({ ...FULL_MEETING_READABLE, ...fields }, changed, 'updated');
  contains({ ...FULL_MEETING_READABLE, ...fields }, await read(w, meeting.id), 'read');
  equal(changed.created_at, meeting.created_at, 'created_at');
  expect(changed.updated_at >= meeting.updated_at, 'updated_at went back');
  equal((await update(w, meeting.id, { status: 'ACTIVE' })).status, 'ACTIVE', 'status');
}

export async function updateWithNothingChangesNothing(w) {
  const meeting = await w.newMeeting(FULL_MEETING);
  contains(FULL_MEETING_READABLE, await update(w, meeting.id, {}), 'meeting');
}

export async function updateRefusesAnUnknownStatus(w) {
  const meeting = await w.newMeeting();
  await refused(400, () => update(w, meeting.id, { status: 'OPEN' }));
}

export async function replaceSetsAbsentFieldsToTheirDefaults(w) {
  const meeting = await w.newMeeting(FULL_MEETING);
  await update(w, meeting.id, { status: 'INACTIVE' });
  const body = { ...w.inApp, title: 'Bare' };
  const { data: replaced } = await w.kit.meetings.replaceMeetingByID(meeting.id, body);
  equal(replaced.id, meeting.id, 'id');
  const expected = { ...MEETING_DEFAULTS, title: 'Bare', status: 'INACTIVE' }; // status is not part
  contains(expected, replaced, 'replaced');
  expect(!replaced.recording_config, 'recording_config is still there');
  expect(!replaced.ai_config, 'ai_config is still there');
  equal(replaced.created_at, meeting.created_at, 'created_at');
}

export async function listOfANewAppIsEmpty(w) {
  const answer = await w.kit.meetings.get(await w.newApp(`${w.tag} empty`), w.account);
  equal(answer.data, [], 'data');
  pagingIs(answer.paging, 0, 0, 0);
}

export async function listComesInPagesNewestFirst(w) {
  const appId = await w.newApp(`${w.tag} meeting pages`);
  const made = [];
  for (const title of ['a', 'b', 'c', 'd', 'e']) {
    made.push((await w.kit.meetings.create(appId, { ...w.account, title })).data.id);
  }
  const page = (query) => w.kit.meetings.get(appId, { ...w.account, ...query });
  equal(ids(await allPages(page, 2)), made.toReversed(), 'order');
  pagingIs((await page({ page_no: 2, per_page: 2 })).paging, 5, 3, 4);
  pagingIs((await page({ page_no: null, per_page: null, search: '' })).paging, 5, 1, 5);
}

export async function listRowsCarryTheRecordingConfig(w) {
  const title = `${w.tag} row`;
  await w.newMeeting({ ...FULL_MEETING, title });
  const { data } = await w.kit.meetings.get(w.appId, { ...w.account, search: title });
  contains(readable(RECORDING_CONFIG), data[0].recording_config, 'recording_config');
}

export async function searchByTitleAndId(w) {
  const meeting = await w.newMeeting({ title: `${w.tag} Search Me` });
  for (const search of [`${w.tag} search me`, 'search ME', meeting.id]) {
    const { data } = await w.kit.meetings.get(w.appId, { ...w.account, search });
    equal(ids(data), [meeting.id], `search ${search}`);
  }
}

export async function filterByStatus(w) {
  const appId = await w.newApp(`${w.tag} status`);
  const inApp = { ...w.account, app_id: appId };
  const { data: closed } = await w.kit.meetings.create(appId, w.account);
  const { data: open } = await w.kit.meetings.create(appId, w.account);
  await w.kit.meetings.updateMeetingByID(closed.id, { ...inApp, status: 'INACTIVE' });
  for (const [status, meeting] of [
    ['INACTIVE', closed],
    ['ACTIVE', open],
  ]) {
    const answer = await w.kit.meetings.get(appId, { ...w.account, status });
    equal(ids(answer.data), [meeting.id], status);
    pagingIs(answer.paging, 1, 1, 1);
  }
}

export async function filterByTime(w) {
  const appId = await w.newApp(`${w.tag} time`);
  const { data: meeting } = await w.kit.meetings.create(appId, w.account);
  const at = (offset) => new Date(Date.parse(meeting.created_at) + offset).toISOString();
  const found = async (times) =>
    ids((await w.kit.meetings.get(appId, { ...w.account, ...times })).data);
  const around = { start_time: at(-HOUR_MS), end_time: at(HOUR_MS) };
  const exact = { start_time: meeting.created_at, end_time: meeting.created_at };
  equal(await found(around), [meeting.id], 'around');
  equal(await found(exact), [meeting.id], 'both ends');
  equal(await found({ start_time: at(HOUR_MS) }), [], 'later');
  equal(await found({ end_time: at(-HOUR_MS) }), [], 'earlier');
}

export async function unknownMeetingIs404(w) {
  for (const meetingId of [NO_SUCH_ID, NOT_AN_ID]) {
    const body = { ...w.inApp, title: 'x' };
    await refused(404, () => read(w, meetingId));
    await refused(404, () => w.kit.meetings.updateMeetingByID(meetingId, body));
    await refused(404, () => w.kit.meetings.replaceMeetingByID(meetingId, body));
  }
}

export async function aMeetingOfAnotherAppIs404(w) {
  const meeting = await w.newMeeting();
  const other = { ...w.account, app_id: await w.newApp(`${w.tag} stranger`) };
  const kit = w.kit.meetings;
  await refused(404, () => kit.getMeetingByID(meeting.id, other));
  await refused(404, () => kit.updateMeetingByID(meeting.id, { ...other, title: 'mine' }));
  await refused(404, () => kit.getMeetingParticipants(meeting.id, other));
}

/** An extension: the published API cannot delete a meeting. */
export async function deleteRemovesAMeeting(w) {
  const meeting = await w.newMeeting();
  await w.delete(w.appPath('meetings', meeting.id));
  equal(w.lastStatus, 200, 'status');
  await refused(404, () => read(w, meeting.id));
}
