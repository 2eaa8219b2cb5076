"""nginx serving one page's bytes as a static file: the yardstick.

Its settings are its own defaults, but for two in its favour: no access log (Muster logs each request) and unlimited
keep-alive. sendfile is off by default, and faster so for bodies of some kilobytes. With `open_files_cached` it does not
even open the file again: the most that a static server can have.
"""

import grp
import os
import pwd
import socket
import time

from .process import Child, free_port
from .tools import program

OPEN_FILES_CACHED = "open_file_cache max=16 inactive=600s; open_file_cache_valid 600s;"
CONFIG = """\
user {user} {group};
worker_processes 1;
daemon off;
pid {home}/pid;
error_log {home}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    {extra}
    keepalive_requests 1000000000;
    keepalive_time 1d;
    keepalive_timeout 600s;
    default_type application/json;
    client_body_temp_path {home}/t1;
    proxy_temp_path {home}/t2;
    fastcgi_temp_path {home}/t3;
    uwsgi_temp_path {home}/t4;
    scgi_temp_path {home}/t5;
    server {{ listen 127.0.0.1:{port}; root {home}/www; }}
}}
"""


class Nginx(Child):
    """Answers GET `path`, whatever the query, with `body`."""

    def __init__(self, context, path, body, core, open_files_cached=False):
        self.port = free_port()
        home = context.folder(f"nginx-{self.port}")
        page = home / "www" / path.lstrip("/")
        page.parent.mkdir(parents=True)
        page.write_bytes(body)
        config = home / "nginx.conf"
        user, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
        extra = OPEN_FILES_CACHED if open_files_cached else ""
        config.write_text(CONFIG.format(home=home, port=self.port, user=user, group=group, extra=extra))
        super().__init__([program("nginx"), "-e", home / "error.log", "-c", config], log=home / "output.log", core=core)
        try:
            self._wait_until_it_listens()
        except BaseException:
            self.stop()
            raise

    def _wait_until_it_listens(self):
        for _ in range(500):
            self.assert_running()
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.01)
        raise TimeoutError("nginx does not listen")
