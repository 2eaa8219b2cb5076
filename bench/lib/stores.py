"""Data folders filled by the seeding program, which writes rows directly and in bulk."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

ACCOUNT_ID = "0123456789abcdef0123456789abcdef"

SIZES = {
    "small": {"meetings": 1_000, "participants_per_meeting": 30},
    "hundred-thousand": {"meetings": 1_000, "participants_per_meeting": 30, "into_one_meeting": 100_000},
    "million": {"meetings": 33_334, "participants_per_meeting": 30},
}


@dataclass(frozen=True)
class Store:
    data_dir: Path
    account_id: str
    app_id: str
    token: str
    meeting_id: str

    @property
    def participants_path(self):
        return participants_path(self.account_id, self.app_id, self.meeting_id)


def seed(seeder, data_dir, meetings, participants_per_meeting, into_one_meeting=None):
    """Fills `data_dir` and says which meeting to read: the one big meeting when there is one."""
    command = [
        seeder, "--data-dir", data_dir, "--account-id", ACCOUNT_ID,
        "--meetings", str(meetings), "--participants", str(participants_per_meeting),
    ]  # fmt: skip
    if into_one_meeting:
        command += ["--into-one-meeting", str(into_one_meeting)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=900, check=True)
    made = json.loads(done.stdout.strip().splitlines()[-1])
    return Store(data_dir, made["account_id"], made["app_id"], made["token"], made["meeting_id"])


def kit_path(account_id):
    return f"/client/v4/accounts/{account_id}/realtime/kit"


def participants_path(account_id, app_id, meeting_id):
    return f"{kit_path(account_id)}/{app_id}/meetings/{meeting_id}/participants"
