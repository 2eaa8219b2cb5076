"""Runs schemathesis on a server's own document and counts operations.

    MUSTER_BASE_URL    such as http://127.0.0.1:8080/client/v4
    MUSTER_ACCOUNT_ID  the account
    MUSTER_TOKEN       an API token of that account, with the permission Realtime Admin

Further arguments go to `schemathesis run`. The last line is "N passed, N failed".
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
# A bound, not a target: the number of requests is set in schemathesis.toml.
RUN_LIMIT_SECONDS = 360


def main():
    root = os.environ["MUSTER_BASE_URL"].removesuffix("/client/v4")
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        command = [
            Path(sys.executable).with_name("schemathesis"),
            *("--config-file", HERE / "schemathesis.toml"),
            *("run", f"{root}/openapi.json"),
            *("--report", "json", "--report-json-path", report),
            *sys.argv[1:],
        ]
        # It keeps what it has learnt in the folder it runs in; a run should not depend on the one before.
        environment = {**os.environ, "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            subprocess.run(command, cwd=scratch, env=environment, timeout=RUN_LIMIT_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            print(f"FAILED schemathesis took more than {RUN_LIMIT_SECONDS} s")
        passed, failed = count(json.loads(report.read_text())) if report.exists() else (0, 1)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def count(report):
    """An operation passes when no request to it failed; what keeps the run from its end fails by itself."""
    operations = report["operations"] or {"selected": 0, "tested": 0}
    failing = {name for failure in report["failures"] for name in failure["operations"]}
    broken = sum(error["count"] for error in report["errors"])
    if not report["complete"] or not 0 < operations["tested"] == operations["selected"]:
        broken += 1
        print(f"FAILED {operations['tested']} of {operations['selected']} operations were tested")
    return operations["tested"] - len(failing), len(failing) + broken


if __name__ == "__main__":
    sys.exit(main())
