"""The live session of a meeting. Nobody has joined here, so there is none."""

from harness import NO_SUCH_ID, refused


def mute(w, meeting_id, body):
    return w.post(w.app_path("meetings", meeting_id, "active-session", "mute"), body)


def mute_all(w, meeting_id, body):
    return w.post(w.app_path("meetings", meeting_id, "active-session", "mute-all"), body)


def all_calls(w, meeting_id, says=None):
    kit = w.kit.active_session
    ids = {"participant_ids": [NO_SUCH_ID]}
    refused(404, kit.get_active_session, meeting_id, **w.in_app, says=says)
    refused(404, kit.kick_participants, meeting_id, **w.in_app, **ids, says=says)
    custom = {"custom_participant_ids": ["ada"]}
    refused(404, kit.kick_participants, meeting_id, **w.in_app, **custom, says=says)
    refused(404, kit.kick_all_participants, meeting_id, **w.in_app, says=says)
    poll = {"question": "Tea?", "options": ["yes", "no"], "anonymous": True, "hide_votes": False}
    refused(404, kit.create_poll, meeting_id, **w.in_app, **poll, says=says)
    refused(404, mute, w, meeting_id, ids, says=says)
    refused(404, mute_all, w, meeting_id, {"allow_unmute": True}, says=says)


def check_without_a_live_session_all_calls_are_404(w):
    meeting = w.new_meeting()
    all_calls(w, meeting.id, says=f"No active session found for meeting_id {meeting.id}")


def check_unknown_meeting_is_404(w):
    all_calls(w, NO_SUCH_ID)


def check_bodies_that_name_nobody_are_refused(w):
    """400 for the body or 404 for the session: both are wrong here, and no order is promised."""
    meeting = w.new_meeting()
    kit = w.kit.active_session
    refused((400, 404), kit.kick_participants, meeting.id, **w.in_app)
    refused((400, 404), mute, w, meeting.id, {"participant_ids": []})
    refused((400, 404), mute_all, w, meeting.id, {})
    refused((400, 404), kit.create_poll, meeting.id, **w.in_app, question="Tea?", options=[])
