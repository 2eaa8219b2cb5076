"""A process that renames one participant ten times a second and looks for each new name in the very next read.

Every name has the same length, so that the page keeps its size. `Writer` starts it and collects what it saw.
"""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from .process import Child
from .rest import Api

WRITES_PER_SECOND = 10
STARTS_WITHIN_S = 15


class Writer(Child):
    """Writes as long as the `with` block lasts; `seen` is filled afterwards."""

    def __init__(self, context, port, token, page_path, participant_path):
        settings = {"port": port, "token": token, "page_path": page_path, "participant_path": participant_path}
        super().__init__(
            [sys.executable, "-B", "-m", "lib.writer", json.dumps(settings)],
            log=context.scratch / "writer.log",
            core=context.load_core,
            cwd=Path(__file__).resolve().parent.parent,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.seen = None
        if self.process.stdout.readline() != "writing\n":
            self.stop()
            raise RuntimeError(f"the writer failed:\n{self.last_words()}")

    def __exit__(self, *_):
        super().__exit__()
        with self.process.stdout as output:
            rest = output.read()
        if self.process.returncode != 0:
            raise RuntimeError(f"the writer failed:\n{self.last_words()}")
        self.seen = json.loads(rest)


def main():
    settings = json.loads(sys.argv[1])
    stopped = False

    def stop(_signal, _frame):
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGTERM, stop)
    writes = fresh = 0
    with Api(settings["port"], settings["token"]) as api:
        due = started = time.monotonic()
        while not stopped:
            name = f"Renamed {time.time_ns():020}"
            api.patch(settings["participant_path"], {"name": name})
            listed = api.get(settings["page_path"])["data"]
            writes += 1
            fresh += any(participant["name"] == name for participant in listed)
            if writes == 1:
                print("writing", flush=True)
            due = max(due + 1 / WRITES_PER_SECOND, time.monotonic())
            time.sleep(due - time.monotonic() if due > time.monotonic() else 0)
    print(json.dumps({"writes": writes, "fresh": fresh, "seconds": time.monotonic() - started}))


if __name__ == "__main__":
    main()
