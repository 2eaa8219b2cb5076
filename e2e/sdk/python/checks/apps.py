"""Apps: create, list, read."""

from datetime import timedelta

from harness import NO_SUCH_ID, all_pages, equal, expect, paging_is, refused


def check_create_answers_the_app(w):
    app = w.kit.apps.post(**w.account, name=f"{w.tag} created").data.app
    w.apps.append(app.id)
    equal(w.last_status, 200, "status")
    equal(app.name, f"{w.tag} created", "name")
    equal(app.created_at.utcoffset(), timedelta(0), "created_at is UTC")


def check_read_answers_the_same_app(w):
    answer = w.get(w.path("apps", w.app_id))
    equal(answer["success"], True, "success")
    equal(answer["data"]["id"], w.app_id, "id")
    equal(answer["data"]["name"], w.tag, "name")


def check_read_of_an_unknown_app_is_404(w):
    refused(404, w.get, w.path("apps", NO_SUCH_ID))


def check_create_needs_a_name(w):
    refused(400, w.post, w.path("apps"), {})
    refused(400, w.kit.apps.post, **w.account, name="")


def check_names_need_not_be_unique(w):
    first = w.new_app(f"{w.tag} twin")
    second = w.new_app(f"{w.tag} twin")
    expect(first != second, "two apps have one id")


def check_list_is_newest_first(w):
    w.new_app(f"{w.tag} newer")
    apps = w.kit.apps.get(**w.account, search=w.tag, per_page=100).data
    created = [app.created_at for app in apps]
    expect(len(apps) >= 2, "expected at least two apps")
    equal(created, sorted(created, reverse=True), "order")
    oldest_first = w.kit.apps.get(**w.account, search=w.tag, per_page=100, sort_order="ASC").data
    equal([app.id for app in oldest_first], [app.id for app in reversed(apps)], "order with ASC")


def check_list_comes_in_pages(w):
    names = [f"{w.tag} page {number}" for number in range(3)]
    for name in names:
        w.new_app(name)
    search = f"{w.tag} page"
    first = w.kit.apps.get(**w.account, search=search, page_no=1, per_page=2)
    equal([app.name for app in first.data], [names[2], names[1]], "first page")
    paging_is(first.paging, 3, 1, 2)
    second = w.kit.apps.get(**w.account, search=search, page_no=2, per_page=2)
    equal([app.name for app in second.data], [names[0]], "second page")
    paging_is(second.paging, 3, 3, 3)


def check_list_holds_every_app_of_this_run(w):
    rows = all_pages(lambda **page: w.kit.apps.get(**w.account, **page), per_page=50)
    missing = set(w.apps) - {app.id for app in rows}
    equal(missing, set(), "missing apps")


def check_search_is_a_part_of_the_name_in_any_case(w):
    found = w.kit.apps.get(**w.account, search=w.tag.upper(), per_page=100).data
    expect(w.app_id in [app.id for app in found], "the app was not found")


def check_search_without_match_is_empty(w):
    nothing = w.kit.apps.get(**w.account, search=f"{w.tag} no such name")
    equal(nothing.data, [], "data")
    paging_is(nothing.paging, 0, 0, 0)


def check_delete_removes_an_app_and_all_in_it(w):
    """An extension: the published API cannot delete an app."""
    app_id = w.kit.apps.post(**w.account, name=f"{w.tag} deleted").data.app.id
    meeting = w.kit.meetings.create(app_id, **w.account).data
    w.delete(w.path("apps", app_id))
    equal(w.last_status, 200, "status")
    refused(404, w.get, w.path("apps", app_id))
    refused(404, w.kit.meetings.get_meeting_by_id, meeting.id, **w.account, app_id=app_id)
