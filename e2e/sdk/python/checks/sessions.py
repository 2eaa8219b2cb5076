"""Past and live sessions. Nobody has joined a meeting of this app, so there are none."""

from datetime import datetime, timezone

from harness import NO_SUCH_ID, equal, paging_is, refused


def check_list_is_empty(w):
    answer = w.kit.sessions.get_sessions(w.app_id, **w.account)
    equal(answer.success, True, "success")
    equal(answer.data.sessions, [], "data.sessions")
    paging_is(answer.paging, 0, 0, 0)


def check_list_takes_every_filter(w):
    meeting = w.new_meeting()
    answer = w.kit.sessions.get_sessions(
        w.app_id,
        **w.account,
        associated_id=meeting.id,
        start_time=datetime(2026, 1, 1, tzinfo=timezone.utc),
        end_time=datetime(2036, 1, 1, tzinfo=timezone.utc),
        page_no=1,
        per_page=500,
        participants="1:10",
        search="weekly",
        sort_by="minutesConsumed",
        sort_order="ASC",
        status="ENDED",
    )
    equal(answer.data.sessions, [], "data.sessions")
    paging_is(answer.paging, 0, 0, 0)


def check_unknown_session_is_404(w):
    kit = w.kit.sessions
    refused(404, kit.get_session_details, NO_SUCH_ID, **w.in_app, include_breakout_rooms=True)
    refused(404, kit.get_session_participants, NO_SUCH_ID, **w.in_app, view="consolidated")
    refused(
        404,
        kit.get_session_participant_details,
        NO_SUCH_ID,
        **w.in_app,
        session_id=NO_SUCH_ID,
        include_peer_events=True,
    )
    refused(404, kit.get_session_chat, NO_SUCH_ID, **w.in_app)
    refused(404, kit.get_session_transcripts, NO_SUCH_ID, **w.in_app, format="VTT")
    refused(404, kit.get_session_summary, NO_SUCH_ID, **w.in_app)
    refused(404, kit.generate_summary_of_transcripts, NO_SUCH_ID, **w.in_app)
    refused(404, w.get, w.app_path("sessions", NO_SUCH_ID, "livestream-sessions"))


def check_unknown_peer_is_404(w):
    report = w.kit.sessions.get_participant_data_from_peer_id
    refused(404, report, NO_SUCH_ID, **w.in_app)
    refused(404, report, NO_SUCH_ID, **w.in_app, filters="device_info")
