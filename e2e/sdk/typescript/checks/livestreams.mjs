// Livestreams. This app has none, and the server cannot make any yet.

import { NO_SUCH_ID, equal, pagingIs, refused } from '../harness.mjs';

// 404 without a live session; 501 as long as the server cannot stream.
const NOTHING_TO_STREAM = [404, 501];

function start(w, meetingId, fields = {}) {
  return w.kit.livestreams.startLivestreamingAMeeting(meetingId, { ...w.inApp, ...fields });
}

export async function listIsEmpty(w) {
  const answer = await w.kit.livestreams.getAllLivestreams(w.appId, w.account);
  equal(answer.success, true, 'success');
  equal(answer.data.livestreams, [], 'data.livestreams');
  pagingIs(answer.data.paging, 0, 0, 0);
  pagingIs(answer.paging, 0, 0, 0);
}

export async function listTakesEveryFilter(w) {
  for (const sort_order of ['ASC', 'DSC']) {
    const answer = await w.kit.livestreams.getAllLivestreams(w.appId, {
      ...w.account,
      exclude_meetings: true,
      status: 'LIVE',
      start_time: '2026-01-01T00:00:00.000Z',
      end_time: '2036-01-01T00:00:00.000Z',
      sort_order,
      page_no: 1,
      per_page: 10,
    });
    equal(answer.data.livestreams, [], 'data.livestreams');
  }
}

export async function createIsNotImplemented(w) {
  await refused(501, () => w.post(w.appPath('livestreams'), { name: 'launch' }));
  await refused(501, () => w.post(w.appPath('livestreams'), {}));
}

export async function createChecksItsBodyFirst(w) {
  await refused(400, () => w.post(w.appPath('livestreams'), { name: 7 }));
}

export async function unknownLivestreamIs404(w) {
  const kit = w.kit.livestreams;
  const paged = { ...w.inApp, page_no: 1, per_page: 5 };
  await refused(404, () => kit.getLivestreamSessionForLivestreamID(NO_SUCH_ID, paged));
  await refused(404, () => kit.getActiveLivestreamsForLivestreamID(NO_SUCH_ID, w.inApp));
  await refused(404, () => kit.getLivestreamSessionDetailsForSessionID(NO_SUCH_ID, w.inApp));
}

export async function livestreamsOfAMeetingAreEmpty(w) {
  const meeting = await w.newMeeting();
  const answer = await w.get(w.appPath('meetings', meeting.id, 'livestream'));
  equal(answer.success, true, 'success');
  equal(answer.data.livestreams, [], 'data.livestreams');
  pagingIs(answer.data.paging, 0, 0, 0);
  await refused(404, () => w.get(w.appPath('meetings', NO_SUCH_ID, 'livestream')));
}

export async function noActiveLivestreamIs404(w) {
  const meeting = await w.newMeeting();
  for (const meetingId of [meeting.id, NO_SUCH_ID]) {
    await refused(404, () => w.kit.livestreams.getMeetingActiveLivestreams(meetingId, w.inApp));
    await refused(404, () => w.kit.livestreams.stopLivestreamingAMeeting(meetingId, w.inApp));
  }
}

export async function startWithoutALiveSession(w) {
  const { id } = await w.newMeeting();
  const fields = { name: 'launch', video_config: { width: 1280, height: 720 } };
  await refused(NOTHING_TO_STREAM, () => start(w, id, fields));
  await refused(NOTHING_TO_STREAM, () => start(w, id));
  await refused(404, () => start(w, NO_SUCH_ID));
}

export async function startChecksItsBodyFirst(w) {
  const { id } = await w.newMeeting();
  await refused(400, () => start(w, id, { video_config: { width: 'wide' } }));
}
