"""Durable creates: participants added by 64 clients, each answered after the sync."""

import itertools
from contextlib import ExitStack
from dataclasses import dataclass

from .load import measure, median
from .postgres import Postgres
from .server import Muster
from .stores import ACCOUNT_ID, kit_path, participants_path
from .syncshim import SyncShim

NAME = "creates"
LIMIT_S = 1200

CLIENTS = 64
MEETINGS = 100
ADDED_DELAY_MS = 4
MAX_P99_MS = 25
MAX_SYNCS_PER_CREATE = 0.25


@dataclass
class Case:
    database: str
    delay_ms: int
    creates_bar: int | None  # only SQLite has bars; PostgreSQL stands beside it

    @property
    def name(self):
        return self.database + (f", each sync {self.delay_ms} ms slower" if self.delay_ms else "")

    @property
    def folder_name(self):
        return f"{self.database}-{self.delay_ms}".lower()


CASES = [
    Case("SQLite", 0, creates_bar=2_000),
    Case("SQLite", ADDED_DELAY_MS, creates_bar=1_000),
    Case("PostgreSQL", 0, creates_bar=None),
    Case("PostgreSQL", ADDED_DELAY_MS, creates_bar=None),
]


def run(context):
    context.report.note(
        f"{NAME}: {context.rounds} rounds of {context.seconds} s, {CLIENTS} kept-alive connections; server, database "
        "and wrk share all cores; syncs are those of the process that owns the database, counted by a preloaded library"
    )
    for case in CASES:
        with ExitStack() as stack:
            run_case(context, case, stack)


def run_case(context, case, stack):
    home = context.folder(case.folder_name)
    shim = SyncShim(home, delay_us=case.delay_ms * 1000)
    data_dir = home / "data"
    data_dir.mkdir()
    if case.database == "SQLite":
        server = stack.enter_context(Muster(context, data_dir, env=shim.env))
    else:
        cluster = home / "postgres"
        cluster.mkdir()
        database = stack.enter_context(Postgres(context, cluster, env=shim.env))
        server = stack.enter_context(Muster(context, data_dir, database_url=database.url))

    token = server.create_token()
    with server.api(token) as api:
        paths = make_meetings(api, MEETINGS + 1)
        storm = Storm(context, case, server, shim, token, home)
        storm.run(f"{MEETINGS} meetings", paths[:MEETINGS])
        storm.run("one meeting", paths[MEETINGS:])
        stored = sum(api.get(f"{path}?per_page=1")["paging"]["total_count"] for path in paths)
    # wrk leaves without waiting for its last requests: those may be stored, unanswered.
    lost, surplus = max(0, storm.acknowledged - stored), stored - storm.acknowledged
    context.report.check(
        f"{case.name}: acknowledged creates that are counted", storm.acknowledged - lost, storm.acknowledged
    )
    if surplus > CLIENTS * storm.launches:
        raise RuntimeError(f"{surplus} more participants than were ever asked for")


def make_meetings(api, count):
    kit = kit_path(ACCOUNT_ID)
    app_id = api.post(f"{kit}/apps", {"name": "Creates"})["data"]["app"]["id"]
    meetings = [api.post(f"{kit}/{app_id}/meetings", {"title": f"Meeting {number}"}) for number in range(count)]
    return [participants_path(ACCOUNT_ID, app_id, meeting["data"]["id"]) for meeting in meetings]


class Storm:
    """Rounds of creates against one server; keeps count of what was acknowledged."""

    def __init__(self, context, case, server, shim, token, home):
        self.context, self.case, self.home = context, case, home
        self.server, self.shim, self.token = server, shim, token
        self.prefixes = (f"storm-{number}" for number in itertools.count())
        self.acknowledged = self.launches = 0

    def run(self, where, paths):
        listed = self.home / "paths"
        listed.write_text("\n".join(paths) + "\n")
        self._round(paths[0], listed, 1)  # warm
        before = self.shim.read()
        rounds = [self._round(paths[0], listed, self.context.seconds) for _ in range(self.context.rounds)]
        syncs = self.shim.read() - before
        self.context.progress(f"{self.case.name}, {where}: " + ", ".join(f"{one.rate:,.0f}/s" for one in rounds))
        self._report(f"{self.case.name}, {where}", rounds, syncs)

    def _round(self, path, listed, seconds):
        self.server.trim_log()
        round_ = measure(
            self.server, self.server.port, path, self.token, seconds, CLIENTS,
            script="create.lua", script_args=(str(listed), next(self.prefixes)),
        )  # fmt: skip
        self.acknowledged += round_.requests
        self.launches += 1
        return round_

    def _report(self, name, rounds, syncs):
        bars = self.case.creates_bar is not None
        created = sum(one.requests for one in rounds)
        if syncs.count == 0:
            self.context.report.failure(f"{name}: no sync was seen, so these creates are not shown to be durable")
        figure = self.context.report.figure
        figure(name, median(rounds, "rate"), "creates/s", at_least=self.case.creates_bar)
        figure(f"{name}: p50", median(rounds, "p50_ms"), "ms")
        p99_bar = MAX_P99_MS if bars and not self.case.delay_ms else None
        figure(f"{name}: p99", median(rounds, "p99_ms"), "ms", at_most=p99_bar)
        figure(f"{name}: syncs", syncs.count / created, "per create", at_most=MAX_SYNCS_PER_CREATE if bars else None)
        figure(f"{name}: a sync of this disk", 1000 * syncs.seconds / max(1, syncs.count), "ms")
