"""Child processes: started, measured and ended by their pid."""

import os
import socket
import subprocess
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Child:
    """A child process that ends with the `with` block it was started in."""

    def __init__(self, command, log, core=None, env=None, **popen):
        pin = ["taskset", "--cpu-list", str(core)] if core is not None else []
        self.name, self.log = Path(command[0]).name, log
        # Appending, so that trim_log() can cut the file while the child writes.
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                [*pin, *map(str, command)],
                stdin=popen.pop("stdin", subprocess.DEVNULL),
                stdout=popen.pop("stdout", output),
                stderr=output,
                env={**os.environ, **(env or {})},
                **popen,
            )

    @property
    def pid(self):
        return self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self, grace_s=15):
        self.process.terminate()
        try:
            self.process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def assert_running(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}; it said:\n{self.last_words()}")

    def last_words(self, lines=20):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def trim_log(self):
        os.truncate(self.log, 0)


def cpu_seconds(pid):
    """User and system time of a process, all its threads and its children that run now."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(map(cpu_seconds, children))


def resident_mb(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("the kernel tells no VmRSS")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
