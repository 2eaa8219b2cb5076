"""The same page where there is much else: 100,000 participants in its meeting, a million in the store."""

import statistics
from contextlib import ExitStack
from dataclasses import dataclass, field

from .load import measure, median
from .seed import CONNECTIONS, MODES, PAGE
from .server import Muster
from .stores import Store
from .writer import Writer

NAME = "big"
LIMIT_S = 2400

DEEP_PAGE = 3_000
BAR = 1.3


@dataclass
class Target:
    name: str
    server: Muster
    store: Store
    page: str
    bar: float | None = BAR
    rounds: list = field(default_factory=list)


def run(context):
    names = ("small", "hundred-thousand", "million")
    stores = {name: context.store(name) for name in names}
    context.report.note(
        f"{NAME}: {context.rounds} rounds of {context.seconds} s each, all pages in turn, each written 10 times a "
        "second meanwhile; the ratio is the small store's rate divided by the page's own, in the same round"
    )
    for mode, env in MODES.items():
        with ExitStack() as stack:
            servers = {
                name: stack.enter_context(Muster(context, store.data_dir, core=context.server_core, env=env))
                for name, store in stores.items()
            }
            compare(context, mode, targets(servers, stores))


def targets(servers, stores):
    many, deep = "hundred-thousand", f"?page_no={DEEP_PAGE}&per_page=30"
    with servers[many].api(stores[many].token) as api:
        path = stores[many].participants_path
        last_before = api.get(f"{path}?page_no={DEEP_PAGE - 1}&per_page=30")["data"][-1]["id"]
        cursor = f"?after={last_before}&per_page=30"
        ids = [[one["id"] for one in api.get(path + query)["data"]] for query in (deep, cursor)]
        if ids[0] != ids[1] or len(ids[0]) != 30:
            raise RuntimeError("page number and cursor disagree about what stands at that depth")
    return [
        Target("small store, first page", servers["small"], stores["small"], PAGE, bar=None),
        Target("meeting of 100,000, first page", servers[many], stores[many], PAGE),
        Target("store of 1,000,000, first page", servers["million"], stores["million"], PAGE),
        Target(f"meeting of 100,000, page {DEEP_PAGE:,} by cursor", servers[many], stores[many], cursor),
        Target(f"meeting of 100,000, page {DEEP_PAGE:,} by page_no", servers[many], stores[many], deep, bar=None),
    ]


def compare(context, mode, pages):
    writes = fresh = 0
    for number in range(context.rounds):
        for target in pages:
            round_, seen = one_round(context, target)
            target.rounds.append(round_)
            writes, fresh = writes + seen["writes"], fresh + seen["fresh"]
        context.progress(
            f"{mode}, round {number + 1}: " + ", ".join(f"{page.rounds[-1].rate:,.0f}/s" for page in pages)
        )

    report, small = context.report, pages[0]
    for target in pages:
        report.figure(f"{mode}: {target.name}", median(target.rounds, "rate"), "requests/s")
        if target is not small:
            ratio = statistics.median(a.rate / b.rate for a, b in zip(small.rounds, target.rounds, strict=True))
            report.figure(f"{mode}: {target.name}, cost beside the small store", ratio, "×", at_most=target.bar)
            report.figure(f"{mode}: {target.name}, p99", median(target.rounds, "p99_ms"), "ms")
    report.check(f"{mode}: a write is in the very next read, on every page", fresh, writes)


def one_round(context, target):
    store, server = target.store, target.server
    path = store.participants_path + target.page
    with server.api(store.token) as api:
        participant_path = f"{store.participants_path}/{api.get(path)['data'][0]['id']}"
    server.trim_log()
    with Writer(context, server.port, store.token, path, participant_path) as writing:
        round_ = measure(server, server.port, path, store.token, context.seconds, CONNECTIONS, core=context.load_core)
    return round_, writing.seen
