"""Drives a server with the official Python SDK and checks every answer.

    MUSTER_BASE_URL    such as http://127.0.0.1:8080/client/v4
    MUSTER_ACCOUNT_ID  the account
    MUSTER_TOKEN       an API token of that account

Prints a line for each failed check; the last line is "N passed, N failed".
"""

import os
import sys
import time

from checks import (
    active_session,
    analytics,
    apps,
    errors,
    livestreams,
    meetings,
    participants,
    presets,
    recordings,
    sessions,
    tokens,
    webhooks,
)
from harness import World, sdk_methods

MODULES = [
    tokens,
    errors,
    apps,
    presets,
    meetings,
    participants,
    webhooks,
    active_session,
    sessions,
    recordings,
    livestreams,
    analytics,
]
RUN_LIMIT_SECONDS = 180


def checks_of(module):
    for name, value in vars(module).items():
        if name.startswith("check_"):
            yield f"{module.__name__.removeprefix('checks.')}.{name.removeprefix('check_')}", value


class Score:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.deadline = time.monotonic() + RUN_LIMIT_SECONDS

    def run(self, name, check, *args):
        try:
            if time.monotonic() > self.deadline:
                raise TimeoutError(f"not started: the run took more than {RUN_LIMIT_SECONDS} s")
            check(*args)
        except Exception as problem:
            self.failed += 1
            print(f"FAILED {name}: {reason(problem)}")
            return False
        self.passed += 1
        return True


def reason(problem):
    text = f"{type(problem).__name__}: {problem}"
    if problem.__cause__ is not None:
        text += f" ({problem.__cause__})"
    return " ".join(text.split())


def every_sdk_method_was_called(world):
    missing = sorted(set(sdk_methods(world.client.realtime_kit)) - world.called)
    assert not missing, f"never called: {', '.join(missing)}"


def main():
    world = World(
        os.environ["MUSTER_BASE_URL"], os.environ["MUSTER_ACCOUNT_ID"], os.environ["MUSTER_TOKEN"]
    )
    score = Score()
    if score.run("an app is created", world.open):
        for module in MODULES:
            for name, check in checks_of(module):
                score.run(name, check, world)
        score.run("every SDK method was called", every_sdk_method_was_called, world)
    score.deadline = float("inf")  # cleaning up is never skipped
    if world.apps:
        score.run("the apps of this run are removed", world.close)
    print(f"{score.passed} passed, {score.failed} failed")
    return 1 if score.failed else 0


if __name__ == "__main__":
    sys.exit(main())
