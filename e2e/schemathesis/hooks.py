"""Puts ids of real records into the paths that schemathesis made up."""

import itertools
import uuid

import schemathesis

from records import ACCOUNT, Records

RECORDS = Records()
COUNTER = itertools.count(1)
# One request in so many has ids that nobody has.
MADE_UP_EVERY = 8


@schemathesis.hook
def before_call(context, case, kwargs):
    path = case.path_parameters
    if not path:
        return
    path["account_id"] = ACCOUNT  # another account is refused before anything else is looked at
    made_up = next(COUNTER) % MADE_UP_EVERY == 0
    for name, real in RECORDS.ids().items():
        if name in path and not made_up:
            path[name] = real
    # What a request removes is its own: schemathesis also tries ids that it has seen in answers.
    removed = case.path.rsplit("/", 1)[-1]
    name = removed.strip("{}")
    if case.method.upper() == "DELETE" and name in RECORDS.ids():
        path[name] = str(uuid.uuid4()) if made_up else RECORDS.doomed(name)
