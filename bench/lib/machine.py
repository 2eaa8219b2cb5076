"""What the figures were measured on, and whether it was quiet."""

import os
import platform
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

IDLE, IOWAIT, STEAL = 3, 4, 7


def describe(scratch):
    return {
        "measured": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{processor_model()}, {len(os.sched_getaffinity(0))} cores",
        "kernel": platform.release(),
        "scratch filesystem": filesystem(scratch),
    }


def processor_model():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def filesystem(path):
    done = subprocess.run(
        ["stat", "--file-system", "--format=%T", path], stdout=subprocess.PIPE, text=True, timeout=10, check=True
    )
    kind = done.stdout.strip()
    return f"{kind} (in memory: syncs cost nothing here, use --scratch)" if kind in ("tmpfs", "ramfs") else kind


def cpu_times():
    return [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]


def busy_share(seconds):
    before = cpu_times()
    time.sleep(seconds)
    return _share(before, lambda spent: sum(spent) - spent[IDLE] - spent[IOWAIT])


def steal_share(before):
    return _share(before, lambda spent: spent[STEAL])


def _share(before, part):
    spent = [now - then for now, then in zip(cpu_times(), before, strict=True)]
    return part(spent) / max(1, sum(spent))
