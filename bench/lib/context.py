"""What every benchmark is given: programs, a scratch folder, cores, round lengths, shared stores."""

import os
import sys

from . import stores


class Context:
    def __init__(self, bin_dir, scratch, quick, report):
        self.muster = bin_dir / "muster"
        self.seeder = bin_dir / "examples" / "seed"
        self.scratch = scratch
        self.quick = quick
        self.report = report
        self.rounds = 3 if quick else 5
        self.seconds = 2 if quick else 6
        cores = sorted(os.sched_getaffinity(0))
        self.server_core, self.load_core = cores[0], cores[-1]
        if len(cores) == 1:
            report.note("only one core: server and load share it, so no figure here can be quoted")
        self._stores = {}

    def progress(self, text):
        print(f"   {text}", file=sys.stderr, flush=True)

    def folder(self, name):
        path = self.scratch / name
        path.mkdir()
        return path

    def store(self, name):
        """A seeded data folder by its name in stores.SIZES, made once in a run."""
        if name not in self._stores:
            self.progress(f"seeding the {name} store")
            self._stores[name] = stores.seed(self.seeder, self.folder(f"store-{name}"), **stores.SIZES[name])
        return self._stores[name]
