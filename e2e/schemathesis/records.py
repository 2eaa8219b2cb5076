"""Real records, so that requests get past "not found"."""

import os
import secrets
import threading

import requests

BASE = os.environ["MUSTER_BASE_URL"]
ACCOUNT = os.environ["MUSTER_ACCOUNT_ID"]
KIT = f"/accounts/{ACCOUNT}/realtime/kit"


class Api:
    """A session per thread, since several workers ask at once."""

    def __init__(self):
        self.local = threading.local()

    def call(self, method, path, body=None):
        if not hasattr(self.local, "session"):
            self.local.session = requests.Session()
            self.local.session.headers["Authorization"] = f"Bearer {os.environ['MUSTER_TOKEN']}"
        answer = self.local.session.request(method, BASE + path, json=body, timeout=10)
        if not answer.ok:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()["data"]


API = Api()


def unique(what):
    return f"{what}-{secrets.token_hex(6)}"


def new_app():
    return API.call("POST", f"{KIT}/apps", {"name": unique("app")})["app"]["id"]


def new_meeting(app):
    return API.call("POST", f"{KIT}/{app}/meetings", {"title": unique("meeting")})["id"]


def new_participant(app, meeting):
    body = {"custom_participant_id": unique("person"), "preset_name": "group_call_guest"}
    return API.call("POST", f"{KIT}/{app}/meetings/{meeting}/participants", body)["id"]


def new_preset(app):
    """A copy of a preset that every app has."""
    first = API.call("GET", f"{KIT}/{app}/presets")[0]["id"]
    model = API.call("GET", f"{KIT}/{app}/presets/{first}")
    body = {name: model[name] for name in ("config", "permissions", "ui")}
    return API.call("POST", f"{KIT}/{app}/presets", {**body, "name": unique("preset")})["id"]


def new_webhook(app):
    body = {"name": unique("hook"), "url": f"https://{unique('h')}.example.com/", "events": ["meeting.started"]}
    return API.call("POST", f"{KIT}/{app}/webhooks", body)["id"]


def new_token():
    return API.call("POST", f"/accounts/{ACCOUNT}/realtime/tokens", {"permission": "realtime"})["id"]


class Records:
    """One record of each kind, which requests share."""

    def __init__(self):
        self.app_id = new_app()
        self.meeting_id = new_meeting(self.app_id)
        self.participant_id = new_participant(self.app_id, self.meeting_id)
        self.preset_id = new_preset(self.app_id)
        self.webhook_id = new_webhook(self.app_id)
        self.token_id = new_token()

    def ids(self):
        return {"account_id": ACCOUNT, **vars(self)}

    def doomed(self, name):
        """A fresh record for a request that removes it."""
        return {
            "app_id": new_app,
            "meeting_id": lambda: new_meeting(self.app_id),
            "participant_id": lambda: new_participant(self.app_id, self.meeting_id),
            "preset_id": lambda: new_preset(self.app_id),
            "webhook_id": lambda: new_webhook(self.app_id),
            "token_id": new_token,
        }[name]()
