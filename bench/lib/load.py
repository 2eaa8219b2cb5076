"""Load from wrk, one thread on its own core, beside the processor time that the server spent for it.

wrk is a closed loop: a connection asks again as soon as it is answered. Latencies are therefore those of a server
at its limit, queue included.
"""

import json
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .process import cpu_seconds
from .tools import program

SCRIPTS = Path(__file__).resolve().parent / "wrk"


@dataclass
class Round:
    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu_seconds: float

    @property
    def rate(self):
        return self.requests / self.seconds

    @property
    def cpu_us_per_request(self):
        return 1e6 * self.cpu_seconds / self.requests

    @property
    def cores_busy(self):
        return self.cpu_seconds / self.seconds


def median(rounds, figure):
    return statistics.median(getattr(one, figure) for one in rounds)


def measure(child, port, path, token, seconds, connections, core=None, script="read.lua", script_args=()):
    """One round against `child`. Any answer but success, and any broken connection, is an error."""
    pin = ["taskset", "--cpu-list", str(core)] if core is not None else []
    command = [
        *pin, program("wrk"), "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s",
        "--timeout", "10s", "--header", f"Authorization: Bearer {token}", "--script", script,
        f"http://127.0.0.1:{port}{path}", *script_args,
    ]  # fmt: skip
    cpu_before = cpu_seconds(child.pid)
    done = subprocess.run(
        command, cwd=SCRIPTS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds + 30
    )
    spent = cpu_seconds(child.pid) - cpu_before
    result = next((line for line in done.stdout.splitlines() if line.startswith("RESULT ")), None)
    if result is None:
        raise RuntimeError(f"wrk failed:\n{done.stdout}")
    told = json.loads(result.removeprefix("RESULT "))
    if told["errors"] or told["refused"]:
        raise RuntimeError(
            f"{told['errors']} broken connections and {told['refused']} refusals in {told['requests']} requests"
        )
    return Round(told["requests"], told["seconds"], told["p50_ms"], told["p99_ms"], spent)
