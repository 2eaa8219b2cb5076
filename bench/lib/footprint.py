"""What it takes to have Muster at all: size, memory, time to ready."""

import statistics
import time

from .process import resident_mb
from .server import Muster

NAME = "footprint"
LIMIT_S = 300

STARTS = 10
IDLE_S = 10


def run(context):
    report = context.report
    report.figure("binary", context.muster.stat().st_size / 1e6, "MB")

    with Muster(context, context.folder("idle")) as server:
        report.figure("resident when ready, new folder", resident_mb(server.pid), "MB")
        time.sleep(IDLE_S)
        report.figure(f"resident after {IDLE_S} s idle", resident_mb(server.pid), "MB", at_most=40)

    new = [ready_ms(context, context.folder(f"new-{number}")) for number in range(STARTS)]
    report.figure("time to ready, new folder", statistics.median(new), "ms")
    used = context.store("small").data_dir
    existing = [ready_ms(context, used) for _ in range(STARTS)]
    report.figure("time to ready, folder with 30,000 participants", statistics.median(existing), "ms", at_most=300)


def ready_ms(context, data_dir):
    """From exec to the first 200 of /readyz."""
    with Muster(context, data_dir) as server:
        return server.ready_ms
