"""Live rooms: coming in, chat, what a participant costs in memory, and what stored meetings cost an idle server."""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from .load import median
from .process import Child, cpu_seconds, resident_mb
from .server import Muster

NAME = "rooms"
LIMIT_S = 900

PEOPLE = 10_000
ROOM_OF = 10
AT_ONCE = 32
STAY_S = 12
MAX_GB = 1
MAX_KB_EACH = 100

DELIVERIES = 100_000
MAX_P99_MS = 50
CHAT_SECONDS = 5  # what each may write at once and every second after lasts for so long, at the least

STORED = 100_000
IDLE_S = 10


@dataclass
class Case:
    rooms: int
    people: int
    offered: int  # deliveries a second
    bars: bool = False

    @property
    def name(self):
        return f"chat, {self.rooms} {'room' if self.rooms == 1 else 'rooms'} of {self.people:,}"


# In small rooms it is the messages that count: each is a row in the store before anybody hears of it.
CHATS = [Case(100, 10, 10_000), Case(10, 100, DELIVERIES, bars=True), Case(1, 1_000, DELIVERIES)]


@dataclass
class ChatRound:
    rate: float
    per_cpu_second: float
    p50_ms: float
    p99_ms: float


def run(context):
    context.report.note(
        f"{NAME}: server and load have a core each; coming in is the upgrade, events 16, 3 and 20 and their replies; "
        f"a delivery is one chat message at one participant, the sender's own echo too; "
        "latency is from before the sender's write to after the receiver's read; memory is resident memory over "
        "that of the server without anybody"
    )
    come_in_and_stay(context)
    for case in CHATS:
        chat(context, case)
    stored_meetings(context)


class Load(Child):
    """The load's program; its phases are read as they come."""

    def __init__(self, context, command, server, tickets, **options):
        flags = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
        super().__init__(
            [program(context), command, "--port", server.port, "--tokens", tickets, "--limit", 240, *flags],
            log=context.scratch / "room_load.log",
            core=context.load_core,
            stdout=subprocess.PIPE,
            text=True,
        )

    def until(self, phase):
        for line in self.process.stdout:
            told = json.loads(line)
            if told["phase"] == phase:
                return told
        self.process.wait(5)
        raise RuntimeError(f"the load ended with {self.process.returncode}; it said:\n{self.last_words()}")


def program(context):
    return context.muster.parent / "examples" / "room_load"


def prepare(context, name, rooms, people):
    """A data folder with meetings, and the file of tickets."""
    data_dir = context.folder(name)
    tickets = data_dir / "tickets"
    subprocess.run(
        [program(context), "prepare", "--data-dir", data_dir, "--rooms", str(rooms), "--people", str(people),
         "--out", tickets, "--limit", "600"],
        stdout=subprocess.DEVNULL, timeout=600, check=True,
    )  # fmt: skip
    return data_dir, tickets


def come_in_and_stay(context):
    report = context.report
    data_dir, tickets = prepare(context, "rooms-idle", PEOPLE // ROOM_OF, ROOM_OF)
    with Muster(context, data_dir, core=context.server_core) as server:
        before = resident_mb(server.pid)
        with Load(context, "idle", server, tickets, at_once=AT_ONCE, seconds=STAY_S + 2) as load:
            load.until("joining")
            started = cpu_seconds(server.pid)
            joined = load.until("joined")
            spent = cpu_seconds(server.pid) - started
            report.figure(f"joins, {PEOPLE:,} into rooms of {ROOM_OF}", joined["joined"] / joined["seconds"], "joins/s")
            report.figure("processor time of a join", 1000 * spent / joined["joined"], "ms")
            report.figure(f"time of a join, {AT_ONCE} at once: p99", joined["p99_ms"], "ms")
            time.sleep(1)
            started = cpu_seconds(server.pid)
            time.sleep(STAY_S - 2)
            spent = (cpu_seconds(server.pid) - started) / (STAY_S - 2)
            resident = resident_mb(server.pid)
            report.figure(f"{PEOPLE:,} idle sockets: resident", resident / 1000, "GB", at_most=MAX_GB)
            memory_each(context, f"memory of a participant, rooms of {ROOM_OF}", resident - before, PEOPLE)
            report.figure(f"{PEOPLE:,} idle sockets: the kernel's buffers", socket_buffers_mb(), "MB")
            report.figure(f"{PEOPLE:,} idle sockets, pinged every 10 s", 100 * spent, "% of a core")
            report.check("idle participants that were still there", PEOPLE - load.until("done")["lost"], PEOPLE)


def memory_each(context, name, more_mb, people):
    context.report.figure(name, more_mb * 1000 / people, "KB", at_most=MAX_KB_EACH)


def chat(context, case):
    data_dir, tickets = prepare(context, f"rooms-{case.people}", case.rooms, case.people)
    rounds = []
    with Muster(context, data_dir, core=context.server_core) as server:
        before = resident_mb(server.pid)
        for number in range(context.rounds):
            with Load(
                context, "chat", server, tickets,
                at_once=AT_ONCE, seconds=CHAT_SECONDS, rate=case.offered / case.people,
            ) as load:  # fmt: skip
                load.until("joined")
                if number == 0:
                    more = resident_mb(server.pid) - before
                rounds.append(chat_round(server, load))
                drained = load.until("drained")
                complete(context, case, drained, load)
    context.progress(f"{case.name}: " + ", ".join(f"{one.per_cpu_second:,.0f}" for one in rounds))
    figure = context.report.figure
    figure(f"{case.name}, {case.offered:,} asked for", median(rounds, "rate"), "deliveries/s")
    bar = DELIVERIES if case.bars else None
    figure(f"{case.name}: for a second of processor time", median(rounds, "per_cpu_second"), "deliveries", at_least=bar)
    figure(f"{case.name}: p50", median(rounds, "p50_ms"), "ms")
    figure(f"{case.name}: p99", median(rounds, "p99_ms"), "ms", at_most=MAX_P99_MS if case.bars else None)
    memory_each(context, f"memory of a participant, rooms of {case.people:,}", more, case.rooms * case.people)


def chat_round(server, load):
    load.until("measuring")
    started = cpu_seconds(server.pid)
    told = load.until("measured")
    spent = cpu_seconds(server.pid) - started
    deliveries = told["deliveries"]
    return ChatRound(deliveries / told["seconds"], deliveries / spent, told["p50_ms"], told["p99_ms"])


def complete(context, case, drained, load):
    """Nothing that was sent may be missing once it has had the time to arrive."""
    lost = load.until("done")["lost"]
    if drained["deliveries"] != drained["sent"] * case.people or lost:
        context.report.failure(
            f"{case.name}: {drained['deliveries']:,} deliveries of {drained['sent']:,} messages; {lost} were cut off"
        )


def stored_meetings(context):
    empty = idle_share(context, context.folder("rooms-none"))
    data_dir, _ = prepare(context, "rooms-stored", STORED, 0)
    full = idle_share(context, data_dir)
    figure = context.report.figure
    figure("idle server, no meeting stored", 100 * empty, "% of a core")
    figure(f"idle server, {STORED:,} meetings stored", 100 * full, "% of a core", at_most=100 * empty + 0.5)


def idle_share(context, data_dir):
    with Muster(context, data_dir, core=context.server_core) as server:
        time.sleep(2)
        started = cpu_seconds(server.pid)
        time.sleep(IDLE_S)
        return (cpu_seconds(server.pid) - started) / IDLE_S


def socket_buffers_mb():
    """Of the whole machine, both ends of every connection."""
    for line in Path("/proc/net/sockstat").read_text().splitlines():
        if line.startswith("TCP:"):
            words = line.split()
            return int(words[words.index("mem") + 1]) * 4096 / 1e6
    return 0.0
