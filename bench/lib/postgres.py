"""A PostgreSQL of the benchmark's own: Debian's package, its default settings, a cluster in a scratch folder."""

import os
import shutil
import subprocess
import time

from .process import Child, free_port
from .tools import postgres_bin

USER = "postgres"


class Postgres(Child):
    def __init__(self, context, home, env=None):
        """`home` is an empty folder; as root the server runs as the user postgres, which PostgreSQL insists on."""
        self.port = free_port()
        self.bin = postgres_bin()
        self.identity = {}
        if os.geteuid() == 0:
            self.identity = {"user": USER, "group": USER, "extra_groups": []}
            shutil.chown(home, USER, USER)
        self.home = home
        data = home / "cluster"
        self._run(
            "initdb",
            "--pgdata",
            data,
            "--username",
            USER,
            "--auth",
            "trust",
            "--encoding",
            "UTF8",
            "--locale",
            "C.UTF-8",
            "--no-sync",
        )
        super().__init__(
            [self.bin / "postgres", "-D", data, "-p", self.port, "-c", "listen_addresses=127.0.0.1", "-k", home],
            log=context.scratch / f"postgres-{self.port}.log",
            env=env,
            cwd=home,
            **self.identity,
        )
        try:
            self._wait_until_ready()
            self._run("createdb", *self._address(), "muster")
        except BaseException:
            self.stop()
            raise

    @property
    def url(self):
        return f"postgres://{USER}@127.0.0.1:{self.port}/muster"

    def stop(self, grace_s=30):
        self.process.send_signal(subprocess.signal.SIGINT)  # a fast shutdown: does not wait for clients
        super().stop(grace_s)

    def _address(self):
        return ["--host", "127.0.0.1", "--port", self.port, "--username", USER]

    def _run(self, name, *arguments, check=True):
        command = [str(self.bin / name), *map(str, arguments)]
        done = subprocess.run(
            command,
            cwd=self.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            **self.identity,
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"{name} failed:\n{done.stdout}")
        return done.returncode == 0

    def _wait_until_ready(self):
        for _ in range(300):
            self.assert_running()
            if self._run("pg_isready", *self._address(), check=False):
                return
            time.sleep(0.1)
        raise TimeoutError(f"PostgreSQL is not ready; it said:\n{self.last_words()}")
