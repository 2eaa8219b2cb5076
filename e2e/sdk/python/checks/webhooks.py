"""Webhooks: create, list, read, change, replace, delete, and the names of all events."""

from harness import NO_SUCH_ID, NOT_AN_ID, equal, expect, refused

EVENTS = [
    "meeting.started",
    "meeting.ended",
    "meeting.participantJoined",
    "meeting.participantLeft",
    "meeting.chatSynced",
    "recording.statusUpdate",
    "livestreaming.statusUpdate",
    "meeting.transcript",
    "meeting.summary",
]
HOOK = {"url": "https://example.com/hook", "events": ["meeting.started", "meeting.ended"]}


def create(w, name, **changes):
    return w.kit.webhooks.create_webhook(
        w.app_id, **w.account, name=name, **{**HOOK, **changes}
    ).data


def read(w, webhook_id):
    return w.kit.webhooks.get_webhook_by_id(webhook_id, **w.in_app).data


def check_list_of_a_new_app_is_empty(w):
    answer = w.kit.webhooks.get_webhooks(w.new_app(f"{w.tag} hooks"), **w.account)
    equal(answer.data, [], "data")


def check_create_and_read(w):
    made = create(w, "first")
    equal(w.last_status, 201, "status")
    equal(made.name, "first", "name")
    equal(made.url, HOOK["url"], "url")
    equal(made.events, HOOK["events"], "events")
    equal(made.enabled, True, "enabled")
    equal(read(w, made.id).to_dict(), made.to_dict(), "read")


def check_create_disabled_with_all_events(w):
    made = create(w, "quiet", enabled=False, events=EVENTS)
    equal(made.enabled, False, "enabled")
    equal(made.events, EVENTS, "events")


def check_list_holds_them(w):
    made = [create(w, "listed 1").id, create(w, "listed 2").id]
    listed = [row.id for row in w.kit.webhooks.get_webhooks(w.app_id, **w.account).data]
    equal(set(made) - set(listed), set(), "missing webhooks")


def check_edit_changes_only_what_is_given(w):
    made = create(w, "to edit")
    edited = w.kit.webhooks.edit_webhook(made.id, **w.in_app, enabled=False).data
    equal(edited.enabled, False, "enabled")
    unchanged = (made.id, made.name, made.url, made.events, made.created_at)
    equal((edited.id, edited.name, edited.url, edited.events, edited.created_at), unchanged, "rest")
    events = ["meeting.summary"]
    edited = w.kit.webhooks.edit_webhook(made.id, **w.in_app, name="edited", events=events).data
    equal((edited.name, edited.events), ("edited", events), "name and events")
    equal(read(w, made.id).to_dict(), edited.to_dict(), "read")


def check_replace_sets_everything(w):
    made = create(w, "to replace", enabled=False)
    body = {"name": "replaced", "url": "https://example.com/new", "events": ["meeting.transcript"]}
    replaced = w.kit.webhooks.replace_webhook(made.id, **w.in_app, **body).data
    equal(replaced.id, made.id, "id")
    equal(replaced.name, body["name"], "name")
    equal(replaced.url, body["url"], "url")
    equal(replaced.events, body["events"], "events")
    equal(replaced.enabled, True, "enabled")
    equal(read(w, made.id).to_dict(), replaced.to_dict(), "read")


def check_delete_answers_the_webhook_and_removes_it(w):
    made = create(w, "to delete")
    gone = w.kit.webhooks.delete_webhook(made.id, **w.in_app).data
    equal((gone.id, gone.name), (made.id, "to delete"), "id and name")
    refused(404, w.kit.webhooks.get_webhook_by_id, made.id, **w.in_app)


def check_names_are_unique(w):
    create(w, "only one")
    other = create(w, "other")
    refused(409, create, w, "only one")
    refused(409, w.kit.webhooks.edit_webhook, other.id, **w.in_app, name="only one")
    w.kit.webhooks.edit_webhook(other.id, **w.in_app, name="other")


def check_values_are_checked(w):
    refused(400, create, w, "no events", events=[])
    refused(400, create, w, "unknown event", events=["meeting.paused"])
    refused(400, create, w, "not a url", url="example")
    refused(400, create, w, "not http", url="ftp://example.com/hook")
    refused(400, w.post, w.app_path("webhooks"), {"name": "no url", "events": HOOK["events"]})


def check_unknown_webhook(w):
    for webhook_id, status in ((NO_SUCH_ID, 404), (NOT_AN_ID, 400)):
        refused(status, w.kit.webhooks.get_webhook_by_id, webhook_id, **w.in_app)
        refused(status, w.kit.webhooks.edit_webhook, webhook_id, **w.in_app, enabled=False)
        refused(status, w.kit.webhooks.replace_webhook, webhook_id, **w.in_app, name="x", **HOOK)
        refused(status, w.kit.webhooks.delete_webhook, webhook_id, **w.in_app)


def check_a_webhook_of_another_app_is_404(w):
    made = create(w, "private")
    other = {**w.account, "app_id": w.new_app(f"{w.tag} not mine")}
    refused(404, w.kit.webhooks.get_webhook_by_id, made.id, **other)


def check_all_answers_the_names_of_the_events(w):
    answer = w.get(w.app_path("webhooks", "all"))
    equal(answer["success"], True, "success")
    equal(answer["data"], EVENTS, "data")


def check_no_credentials_says_unauthorized(w):
    stranger = w.connect(token="no-such-token")
    error = refused(401, stranger.realtime_kit.webhooks.get_webhooks, w.app_id, **w.account)
    expect(error.body.get("message") == "Unauthorized", f"message: {error.body.get('message')!r}")
