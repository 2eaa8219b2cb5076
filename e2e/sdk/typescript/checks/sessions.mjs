// Past and live sessions. Nobody has joined a meeting of this app, so there are none.

import { NO_SUCH_ID, equal, pagingIs, refused } from '../harness.mjs';

export async function listIsEmpty(w) {
  const answer = await w.kit.sessions.getSessions(w.appId, w.account);
  equal(answer.success, true, 'success');
  equal(answer.data.sessions, [], 'data.sessions');
  pagingIs(answer.paging, 0, 0, 0);
}

export async function listTakesEveryFilter(w) {
  const meeting = await w.newMeeting();
  const answer = await w.kit.sessions.getSessions(w.appId, {
    ...w.account,
    associated_id: meeting.id,
    start_time: '2026-01-01T00:00:00.000Z',
    end_time: '2036-01-01T00:00:00.000Z',
    page_no: 1,
    per_page: 500,
    participants: '1:10',
    search: 'weekly',
    sort_by: 'minutesConsumed',
    sort_order: 'ASC',
    status: 'ENDED',
  });
  equal(answer.data.sessions, [], 'data.sessions');
  pagingIs(answer.paging, 0, 0, 0);
}

export async function unknownSessionIs404(w) {
  const kit = w.kit.sessions;
  const withBreakouts = { ...w.inApp, include_breakout_rooms: true };
  const consolidated = { ...w.inApp, view: 'consolidated' };
  const person = { ...w.inApp, session_id: NO_SUCH_ID, include_peer_events: true };
  const subtitles = { ...w.inApp, format: 'VTT' };
  await refused(404, () => kit.getSessionDetails(NO_SUCH_ID, withBreakouts));
  await refused(404, () => kit.getSessionParticipants(NO_SUCH_ID, consolidated));
  await refused(404, () => kit.getSessionParticipantDetails(NO_SUCH_ID, person));
  await refused(404, () => kit.getSessionChat(NO_SUCH_ID, w.inApp));
  await refused(404, () => kit.getSessionTranscripts(NO_SUCH_ID, subtitles));
  await refused(404, () => kit.getSessionSummary(NO_SUCH_ID, w.inApp));
  await refused(404, () => kit.generateSummaryOfTranscripts(NO_SUCH_ID, w.inApp));
  await refused(404, () => w.get(w.appPath('sessions', NO_SUCH_ID, 'livestream-sessions')));
}

export async function unknownPeerIs404(w) {
  const kit = w.kit.sessions;
  const devices = { ...w.inApp, filters: 'device_info' };
  await refused(404, () => kit.getParticipantDataFromPeerID(NO_SUCH_ID, w.inApp));
  await refused(404, () => kit.getParticipantDataFromPeerID(NO_SUCH_ID, devices));
}
