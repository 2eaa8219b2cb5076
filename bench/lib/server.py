"""A Muster under test, with the settings it ships with unless told otherwise."""

import subprocess
import time

from .process import Child, free_port
from .rest import Api, is_ready
from .stores import ACCOUNT_ID


class Muster(Child):
    READY_WITHIN_S = 30

    def __init__(self, context, data_dir, core=None, env=None, database_url=None):
        self.binary, self.data_dir, self.database_url = context.muster, data_dir, database_url
        self.port = free_port()
        started = time.monotonic()
        super().__init__(
            [self.binary, "serve", *self._store_flags(), "--listen", f"127.0.0.1:{self.port}",
             "--media-listen", "127.0.0.1:0"],
            log=context.scratch / f"muster-{self.port}.log",
            core=core,
            env=env,
        )
        self.ready_ms = self._wait_until_ready(started)

    def _store_flags(self):
        flags = ["--data-dir", self.data_dir]
        return [*flags, "--database-url", self.database_url] if self.database_url else flags

    def _wait_until_ready(self, started):
        try:
            while not is_ready(self.port):
                self.assert_running()
                if time.monotonic() - started > self.READY_WITHIN_S:
                    raise TimeoutError(
                        f"the server is not ready after {self.READY_WITHIN_S} s; it said:\n{self.last_words()}"
                    )
                time.sleep(0.001)
        except BaseException:
            self.stop()
            raise
        return (time.monotonic() - started) * 1000

    def create_token(self):
        command = [self.binary, "token", "create", "--account-id", ACCOUNT_ID, "--permission", "realtime-admin"]
        done = subprocess.run(
            [*command, *self._store_flags()], stdout=subprocess.PIPE, text=True, timeout=60, check=True
        )
        return done.stdout.strip().splitlines()[-1]

    def api(self, token):
        return Api(self.port, token)
