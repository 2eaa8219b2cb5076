"""Livestreams. This app has none, and the server cannot make any yet."""

from datetime import datetime, timezone

from harness import NO_SUCH_ID, equal, paging_is, refused

# 404 without a live session; 501 as long as the server cannot stream.
NOTHING_TO_STREAM = (404, 501)


def check_list_is_empty(w):
    answer = w.kit.livestreams.get_all_livestreams(w.app_id, **w.account)
    equal(answer.success, True, "success")
    equal(answer.data.livestreams, [], "data.livestreams")
    paging_is(answer.data.paging, 0, 0, 0)
    paging_is(answer.paging, 0, 0, 0)


def check_list_takes_every_filter(w):
    for order in ("ASC", "DSC"):
        answer = w.kit.livestreams.get_all_livestreams(
            w.app_id,
            **w.account,
            exclude_meetings=True,
            status="LIVE",
            start_time=datetime(2026, 1, 1, tzinfo=timezone.utc),
            end_time=datetime(2036, 1, 1, tzinfo=timezone.utc),
            sort_order=order,
            page_no=1,
            per_page=10,
        )
        equal(answer.data.livestreams, [], "data.livestreams")


def check_create_is_not_implemented(w):
    refused(501, w.post, w.app_path("livestreams"), {"name": "launch"})
    refused(501, w.post, w.app_path("livestreams"), {})


def check_create_checks_its_body_first(w):
    refused(400, w.post, w.app_path("livestreams"), {"name": 7})


def check_unknown_livestream_is_404(w):
    kit = w.kit.livestreams
    refused(
        404,
        kit.get_livestream_session_for_livestream_id,
        NO_SUCH_ID,
        **w.in_app,
        page_no=1,
        per_page=5,
    )
    refused(404, kit.get_active_livestreams_for_livestream_id, NO_SUCH_ID, **w.in_app)
    refused(404, kit.get_livestream_session_details_for_session_id, NO_SUCH_ID, **w.in_app)


def check_livestreams_of_a_meeting_are_empty(w):
    answer = w.get(w.app_path("meetings", w.new_meeting().id, "livestream"))
    equal(answer["success"], True, "success")
    equal(answer["data"]["livestreams"], [], "data.livestreams")
    paging_is(answer["data"]["paging"], 0, 0, 0)
    refused(404, w.get, w.app_path("meetings", NO_SUCH_ID, "livestream"))


def check_no_active_livestream_is_404(w):
    meeting = w.new_meeting()
    for meeting_id in (meeting.id, NO_SUCH_ID):
        refused(404, w.kit.livestreams.get_meeting_active_livestreams, meeting_id, **w.in_app)
        refused(404, w.kit.livestreams.stop_livestreaming_a_meeting, meeting_id, **w.in_app)


def check_start_without_a_live_session(w):
    start = w.kit.livestreams.start_livestreaming_a_meeting
    size = {"width": 1280, "height": 720}
    refused(NOTHING_TO_STREAM, start, w.new_meeting().id, **w.in_app, name="x", video_config=size)
    refused(NOTHING_TO_STREAM, start, w.new_meeting().id, **w.in_app)
    refused(404, start, NO_SUCH_ID, **w.in_app)


def check_start_checks_its_body_first(w):
    start = w.kit.livestreams.start_livestreaming_a_meeting
    refused(400, start, w.new_meeting().id, **w.in_app, video_config={"width": "wide"})
