"""Presets: the seven that every app has, and create, read, change, replace, delete."""

from cloudflare.types.realtime_kit import PresetCreateResponse

from harness import NO_SUCH_ID, all_pages, contains, equal, expect, paging_is, refused
from samples import PRESET, preset

# name: view type, who may produce audio, video, screenshare, is a host, stage, waiting room
ALL = ("ALLOWED", "ALLOWED", "ALLOWED")
SEEDED = {
    "group_call_host": ("GROUP_CALL", ALL, True, None, "SKIP"),
    "group_call_participant": ("GROUP_CALL", ALL, False, None, "SKIP"),
    "group_call_guest": (
        "GROUP_CALL",
        ("ALLOWED", "ALLOWED", "NOT_ALLOWED"),
        False,
        None,
        "SKIP_ON_ACCEPT",
    ),
    "webinar_presenter": ("WEBINAR", ALL, True, "ALLOWED", "SKIP"),
    "webinar_viewer": ("WEBINAR", ("CAN_REQUEST",) * 3, False, "CAN_REQUEST", "SKIP"),
    "livestream_host": ("LIVESTREAM", ALL, True, "ALLOWED", "SKIP"),
    "livestream_viewer": ("LIVESTREAM", ("NOT_ALLOWED",) * 3, False, "CAN_REQUEST", "SKIP"),
}


def create(w, name, **changes):
    return w.kit.presets.create(w.app_id, **w.account, **preset(name=name, **changes)).data


def read(w, preset_id):
    return w.kit.presets.get_preset_by_id(preset_id, **w.in_app).data


def check_a_new_app_has_seven_presets(w):
    app_id = w.new_app(f"{w.tag} presets")
    answer = w.kit.presets.get(app_id, **w.account)
    equal({row.name for row in answer.data}, set(SEEDED), "names")
    paging_is(answer.paging, 7, 1, 7)
    for row in answer.data:
        expect(row.id and row.created_at and row.updated_at, f"{row.name}: a field is missing")


def check_seeded_presets_grant_what_their_role_says(w):
    rows = {row.name: row.id for row in w.kit.presets.get(w.app_id, **w.account, per_page=100).data}
    for name, (view_type, produce, is_host, stage, waiting_room) in SEEDED.items():
        found = read(w, rows[name])
        may = found.permissions
        equal(found.config.view_type, view_type, f"{name} view_type")
        media = (may.media.audio, may.media.video, may.media.screenshare)
        equal(tuple(kind.can_produce for kind in media), produce, f"{name} can_produce")
        for power in (
            "kick_participant",
            "pin_participant",
            "disable_participant_audio",
            "disable_participant_video",
            "disable_participant_screensharing",
            "can_spotlight",
            "accept_waiting_requests",
            "can_change_participant_permissions",
            "can_record",
            "can_livestream",
        ):
            equal(getattr(may, power), is_host, f"{name} {power}")
        equal(may.polls.can_create, is_host, f"{name} polls.can_create")
        equal(may.waiting_room_type, waiting_room, f"{name} waiting_room_type")
        equal(bool(may.stage_enabled), stage is not None, f"{name} stage_enabled")
        if stage is not None:
            equal(may.stage_access, stage, f"{name} stage_access")
            equal(may.can_accept_production_requests, is_host, f"{name} stage requests")


def check_create_keeps_every_field(w):
    made = create(w, "complete")
    equal(w.last_status, 201, "status")
    equal(made.name, "complete", "name")
    contains(PRESET, made.to_dict(), "preset")
    contains(PRESET, read(w, made.id).to_dict(), "read")


def check_create_fills_what_is_left_out(w):
    """The strict client accepts the answer only when every required field is there."""
    answer = w.post(w.app_path("presets"), {"name": "sparse"}, cast_to=PresetCreateResponse)
    equal(w.last_status, 201, "status")
    equal(answer.data.config.view_type, "GROUP_CALL", "view_type")
    equal(answer.data.permissions.waiting_room_type, "SKIP", "waiting_room_type")
    equal(answer.data.permissions.kick_participant, False, "kick_participant")
    equal(answer.data.ui.design_tokens.colors.danger, "#FF2D2D", "danger")


def check_create_needs_a_name(w):
    refused(400, w.post, w.app_path("presets"), preset())


def check_names_are_unique(w):
    create(w, "only one")
    refused(409, w.kit.presets.create, w.app_id, **w.account, **preset(name="only one"))


def check_values_are_checked(w):
    def attempt(**changes):
        body = preset(name="invalid", **changes)
        refused(400, w.kit.presets.create, w.app_id, **w.account, **body)

    attempt(config={**PRESET["config"], "view_type": "THEATRE"})
    attempt(permissions={**PRESET["permissions"], "kick_participant": "yes"})
    attempt(permissions={**PRESET["permissions"], "waiting_room_type": "SOMETIMES"})
    too_fast = {**PRESET["config"]["media"], "video": {"quality": "hd", "frame_rate": 31}}
    attempt(config={**PRESET["config"], "media": too_fast})


def check_update_changes_only_what_is_given(w):
    made = create(w, "to update")
    changed = w.kit.presets.update(
        made.id,
        **w.in_app,
        permissions={"kick_participant": False, "polls": {"can_vote": True}},
        ui={"design_tokens": {"theme": "darkest"}},
    ).data
    expected = preset()
    expected["permissions"]["kick_participant"] = False
    expected["permissions"]["polls"]["can_vote"] = True
    expected["ui"]["design_tokens"]["theme"] = "darkest"
    equal(changed.id, made.id, "id")
    equal(changed.name, "to update", "name")
    contains(expected, changed.to_dict(), "preset")
    contains(expected, read(w, made.id).to_dict(), "read")


def check_update_can_rename(w):
    made = create(w, "old name")
    equal(w.kit.presets.update(made.id, **w.in_app, name="new name").data.name, "new name", "name")
    refused(409, w.kit.presets.update, made.id, **w.in_app, name="group_call_host")


def check_replace_sets_everything(w):
    made = create(w, "to replace")
    body = preset(name="replaced")
    body["config"]["view_type"] = "AUDIO_ROOM"
    body["permissions"]["plugins"]["config"] = {}
    replaced = w.kit.presets.replace_preset_by_id(made.id, **w.in_app, **body).data
    equal(replaced.id, made.id, "id")
    contains(body, replaced.to_dict(), "preset")
    equal(replaced.permissions.plugins.config, {}, "plugins.config")


def check_delete_answers_the_preset_and_removes_it(w):
    made = create(w, "to delete")
    gone = w.kit.presets.delete(made.id, **w.in_app).data
    equal(gone.id, made.id, "id")
    equal(gone.name, "to delete", "name")
    refused(404, w.kit.presets.get_preset_by_id, made.id, **w.in_app)


def check_a_preset_in_use_stays(w):
    made = create(w, "in use")
    meeting = w.new_meeting()
    w.new_participant(meeting.id, preset="in use")
    refused(409, w.kit.presets.delete, made.id, **w.in_app, says="1")
    read(w, made.id)


def check_list_comes_in_pages(w):
    app_id = w.new_app(f"{w.tag} preset pages")
    rows = all_pages(lambda **page: w.kit.presets.get(app_id, **w.account, **page), per_page=3)
    equal(sorted(row.name for row in rows), sorted(SEEDED), "names over all pages")
    last = w.kit.presets.get(app_id, **w.account, page_no=3, per_page=3)
    paging_is(last.paging, 7, 7, 7)


def check_search_by_name(w):
    found = w.kit.presets.get(w.app_id, **w.account, search="WEBINAR_").data
    equal({row.name for row in found}, {"webinar_presenter", "webinar_viewer"}, "names")


def check_unknown_preset_is_404(w):
    refused(404, w.kit.presets.get_preset_by_id, NO_SUCH_ID, **w.in_app)
    refused(404, w.kit.presets.update, NO_SUCH_ID, **w.in_app, name="x")
    refused(404, w.kit.presets.replace_preset_by_id, NO_SUCH_ID, **w.in_app, **preset(name="x"))
    refused(404, w.kit.presets.delete, NO_SUCH_ID, **w.in_app)


def check_a_preset_of_another_app_is_404(w):
    made = create(w, "private")
    other = w.new_app(f"{w.tag} other")
    refused(404, w.kit.presets.get_preset_by_id, made.id, **w.account, app_id=other)
