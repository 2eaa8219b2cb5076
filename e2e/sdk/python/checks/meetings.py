"""Meetings: create with all configs, list, read, change, replace."""

import json
import re
from datetime import timedelta

from harness import (
    NO_SUCH_ID,
    NOT_AN_ID,
    all_pages,
    contains,
    equal,
    expect,
    paging_is,
    refused,
)
from samples import (
    FULL_MEETING,
    MEETING_DEFAULTS,
    RECORDING_CONFIG,
    SECRETS,
    STORAGE_CONFIGS,
    readable,
    without_secrets,
)

FULL_MEETING_READABLE = {**FULL_MEETING, "recording_config": readable(RECORDING_CONFIG)}


def read(w, meeting_id):
    return w.kit.meetings.get_meeting_by_id(meeting_id, **w.in_app).data


def no_secret_in(answer, what):
    text = json.dumps(answer.to_dict(mode="json"))
    for name, value in SECRETS.items():
        expect(value not in text, f"{what} tells the {name}")
        expect(f'"{name}"' not in text, f"{what} has a field {name}")


def check_create_with_defaults(w):
    meeting = w.new_meeting()
    equal(w.last_status, 201, "status")
    contains(MEETING_DEFAULTS, meeting.to_dict(), "meeting")
    expect(not meeting.title, f"title is {meeting.title!r}")
    equal(meeting.created_at.utcoffset(), timedelta(0), "created_at is UTC")
    equal(meeting.updated_at, meeting.created_at, "updated_at")


def check_create_takes_null_as_default(w):
    meeting = w.new_meeting(title=None, record_on_start=None, live_stream_on_start=None)
    contains(MEETING_DEFAULTS, meeting.to_dict(), "meeting")


def check_create_takes_whole_numbers_written_as_fractions(w):
    meeting = w.new_meeting(
        session_keep_alive_time_in_secs=90.0, recording_config={"max_seconds": 120.0}
    )
    equal(meeting.session_keep_alive_time_in_secs, 90, "session_keep_alive_time_in_secs")
    equal(meeting.recording_config.max_seconds, 120, "max_seconds")


def check_create_keeps_every_config(w):
    meeting = w.new_meeting(**FULL_MEETING)
    contains(FULL_MEETING_READABLE, meeting.to_dict(), "created")
    contains(FULL_MEETING_READABLE, read(w, meeting.id).to_dict(), "read")


def check_storage_secrets_never_come_back(w):
    app_id = w.new_app(f"{w.tag} storage")
    in_app = {**w.account, "app_id": app_id}
    kit = w.kit.meetings
    for storage in STORAGE_CONFIGS:
        config = {"storage_config": storage}
        created = kit.create(app_id, **w.account, recording_config=config)
        meeting_id = created.data.id
        answers = {
            "create": created,
            "read": kit.get_meeting_by_id(meeting_id, **in_app),
            "list": kit.get(app_id, **w.account),
            "update": kit.update_meeting_by_id(meeting_id, **in_app, recording_config=config),
            "replace": kit.replace_meeting_by_id(meeting_id, **in_app, recording_config=config),
        }
        for what, answer in answers.items():
            no_secret_in(answer, f"{what} ({storage['type']})")
        kept = answers["read"].data.recording_config.storage_config.to_dict()
        contains(without_secrets(storage), kept, f"storage_config ({storage['type']})")


def check_unknown_keys_are_tolerated(w):
    w.new_meeting(title="loose", extra_body={"preferred_region": "eu-central-1", "metadata": {}})


def check_values_are_checked(w):
    def attempt(**fields):
        refused(400, w.kit.meetings.create, w.app_id, **w.account, **fields)

    attempt(session_keep_alive_time_in_secs=59)
    attempt(session_keep_alive_time_in_secs=601)
    attempt(session_keep_alive_time_in_secs=60.5)
    attempt(title=7)
    attempt(persist_chat="yes")
    attempt(recording_config={"max_seconds": 59})
    attempt(recording_config={"max_seconds": 86401})
    attempt(recording_config={"realtimekit_bucket_config": {}})
    attempt(recording_config={"realtimekit_bucket_config": {"enabled": False}})
    attempt(recording_config={"storage_config": {"type": "floppy"}})
    attempt(recording_config={"video_config": {"width": 1921}})
    attempt(recording_config={"audio_config": {"codec": "OPUS"}})
    attempt(ai_config={"summarization": {"word_limit": 149}})
    attempt(ai_config={"transcription": {"language": "xx"}})


def check_all_faults_are_told_at_once(w):
    error = refused(
        400,
        w.kit.meetings.create,
        w.app_id,
        **w.account,
        session_keep_alive_time_in_secs=1,
        persist_chat="yes",
    )
    text = json.dumps(error.body)
    expect("session_keep_alive_time_in_secs" in text, f"the first fault is not named: {text}")
    expect("persist_chat" in text, f"the second fault is not named: {text}")


def check_more_languages_than_the_contract_lists(w):
    """The typed SDK knows ten languages, so this asks for plain JSON."""
    for language in ("es", "pt", "pt-BR", "it", "multi", "en"):
        body = {"ai_config": {"transcription": {"language": language}}}
        answer = w.post(w.app_path("meetings"), body)
        equal(answer["data"]["ai_config"]["transcription"]["language"], language, "language")


def check_times_have_three_digits_and_end_in_z(w):
    meeting = w.get(w.app_path("meetings", w.new_meeting().id))["data"]
    for field in ("created_at", "updated_at"):
        shape = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
        expect(re.fullmatch(shape, meeting[field]), f"{field} is {meeting[field]!r}")


def check_read_answers_what_create_answered(w):
    meeting = w.new_meeting(title="same")
    equal(read(w, meeting.id).to_dict(), meeting.to_dict(), "meeting")


def check_read_ignores_the_name_parameter(w):
    meeting = w.new_meeting(title="named")
    answer = w.kit.meetings.get_meeting_by_id(meeting.id, **w.in_app, name="other")
    equal(answer.data.title, "named", "title")


def check_update_changes_only_what_is_given(w):
    meeting = w.new_meeting(**FULL_MEETING)
    changed = w.kit.meetings.update_meeting_by_id(
        meeting.id, **w.in_app, title="Monthly", status="INACTIVE"
    ).data
    expected = {**FULL_MEETING_READABLE, "title": "Monthly", "status": "INACTIVE"}
    contains(expected, changed.to_dict(), "updated")
    contains(expected, read(w, meeting.id).to_dict(), "read")
    equal(changed.created_at, meeting.created_at, "created_at")
    expect(changed.updated_at >= meeting.updated_at, "updated_at went back")
    again = w.kit.meetings.update_meeting_by_id(meeting.id, **w.in_app, status="ACTIVE").data
    equal(again.status, "ACTIVE", "status")


def check_update_with_nothing_changes_nothing(w):
    meeting = w.new_meeting(**FULL_MEETING)
    same = w.kit.meetings.update_meeting_by_id(meeting.id, **w.in_app).data
    contains(FULL_MEETING_READABLE, same.to_dict(), "meeting")


def check_update_refuses_an_unknown_status(w):
    meeting = w.new_meeting()
    refused(400, w.kit.meetings.update_meeting_by_id, meeting.id, **w.in_app, status="OPEN")


def check_replace_sets_absent_fields_to_their_defaults(w):
    meeting = w.new_meeting(**FULL_MEETING)
    w.kit.meetings.update_meeting_by_id(meeting.id, **w.in_app, status="INACTIVE")
    replaced = w.kit.meetings.replace_meeting_by_id(meeting.id, **w.in_app, title="Bare").data
    equal(replaced.id, meeting.id, "id")
    expected = {**MEETING_DEFAULTS, "title": "Bare", "status": "INACTIVE"}  # status is not part
    contains(expected, replaced.to_dict(), "replaced")
    expect(not replaced.recording_config, "recording_config is still there")
    expect(not replaced.ai_config, "ai_config is still there")
    equal(replaced.created_at, meeting.created_at, "created_at")


def check_list_of_a_new_app_is_empty(w):
    answer = w.kit.meetings.get(w.new_app(f"{w.tag} empty"), **w.account)
    equal(answer.data, [], "data")
    paging_is(answer.paging, 0, 0, 0)


def check_list_comes_in_pages_newest_first(w):
    app_id = w.new_app(f"{w.tag} meeting pages")
    made = [w.kit.meetings.create(app_id, **w.account, title=str(n)).data.id for n in range(5)]
    rows = all_pages(lambda **page: w.kit.meetings.get(app_id, **w.account, **page), per_page=2)
    equal([row.id for row in rows], made[::-1], "order")
    second = w.kit.meetings.get(app_id, **w.account, page_no=2.0, per_page=2.0)
    paging_is(second.paging, 5, 3, 4)


def check_list_rows_carry_the_recording_config(w):
    title = f"{w.tag} row"
    w.new_meeting(**{**FULL_MEETING, "title": title})
    row = w.kit.meetings.get(w.app_id, **w.account, search=title).data[0]
    contains(readable(RECORDING_CONFIG), row.recording_config.to_dict(), "recording_config")


def check_search_by_title_and_id(w):
    meeting = w.new_meeting(title=f"{w.tag} Search Me")
    for text in (f"{w.tag} search me", "search ME", meeting.id):
        found = w.kit.meetings.get(w.app_id, **w.account, search=text).data
        equal([row.id for row in found], [meeting.id], f"search {text!r}")


def check_filter_by_status(w):
    app_id = w.new_app(f"{w.tag} status")
    closed = w.kit.meetings.create(app_id, **w.account, title="closed").data.id
    opened = w.kit.meetings.create(app_id, **w.account, title="open").data.id
    w.kit.meetings.update_meeting_by_id(closed, **w.account, app_id=app_id, status="INACTIVE")
    for status, expected in (("INACTIVE", closed), ("ACTIVE", opened)):
        answer = w.kit.meetings.get(app_id, **w.account, status=status)
        equal([row.id for row in answer.data], [expected], status)
        paging_is(answer.paging, 1, 1, 1)


def check_filter_by_time(w):
    app_id = w.new_app(f"{w.tag} time")
    meeting = w.kit.meetings.create(app_id, **w.account).data
    before, after = (meeting.created_at + timedelta(hours=hours) for hours in (-1, 1))

    def ids(**times):
        return [row.id for row in w.kit.meetings.get(app_id, **w.account, **times).data]

    equal(ids(start_time=before, end_time=after), [meeting.id], "around")
    equal(
        ids(start_time=meeting.created_at, end_time=meeting.created_at), [meeting.id], "both ends"
    )
    equal(ids(start_time=after), [], "later")
    equal(ids(end_time=before), [], "earlier")
    equal(ids(start_time=before.replace(tzinfo=None)), [meeting.id], "without an offset, UTC")


def check_unknown_meeting_is_404(w):
    for meeting_id in (NO_SUCH_ID, NOT_AN_ID):
        refused(404, w.kit.meetings.get_meeting_by_id, meeting_id, **w.in_app)
        refused(404, w.kit.meetings.update_meeting_by_id, meeting_id, **w.in_app, title="x")
        refused(404, w.kit.meetings.replace_meeting_by_id, meeting_id, **w.in_app, title="x")


def check_a_meeting_of_another_app_is_404(w):
    meeting = w.new_meeting()
    other = {**w.account, "app_id": w.new_app(f"{w.tag} stranger")}
    refused(404, w.kit.meetings.get_meeting_by_id, meeting.id, **other)
    refused(404, w.kit.meetings.update_meeting_by_id, meeting.id, **other, title="mine")
    refused(404, w.kit.meetings.get_meeting_participants, meeting.id, **other)


def check_delete_removes_a_meeting(w):
    """An extension: the published API cannot delete a meeting."""
    meeting = w.new_meeting()
    w.delete(w.app_path("meetings", meeting.id))
    equal(w.last_status, 200, "status")
    refused(404, w.kit.meetings.get_meeting_by_id, meeting.id, **w.in_app)
