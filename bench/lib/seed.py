"""The page the project starts from: 30 of 30 participants, beside nginx serving the same bytes."""

import statistics

from .load import measure, median
from .nginx import Nginx
from .server import Muster
from .stores import kit_path, participants_path
from .writer import Writer

NAME = "seed"
LIMIT_S = 900

CONNECTIONS = 64
PAGE = "?page_no=1&per_page=30"
MODES = {"as shipped": {}, "uncached": {"MUSTER_PAGE_CACHE_MB": "0"}}
OTHER_PROCESS_ADDS = 20

SERVER, NGINX, NGINX_CACHED = "server", "nginx", "nginx with open_file_cache"
LEAST_UNCACHED = 6_000
LEAST_RATIO = 0.6


def run(context):
    store, report = context.store("small"), context.report
    report.note(
        f"{NAME}: {context.rounds} rounds of {context.seconds} s each, server and nginx in turn on one core, wrk with "
        f"{CONNECTIONS} connections on another; the meeting is written 10 times a second during the server's rounds; "
        "nginx without access log, the server with its log in a file; ratios are taken round by round"
    )
    for mode, env in MODES.items():
        with Muster(context, store.data_dir, core=context.server_core, env=env) as server:
            compare_with_nginx(context, store, server, mode)
            report.check(
                f"{mode}: another process's write is in the next read", *adds_by_another_process(context, store, server)
            )


def compare_with_nginx(context, store, server, mode):
    path = store.participants_path + PAGE

    def writer(participant_path):
        return Writer(context, server.port, store.token, path, participant_path)

    with server.api(store.token) as api:
        page = api.get(path)
        if len(page["data"]) != 30:
            raise RuntimeError(f"the page has {len(page['data'])} participants instead of 30")
        participant_path = f"{store.participants_path}/{page['data'][0]['id']}"
        with writer(participant_path):
            pass  # from here on the written name is as long as in the rounds, and so is the page
        body = api.raw("GET", path)

    def load(child, seconds):
        return measure(child, child.port, path, store.token, seconds, CONNECTIONS, core=context.load_core)

    rounds, writes, fresh = {SERVER: [], NGINX: [], NGINX_CACHED: []}, 0, 0
    with (
        Nginx(context, store.participants_path, body, context.server_core) as nginx,
        Nginx(context, store.participants_path, body, context.server_core, open_files_cached=True) as nginx_cached,
    ):
        for child in (nginx, nginx_cached, server):
            load(child, 1)  # warm
        for number in range(context.rounds):
            rounds[NGINX].append(load(nginx, context.seconds))
            rounds[NGINX_CACHED].append(load(nginx_cached, context.seconds))
            server.trim_log()
            with writer(participant_path) as writing:
                rounds[SERVER].append(load(server, context.seconds))
            writes, fresh = writes + writing.seen["writes"], fresh + writing.seen["fresh"]
            told = ", ".join(f"{name} {of[-1].rate:,.0f}/s" for name, of in rounds.items())
            context.progress(f"{mode}, round {number + 1}: {told}")

    add_figures(context.report, mode, rounds, len(body))
    context.report.check(f"{mode}: a write is in the very next read, under load", fresh, writes)


def add_figures(report, mode, rounds, size):
    bars = {SERVER: LEAST_UNCACHED} if mode == "uncached" else {}
    for name, of in rounds.items():
        bytes_served = "" if name == SERVER else f", the same {size:,} bytes"
        report.figure(f"{mode}: {name}{bytes_served}", median(of, "rate"), "requests/s", at_least=bars.get(name))
        report.figure(f"{mode}: {name}, p50", median(of, "p50_ms"), "ms")
        report.figure(f"{mode}: {name}, p99", median(of, "p99_ms"), "ms")
        report.figure(f"{mode}: {name}, processor time", median(of, "cpu_us_per_request"), "µs/request")
        if (used := median(of, "cores_busy")) < 0.9:
            report.note(f"{NAME}, {mode}: {name} used {used:.0%} of its core: something else was the limit")
    for name in (NGINX, NGINX_CACHED):
        ratio = statistics.median(a.rate / b.rate for a, b in zip(rounds[SERVER], rounds[name], strict=True))
        report.figure(
            f"{mode}: ratio to {name}",
            ratio,
            "×",
            at_least=LEAST_RATIO if (mode, name) == ("as shipped", NGINX) else None,
        )


def adds_by_another_process(context, store, server):
    """Adds participants through a second server on the same data folder; counts those the first one lists at once."""
    seen = 0
    with Muster(context, store.data_dir) as other, server.api(store.token) as here, other.api(store.token) as there:
        meetings = f"{kit_path(store.account_id)}/{store.app_id}/meetings"
        meeting_id = here.post(meetings, {"title": "Two processes"})["data"]["id"]
        path = participants_path(store.account_id, store.app_id, meeting_id)
        for number in range(OTHER_PROCESS_ADDS):
            here.get(path + PAGE), here.get(path + PAGE)  # so that a cache, if there is one, holds the page
            new = {"custom_participant_id": f"other-{number}", "preset_name": "group_call_host", "name": "Other"}
            added = there.post(path, new)["data"]["id"]
            page = here.get(path + PAGE)
            seen += page["paging"]["total_count"] == number + 1 and any(one["id"] == added for one in page["data"])
    return seen, OTHER_PROCESS_ADDS
