"""Who may call, what is answered to those who may not, and how long the SDK keeps trying."""

from cloudflare import Omit

from harness import NO_SUCH_ID, equal, expect, refused
from samples import PRESET


def check_no_credentials_is_401(w):
    headers = {"Authorization": Omit()}
    refused(401, w.kit.apps.get, **w.account, extra_headers=headers)


def check_unknown_token_is_401(w):
    stranger = w.connect(token="no-such-token")
    error = refused(401, stranger.realtime_kit.apps.get, **w.account)
    equal(error.errors[0].code, 10000, "errors[0].code")
    expect(
        "result" in error.body and error.body["result"] is None, "a gateway error has result null"
    )


def check_unreadable_authorization_is_400(w):
    headers = {"Authorization": "gibberish"}
    error = refused(400, w.kit.apps.get, **w.account, extra_headers=headers)
    equal(error.errors[0].code, 6003, "errors[0].code")


def check_another_account_is_closed(w):
    refused((403, 404), w.kit.apps.get, account_id="f" * 32)


def check_credentials_are_judged_before_existence(w):
    headers = {"Authorization": Omit()}
    refused(401, w.kit.meetings.get, NO_SUCH_ID, **w.account, extra_headers=headers)


def check_unknown_app_is_404(w):
    refused(404, w.kit.meetings.get, NO_SUCH_ID, **w.account)


def check_unknown_route_is_404(w):
    refused(404, w.get, w.app_path("nonsense"))


def check_wrong_method_is_405(w):
    refused(405, w.put, w.path("apps"), {"name": "x"})


def check_an_email_beside_the_token_does_no_harm(w):
    apps = w.kit.apps.get(**w.account, extra_headers={"X-Auth-Email": "ada@example.com"})
    equal(apps.success, True, "success")


def check_unknown_query_parameters_are_ignored(w):
    apps = w.kit.apps.get(**w.account, extra_query={"surprise": "1"})
    equal(apps.success, True, "success")


def check_a_conflict_is_final(w):
    """The SDK repeats a 409 twice unless the answer says `x-should-retry: false`."""
    patient = w.connect(max_retries=2)
    before = len(w.responses)
    refused(
        409,
        patient.realtime_kit.presets.create,
        w.app_id,
        **w.account,
        name="group_call_host",
        **PRESET,
    )
    equal(len(w.responses) - before, 1, "requests")


def check_not_implemented_is_final(w):
    """The same for an operation whose engine does not exist yet."""
    patient = w.connect(max_retries=2)
    before = len(w.responses)
    refused(501, patient.post, w.app_path("livestreams"), cast_to=object, body={"name": "launch"})
    equal(len(w.responses) - before, 1, "requests")
