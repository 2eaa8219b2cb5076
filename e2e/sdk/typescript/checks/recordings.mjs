// Recordings. Nothing was recorded in this app, and nobody is there to be recorded.

import { NO_SUCH_ID, equal, pagingIs, refused } from '../harness.mjs';

// 404 without a live session; 501 as long as the server has no recorder.
const NOTHING_TO_RECORD = [404, 501];

function start(w, fields) {
  return w.kit.recordings.startRecordings(w.appId, { ...w.account, ...fields });
}

function startTrack(w, fields) {
  return w.kit.recordings.startTrackRecording(w.appId, { ...w.account, ...fields });
}

function change(w, action) {
  return w.kit.recordings.pauseResumeStopRecording(NO_SUCH_ID, { ...w.inApp, action });
}

export async function listIsEmpty(w) {
  const answer = await w.kit.recordings.getRecordings(w.appId, w.account);
  equal(answer.success, true, 'success');
  equal(answer.data, [], 'data');
  pagingIs(answer.paging, 0, 0, 0);
}

/** The SDK repeats a list in the query: status=RECORDING&status=PAUSED. */
export async function listTakesEveryFilter(w) {
  const meeting = await w.newMeeting();
  const answer = await w.kit.recordings.getRecordings(w.appId, {
    ...w.account,
    meeting_id: meeting.id,
    status: ['RECORDING', 'PAUSED'],
    expired: false,
    search: 'weekly',
    sort_by: 'invokedTime',
    sort_order: 'DESC',
    start_time: '2026-01-01T00:00:00.000Z',
    end_time: '2036-01-01T00:00:00.000Z',
    page_no: 1,
    per_page: 10,
  });
  equal(answer.data, [], 'data');
  pagingIs(answer.paging, 0, 0, 0);
}

export async function listTakesStatesSeparatedByCommas(w) {
  const answer = await w.get(w.appPath('recordings'), { status: 'RECORDING,PAUSED' });
  equal(answer.data, [], 'data');
}

export async function unknownRecordingIs404(w) {
  await refused(404, () => w.kit.recordings.getOneRecording(NO_SUCH_ID, w.inApp));
  for (const action of ['stop', 'pause', 'resume']) await refused(404, () => change(w, action));
}

export async function anUnknownActionIsRefused(w) {
  await refused([400, 404], () => change(w, 'rewind'));
}

export async function noActiveRecordingIs404(w) {
  const meeting = await w.newMeeting();
  for (const meetingId of [meeting.id, NO_SUCH_ID]) {
    await refused(404, () => w.kit.recordings.getActiveRecordings(meetingId, w.inApp));
  }
}

export async function startWithoutALiveSession(w) {
  const meeting = await w.newMeeting();
  await refused(NOTHING_TO_RECORD, () => start(w, { meeting_id: meeting.id }));
  await refused(404, () => start(w, { meeting_id: NO_SUCH_ID }));
}

export async function startChecksItsBodyFirst(w) {
  const meeting_id = (await w.newMeeting()).id;
  const faults = [
    {},
    { meeting_id, max_seconds: 59 },
    { meeting_id, video_config: { width: 0 } },
    { meeting_id, realtimekit_bucket_config: { enabled: false } },
  ];
  for (const fault of faults) await refused(400, () => start(w, fault));
}

export async function startOfTracksWithoutALiveSession(w) {
  const meeting_id = (await w.newMeeting()).id;
  const layers = { default: { file_name_prefix: 'voice', media_kind: 'audio' } };
  await refused(NOTHING_TO_RECORD, () => startTrack(w, { meeting_id, layers, user_ids: ['ada'] }));
  await refused(404, () => startTrack(w, { meeting_id: NO_SUCH_ID }));
}

export async function startOfTracksChecksItsBodyFirst(w) {
  const meeting_id = (await w.newMeeting()).id;
  const faults = [{}, { meeting_id, user_ids: [] }, { meeting_id, user_ids: ['x'.repeat(257)] }];
  for (const fault of faults) await refused(400, () => startTrack(w, fault));
}
