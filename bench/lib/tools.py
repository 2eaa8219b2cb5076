"""System packages the benchmarks use: installed with apt-get when root and missing."""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


@functools.cache
def program(name):
    """The path of `nginx` or `wrk`."""
    if not shutil.which(name, path=SEARCH_PATH):
        install(name)
    return shutil.which(name, path=SEARCH_PATH)


@functools.cache
def postgres_bin():
    """Debian keeps PostgreSQL's own programs out of PATH, in a folder per version."""
    folders = Path("/usr/lib/postgresql")
    if not list(folders.glob("*/bin/initdb")):
        install("postgresql")
    return max(folders.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])).parent


def install(package):
    if os.geteuid() != 0:
        raise RuntimeError(f"{package} is missing; install it, or run this once as root")
    print(f"bench: installing {package}", file=sys.stderr, flush=True)
    quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
    subprocess.run(["apt-get", "update", "-qq"], check=True, **quiet)
    subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], check=True, **quiet)
    if package != "wrk" and Path("/run/systemd/system").is_dir():
        # Only the program is wanted, not the service that its package starts.
        subprocess.run(["systemctl", "disable", "--now", package], check=False, **quiet)
