"""What every check uses: a client, a fresh app, and ways to say what is expected."""

import os
import secrets

import cloudflare
from cloudflare._resource import SyncAPIResource

REQUEST_TIMEOUT_SECONDS = 10

# Well-formed ids that no server has handed out.
NO_SUCH_ID = "00000000-0000-4000-8000-000000000000"
NOT_AN_ID = "not-an-id"


class Failed(Exception):
    """A check found something else than it expected."""


class World:
    """One run against one server: the client, the app of this run, and what was sent."""

    def __init__(self, base_url, account_id, token):
        self.base_url = base_url
        self.account_id = account_id
        self.token = token
        self.tag = f"sdk-python-{secrets.token_hex(4)}"
        self.called = set()  # SDK methods, such as "meetings.create"
        self.responses = []  # every HTTP response of this run
        self.apps = []  # apps to remove in the end
        self.client = self.connect()
        self.kit = Recorder(self.client.realtime_kit, "", self.called)
        self.account = {"account_id": account_id}
        self.app_id = None
        self.in_app = None

    def open(self):
        self.app_id = self.new_app(self.tag)
        self.in_app = {**self.account, "app_id": self.app_id}

    def close(self):
        problems = []
        for app_id in self.apps:
            try:
                self.delete(self.path("apps", app_id), {"disconnect": True})
            except cloudflare.APIError as problem:
                problems.append(f"{app_id}: {problem}")
        expect(not problems, "; ".join(problems))

    def connect(self, *, token=None, max_retries=0):
        """A client of its own. It validates answers, and does not retry unless told."""
        # The SDK reads CLOUDFLARE_EMAIL and others; with one of them set it leaves out the token.
        for name in [name for name in os.environ if name.startswith("CLOUDFLARE_")]:
            del os.environ[name]
        http_client = cloudflare.DefaultHttpxClient(
            event_hooks={"response": [self.responses.append]}
        )
        return cloudflare.Cloudflare(
            api_token=token or self.token,
            base_url=self.base_url,
            max_retries=max_retries,
            timeout=REQUEST_TIMEOUT_SECONDS,
            http_client=http_client,
            _strict_response_validation=True,
        )

    @property
    def last_status(self):
        return self.responses[-1].status_code

    def path(self, *segments):
        return "/".join([f"/accounts/{self.account_id}/realtime/kit", *segments])

    def app_path(self, *segments):
        return self.path(self.app_id, *segments)

    def new_app(self, name):
        app_id = self.kit.apps.post(**self.account, name=name).data.app.id
        self.apps.append(app_id)
        return app_id

    def new_meeting(self, **fields):
        return self.kit.meetings.create(self.app_id, **self.account, **fields).data

    def new_participant(self, meeting_id, custom_id="ada", preset="group_call_host", **fields):
        return self.kit.meetings.add_participant(
            meeting_id, **self.in_app, custom_participant_id=custom_id, preset_name=preset, **fields
        ).data

    # For operations and bodies that the SDK has no method for.

    def get(self, path, query=None, cast_to=object):
        return self.client.get(path, cast_to=cast_to, options={"params": query or {}})

    def post(self, path, body=None, cast_to=object):
        return self.client.post(path, cast_to=cast_to, body=body)

    def put(self, path, body=None, cast_to=object):
        return self.client.put(path, cast_to=cast_to, body=body)

    def delete(self, path, query=None):
        return self.client.delete(path, cast_to=object, options={"params": query or {}})


class Recorder:
    """Passes calls on to the SDK and notes which of its methods were called."""

    def __init__(self, resource, prefix, called):
        self._resource = resource
        self._prefix = prefix
        self._called = called

    def __getattr__(self, name):
        member = getattr(self._resource, name)
        if isinstance(member, SyncAPIResource):
            return Recorder(member, f"{self._prefix}{name}.", self._called)

        def call(*args, **kwargs):
            self._called.add(f"{self._prefix}{name}")
            return member(*args, **kwargs)

        return call


def sdk_methods(resource, prefix=""):
    """The names of all methods that the SDK offers below a resource."""
    for name in dir(type(resource)):
        if name.startswith(("_", "with_")):
            continue
        member = getattr(resource, name)
        if isinstance(member, SyncAPIResource):
            yield from sdk_methods(member, f"{prefix}{name}.")
        elif callable(member):
            yield f"{prefix}{name}"


def expect(condition, what):
    if not condition:
        raise Failed(what)


def equal(actual, expected, what):
    if actual != expected:
        raise Failed(f"{what}: expected {expected!r}, got {actual!r}")


def contains(part, whole, what):
    """Every key of `part` stands in `whole` with the same value, at any depth."""
    for key, value in part.items():
        where = f"{what}.{key}"
        expect(key in whole, f"{where} is missing")
        if isinstance(value, dict):
            expect(isinstance(whole[key], dict), f"{where}: expected an object, got {whole[key]!r}")
            contains(value, whole[key], where)
        else:
            equal(whole[key], value, where)


def paging_is(paging, total, start, end):
    if not isinstance(paging, dict):
        paging = paging.to_dict()
    got = (paging["total_count"], paging["start_offset"], paging["end_offset"])
    equal(got, (total, start, end), "paging (total, start, end)")


def refused(status, call, /, *args, says=None, **kwargs):
    """The call is answered with this status (or one of these) and a body all clients can read."""
    allowed = status if isinstance(status, tuple) else (status,)
    try:
        call(*args, **kwargs)
    except cloudflare.APIStatusError as error:
        expect(
            error.status_code in allowed,
            f"expected status {status}, got {error.status_code}: {error.body!r}",
        )
        check_error_body(error)
        if says is not None:
            message = error.body["error"]["message"]
            expect(says in message, f"expected a message with {says!r}, got {message!r}")
        return error
    raise Failed(f"expected status {status}, but the call succeeded")


def check_error_body(error):
    body = error.body
    expect(isinstance(body, dict), f"the error body is not an object: {body!r}")
    equal(body.get("success"), False, "success")
    equal(body.get("error", {}).get("code"), error.status_code, "error.code")
    message = body["error"].get("message")
    expect(isinstance(message, str) and message, f"error.message is {message!r}")
    expect(error.errors, f"no errors in {body!r}")
    expect(isinstance(error.errors[0].code, int), f"errors[0].code is {error.errors[0].code!r}")
    expect(error.errors[0].message, "errors[0].message is empty")
    equal(body.get("messages"), [], "messages")


def all_pages(fetch, per_page):
    """Every row of a list, page by page. The SDK has no pager of its own for these lists."""
    rows, page_no = [], 1
    while True:
        page = fetch(page_no=page_no, per_page=per_page)
        rows.extend(page.data)
        if page.paging.end_offset >= page.paging.total_count:
            return rows
        expect(page.data, f"page {page_no} is empty before the end")
        page_no += 1
