// The live session of a meeting. Nobody has joined here, so there is none.

import { NO_SUCH_ID, refused } from '../harness.mjs';

const NOBODY = { participant_ids: [NO_SUCH_ID] };
const POLL = { question: 'Tea?', options: ['yes', 'no'], anonymous: true, hide_votes: false };

function mute(w, meetingId, body) {
  return w.post(w.appPath('meetings', meetingId, 'active-session', 'mute'), body);
}

function muteAll(w, meetingId, body) {
  return w.post(w.appPath('meetings', meetingId, 'active-session', 'mute-all'), body);
}

async function everyCallIs404(w, meetingId, says) {
  const kit = w.kit.activeSession;
  const byCustomId = { ...w.inApp, custom_participant_ids: ['ada'] };
  await refused(404, () => kit.getActiveSession(meetingId, w.inApp), says);
  await refused(404, () => kit.kickParticipants(meetingId, { ...w.inApp, ...NOBODY }), says);
  await refused(404, () => kit.kickParticipants(meetingId, byCustomId), says);
  await refused(404, () => kit.kickAllParticipants(meetingId, w.inApp), says);
  await refused(404, () => kit.createPoll(meetingId, { ...w.inApp, ...POLL }), says);
  await refused(404, () => mute(w, meetingId, NOBODY), says);
  await refused(404, () => muteAll(w, meetingId, { allow_unmute: true }), says);
}

export async function withoutALiveSessionAllCallsAre404(w) {
  const meeting = await w.newMeeting();
  await everyCallIs404(w, meeting.id, `No active session found for meeting_id ${meeting.id}`);
}

export async function unknownMeetingIs404(w) {
  await everyCallIs404(w, NO_SUCH_ID);
}

/** 400 for the body or 404 for the session: both are wrong here, and no order is promised. */
export async function bodiesThatNameNobodyAreRefused(w) {
  const { id } = await w.newMeeting();
  const kit = w.kit.activeSession;
  const badPoll = { ...w.inApp, question: 'Tea?', options: [] };
  await refused([400, 404], () => kit.kickParticipants(id, w.inApp));
  await refused([400, 404], () => mute(w, id, { participant_ids: [] }));
  await refused([400, 404], () => muteAll(w, id, {}));
  await refused([400, 404], () => kit.createPoll(id, badPoll));
}
