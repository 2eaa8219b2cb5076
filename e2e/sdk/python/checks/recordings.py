"""Recordings. Nothing was recorded in this app, and nobody is there to be recorded."""

from datetime import datetime, timezone

from harness import NO_SUCH_ID, equal, paging_is, refused

# 404 without a live session; 501 as long as the server has no recorder.
NOTHING_TO_RECORD = (404, 501)


def start(w, meeting_id, **fields):
    return w.kit.recordings.start_recordings(w.app_id, **w.account, meeting_id=meeting_id, **fields)


def start_track(w, meeting_id, **fields):
    return w.kit.recordings.start_track_recording(
        w.app_id, **w.account, meeting_id=meeting_id, **fields
    )


def check_list_is_empty(w):
    answer = w.kit.recordings.get_recordings(w.app_id, **w.account)
    equal(answer.success, True, "success")
    equal(answer.data, [], "data")
    paging_is(answer.paging, 0, 0, 0)


def check_list_takes_every_filter(w):
    """The SDK repeats a list in the query: status=RECORDING&status=PAUSED."""
    answer = w.kit.recordings.get_recordings(
        w.app_id,
        **w.account,
        meeting_id=w.new_meeting().id,
        status=["RECORDING", "PAUSED"],
        expired=False,
        search="weekly",
        sort_by="invokedTime",
        sort_order="DESC",
        start_time=datetime(2026, 1, 1, tzinfo=timezone.utc),
        end_time=datetime(2036, 1, 1, tzinfo=timezone.utc),
        page_no=1,
        per_page=10,
    )
    equal(answer.data, [], "data")
    paging_is(answer.paging, 0, 0, 0)


def check_list_takes_states_separated_by_commas(w):
    answer = w.get(w.app_path("recordings"), {"status": "RECORDING,PAUSED"})
    equal(answer["data"], [], "data")


def check_unknown_recording_is_404(w):
    refused(404, w.kit.recordings.get_one_recording, NO_SUCH_ID, **w.in_app)
    for action in ("stop", "pause", "resume"):
        change = w.kit.recordings.pause_resume_stop_recording
        refused(404, change, NO_SUCH_ID, **w.in_app, action=action)


def check_an_unknown_action_is_400(w):
    change = w.kit.recordings.pause_resume_stop_recording
    refused((400, 404), change, NO_SUCH_ID, **w.in_app, action="rewind")


def check_no_active_recording_is_404(w):
    refused(404, w.kit.recordings.get_active_recordings, w.new_meeting().id, **w.in_app)
    refused(404, w.kit.recordings.get_active_recordings, NO_SUCH_ID, **w.in_app)


def check_start_without_a_live_session(w):
    refused(NOTHING_TO_RECORD, start, w, w.new_meeting().id)
    refused(404, start, w, NO_SUCH_ID)


def check_start_checks_its_body_first(w):
    meeting = w.new_meeting()
    refused(400, w.post, w.app_path("recordings"), {})
    refused(400, start, w, meeting.id, max_seconds=59)
    refused(400, start, w, meeting.id, video_config={"width": 0})
    refused(400, start, w, meeting.id, realtimekit_bucket_config={"enabled": False})


def check_start_of_tracks_without_a_live_session(w):
    layers = {"default": {"file_name_prefix": "voice", "media_kind": "audio"}}
    refused(NOTHING_TO_RECORD, start_track, w, w.new_meeting().id, layers=layers, user_ids=["ada"])
    refused(404, start_track, w, NO_SUCH_ID)


def check_start_of_tracks_checks_its_body_first(w):
    meeting = w.new_meeting()
    refused(400, w.post, w.app_path("recordings", "track"), {})
    refused(400, start_track, w, meeting.id, user_ids=[])
    refused(400, start_track, w, meeting.id, user_ids=["x" * 257])
