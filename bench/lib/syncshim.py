"""Compiles syncshim.c and reads what it counts."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from struct import Struct

SOURCE = Path(__file__).resolve().parent / "syncshim.c"
COUNTERS = Struct("=8Q")


@dataclass(frozen=True)
class Syncs:
    count: int
    seconds: float

    def __sub__(self, earlier):
        return Syncs(self.count - earlier.count, self.seconds - earlier.seconds)


class SyncShim:
    """One counter file; `env` puts the shim under a process, which may run as another user."""

    library = None

    def __init__(self, folder, delay_us=0):
        self.counter = folder / "syncs"
        self.counter.write_bytes(bytes(COUNTERS.size))
        self.counter.chmod(0o666)
        self.env = {
            "LD_PRELOAD": str(self._compiled(folder.parent)),
            "SYNCSHIM_COUNTER": str(self.counter),
            "SYNCSHIM_DELAY_US": str(delay_us),
        }

    @classmethod
    def _compiled(cls, folder):
        if cls.library is None:
            library = folder / "syncshim.so"
            subprocess.run(
                ["cc", "-O2", "-Wall", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True, timeout=60
            )
            cls.library = library
        return cls.library

    def read(self):
        fsync, fdatasync, sync_file_range, msync, sync_ns, *_ = COUNTERS.unpack(self.counter.read_bytes())
        return Syncs(fsync + fdatasync + sync_file_range + msync, sync_ns / 1e9)
