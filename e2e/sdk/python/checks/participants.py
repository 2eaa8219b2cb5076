"""Participants: add, page, edit, replace, refresh the token, delete."""

import base64
import json

from cloudflare.types.realtime_kit import MeetingAddParticipantResponse

from harness import NO_SUCH_ID, NOT_AN_ID, all_pages, equal, expect, paging_is, refused


def read(w, meeting_id, participant_id):
    return w.kit.meetings.get_meeting_participant(
        participant_id, **w.in_app, meeting_id=meeting_id
    ).data


def replace(w, meeting_id, participant_id, body):
    path = w.app_path("meetings", meeting_id, "participants", participant_id)
    return w.put(path, body, cast_to=MeetingAddParticipantResponse).data


def part_of_token(token, index):
    text = token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def check_add_answers_the_participant_and_a_token(w):
    meeting = w.new_meeting()
    ada = w.new_participant(
        meeting.id, "u-1", "group_call_host", name="Ada", picture="https://example.com/ada.png"
    )
    equal(w.last_status, 201, "status")
    equal(ada.custom_participant_id, "u-1", "custom_participant_id")
    equal(ada.preset_name, "group_call_host", "preset_name")
    equal(ada.name, "Ada", "name")
    equal(ada.picture, "https://example.com/ada.png", "picture")
    expect(ada.token.startswith("eyJ"), f"the token begins with {ada.token[:3]!r}")


def check_the_token_names_its_owner(w):
    meeting = w.new_meeting()
    ada = w.new_participant(meeting.id)
    equal(part_of_token(ada.token, 0)["alg"], "EdDSA", "alg")
    claims = part_of_token(ada.token, 1)
    equal(claims["orgId"], w.app_id, "orgId")
    equal(claims["meetingId"], meeting.id, "meetingId")
    equal(claims["participantId"], ada.id, "participantId")
    expect(claims["presetId"] and claims["jti"], f"a claim is empty: {claims!r}")
    expect(claims["exp"] > claims["iat"], f"the token is born expired: {claims!r}")


def check_name_and_picture_may_be_left_out(w):
    meeting = w.new_meeting()
    ada = w.new_participant(meeting.id, name=None)
    row = w.get(w.app_path("meetings", meeting.id, "participants", ada.id))["data"]
    for field in ("name", "picture"):
        expect(field in row and row[field] is None, f"{field} should be null: {row!r}")


def check_reads_never_tell_a_token(w):
    meeting = w.new_meeting()
    ada = w.new_participant(meeting.id)
    one = read(w, meeting.id, ada.id)
    many = w.kit.meetings.get_meeting_participants(meeting.id, **w.in_app).data
    equal([row.id for row in many], [ada.id], "list")
    for found in (one, many[0]):
        expect("token" not in found.to_dict(), "a read tells the token")
        equal(found.custom_participant_id, ada.custom_participant_id, "custom_participant_id")


def check_the_same_person_twice_is_one_participant(w):
    meeting = w.new_meeting()
    first = w.new_participant(meeting.id, "twice", "group_call_host", name="Ada")
    second = w.new_participant(meeting.id, "twice", "group_call_guest", name="Ada L.")
    equal(second.id, first.id, "id")
    equal(second.name, "Ada L.", "name")
    equal(second.preset_name, "group_call_guest", "preset_name")
    expect(second.token != first.token, "the second token is the first one")
    paging_is(w.kit.meetings.get_meeting_participants(meeting.id, **w.in_app).paging, 1, 1, 1)


def check_the_same_person_in_two_meetings_is_two_participants(w):
    first = w.new_participant(w.new_meeting().id, "both")
    second = w.new_participant(w.new_meeting().id, "both")
    expect(first.id != second.id, "two meetings share a participant")


def check_preset_names_with_hyphens_find_the_underscored_one(w):
    meeting = w.new_meeting()
    ada = w.new_participant(meeting.id, preset="group-call-participant")
    equal(ada.preset_name, "group_call_participant", "preset_name")


def check_an_exact_preset_name_comes_first(w):
    body = {"name": "webinar-viewer"}
    w.post(w.app_path("presets"), body)
    meeting = w.new_meeting()
    equal(w.new_participant(meeting.id, "a", "webinar-viewer").preset_name, "webinar-viewer", "a")
    equal(w.new_participant(meeting.id, "b", "webinar_viewer").preset_name, "webinar_viewer", "b")


def check_unknown_preset_is_404(w):
    meeting = w.new_meeting()
    says = "No preset found"
    refused(404, w.new_participant, meeting.id, preset="nobody", says=says)
    refused(404, w.new_participant, meeting.id, preset="Group_Call_Host", says=says)
    ada = w.new_participant(meeting.id)
    edit = w.kit.meetings.edit_participant
    refused(404, edit, ada.id, **w.in_app, meeting_id=meeting.id, preset_name="nobody", says=says)
    equal(read(w, meeting.id, ada.id).preset_name, ada.preset_name, "preset_name")


def check_values_are_checked(w):
    participants = w.app_path("meetings", w.new_meeting().id, "participants")
    preset = {"preset_name": "group_call_host"}
    refused(400, w.post, participants, {})
    refused(400, w.post, participants, {"custom_participant_id": "ada"})
    refused(400, w.post, participants, preset)
    refused(400, w.post, participants, {**preset, "custom_participant_id": ""})
    refused(400, w.post, participants, {**preset, "custom_participant_id": "x" * 257})
    refused(400, w.post, participants, {**preset, "custom_participant_id": "ada", "name": 7})


def check_unknown_keys_are_tolerated(w):
    meeting = w.new_meeting()
    w.new_participant(meeting.id, extra_body={"metadata": {"team": "blue"}, "presetName": "x"})


def check_the_older_field_name_is_accepted(w):
    participants = w.app_path("meetings", w.new_meeting().id, "participants")
    body = {"client_specific_id": "old", "preset_name": "group_call_host"}
    ada = w.post(participants, body, cast_to=MeetingAddParticipantResponse).data
    equal(ada.custom_participant_id, "old", "custom_participant_id")
    expect("client_specific_id" not in ada.to_dict(), "the older name is answered too")


def check_an_inactive_meeting_takes_participants(w):
    meeting = w.new_meeting()
    w.kit.meetings.update_meeting_by_id(meeting.id, **w.in_app, status="INACTIVE")
    ada = w.new_participant(meeting.id)
    equal(ada.custom_participant_id, "ada", "custom_participant_id")


def check_list_comes_in_pages_newest_first(w):
    meeting = w.new_meeting()
    made = [w.new_participant(meeting.id, f"u-{number}").id for number in range(5)]

    def page(**query):
        return w.kit.meetings.get_meeting_participants(meeting.id, **w.in_app, **query)

    equal([row.id for row in all_pages(page, per_page=2)], made[::-1], "order")
    paging_is(page().paging, 5, 1, 5)
    paging_is(page(page_no=0, per_page=2).paging, 5, 1, 2)
    paging_is(page(page_no=1, per_page=2).paging, 5, 1, 2)
    paging_is(page(page_no=3.0, per_page=2.0).paging, 5, 5, 5)
    paging_is(page(page_no=1, per_page=100000).paging, 5, 1, 5)
    beyond = page(page_no=4, per_page=2)
    equal(beyond.data, [], "past the end")
    paging_is(beyond.paging, 5, 7, 5)


def check_list_of_a_new_meeting_is_empty(w):
    meeting = w.new_meeting()
    answer = w.kit.meetings.get_meeting_participants(meeting.id, **w.in_app)
    equal(answer.data, [], "data")
    paging_is(answer.paging, 0, 0, 0)


def check_impossible_pages_are_400(w):
    participants = w.app_path("meetings", w.new_meeting().id, "participants")
    for query in ({"page_no": -1}, {"page_no": 1.5}, {"page_no": "two"}, {"per_page": -1}):
        refused(400, w.get, participants, query)


def check_edit_changes_only_what_is_given(w):
    meeting = w.new_meeting()
    ada = w.new_participant(meeting.id, name="Ada", picture="https://example.com/ada.png")
    edit = w.kit.meetings.edit_participant
    renamed = edit(ada.id, **w.in_app, meeting_id=meeting.id, name="Ada L.").data
    equal(renamed.id, ada.id, "id")
    equal(renamed.name, "Ada L.", "name")
    equal(renamed.picture, "https://example.com/ada.png", "picture")
    equal(renamed.preset_name, ada.preset_name, "preset_name")
    expect(renamed.token.startswith("eyJ") and renamed.token != ada.token, "no new token")
    expect(renamed.updated_at >= ada.updated_at, "updated_at went back")
    moved = edit(ada.id, **w.in_app, meeting_id=meeting.id, preset_name="webinar-presenter").data
    equal(moved.preset_name, "webinar_presenter", "preset_name")
    equal(read(w, meeting.id, ada.id).preset_name, "webinar_presenter", "read")


def check_replace_sets_absent_fields_to_null(w):
    meeting = w.new_meeting()
    ada = w.new_participant(meeting.id, name="Ada", picture="https://example.com/ada.png")
    body = {"custom_participant_id": "grace", "preset_name": "group_call_guest"}
    grace = replace(w, meeting.id, ada.id, body)
    equal(grace.id, ada.id, "id")
    equal(grace.custom_participant_id, "grace", "custom_participant_id")
    equal(grace.preset_name, "group_call_guest", "preset_name")
    equal((grace.name, grace.picture), (None, None), "name and picture")
    expect(grace.token != ada.token, "no new token")
    equal(grace.created_at, ada.created_at, "created_at")


def check_replace_needs_both_fields(w):
    meeting = w.new_meeting()
    ada = w.new_participant(meeting.id)
    refused(400, replace, w, meeting.id, ada.id, {"custom_participant_id": "ada"})
    refused(400, replace, w, meeting.id, ada.id, {"preset_name": "group_call_host"})


def check_refresh_answers_a_new_token(w):
    meeting = w.new_meeting()
    ada = w.new_participant(meeting.id)
    fresh = w.kit.meetings.refresh_participant_token(ada.id, **w.in_app, meeting_id=meeting.id)
    equal(w.last_status, 200, "status")
    expect(fresh.data.token != ada.token, "the token is the old one")
    equal(part_of_token(fresh.data.token, 1)["participantId"], ada.id, "participantId")


def check_delete_removes_the_participant(w):
    meeting = w.new_meeting()
    ada = w.new_participant(meeting.id, name="Ada")
    presets = w.kit.presets.get(w.app_id, **w.account, search=ada.preset_name).data
    gone = w.kit.meetings.delete_meeting_participant(ada.id, **w.in_app, meeting_id=meeting.id).data
    equal(gone.custom_participant_id, "ada", "custom_participant_id")
    expect(gone.preset_id in [row.id for row in presets], "preset_id is not that of the preset")
    fields = {"custom_participant_id", "preset_id", "created_at", "updated_at"}
    equal(set(gone.to_dict()), fields, "fields")
    refused(404, read, w, meeting.id, ada.id)
    paging_is(w.kit.meetings.get_meeting_participants(meeting.id, **w.in_app).paging, 0, 0, 0)


def check_unknown_participant_is_404(w):
    here = {**w.in_app, "meeting_id": w.new_meeting().id}
    kit = w.kit.meetings
    body = {"custom_participant_id": "ada", "preset_name": "group_call_host"}
    for participant_id in (NO_SUCH_ID, NOT_AN_ID):
        refused(404, kit.get_meeting_participant, participant_id, **here)
        refused(404, kit.edit_participant, participant_id, **here, name="x")
        refused(404, replace, w, here["meeting_id"], participant_id, body)
        refused(404, kit.refresh_participant_token, participant_id, **here)
        refused(404, kit.delete_meeting_participant, participant_id, **here)


def check_unknown_meeting_is_404(w):
    refused(404, w.kit.meetings.get_meeting_participants, NO_SUCH_ID, **w.in_app)
    refused(404, w.new_participant, NO_SUCH_ID)


def check_a_participant_of_another_meeting_is_404(w):
    ada = w.new_participant(w.new_meeting().id)
    refused(404, read, w, w.new_meeting().id, ada.id)
