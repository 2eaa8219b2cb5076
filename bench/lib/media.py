"""Media: what a core forwards, what it adds to the delay, joins, memory, and what happens beyond the knee."""

import json
import subprocess
import time
from dataclasses import dataclass

from .process import Child, cpu_seconds, resident_mb
from .server import Muster

NAME = "media"
LIMIT_S = 1500

FPS = 30
PACKET = 1_100
PACING = 2.5
AUDIO_MS = 20
MAX_AUDIO_MS = 120
AUDIO_BYTES = 80
AT_ONCE = 4

MAX_LOSS = 0.001
MIN_PER_CPU_SECOND = 100_000
MAX_ADDED_P99_MS = 5
MAX_JOIN_P99_MS = 200
MAX_KB_EACH = 300

START = 40_000  # packets a second of the first try, from which the knee is guessed
STEP = 0.85
TRIES = 6


@dataclass
class Case:
    name: str
    publishers: int
    subscribers: int
    audio: bool = False
    video: bool = False
    duplex: bool = False

    @property
    def ways(self):
        """How often each packet is sent on, all publishers together."""
        return self.publishers * (self.subscribers + (self.publishers - 1 if self.duplex else 0))

    @property
    def people(self):
        return self.publishers + self.subscribers

    def shape(self, rate):
        """Packets of a frame and milliseconds of sound that come nearest to a rate of packets a second."""
        if not self.video:
            return 0, min(MAX_AUDIO_MS, max(1, round(self.ways * 1_000 / rate)))
        sound = self.ways * 1_000 / AUDIO_MS if self.audio else 0
        return max(1, round((rate - sound) / self.ways / FPS)), AUDIO_MS

    def flags(self, rate):
        packets, audio_ms = self.shape(rate)
        flags = ["--audio-frame-ms", audio_ms, "--audio-bitrate", AUDIO_BYTES * 8 * 1_000 // audio_ms]
        if self.video:
            flags += ["--video-fps", FPS, "--video-bitrate", packets * PACKET * 8 * FPS, "--packet-size", PACKET,
                      "--pacing", PACING]  # fmt: skip
        if not (self.audio and self.video):
            flags.append("--audio" if self.audio else "--video")
        return [*flags, "--duplex"] if self.duplex else flags

    def streams(self, rate):
        packets, audio_ms = self.shape(rate)
        streams = [f"{1_000_000 // FPS},{packets},{PACKET},{PACING}"] if self.video else []
        return [*streams, f"{audio_ms * 1_000},1,{AUDIO_BYTES},1"] if self.audio else streams


CASES = [
    Case("1→150 video", 1, 150, video=True),
    Case("10→150 audio", 10, 150, audio=True),
    Case("15×15", 15, 0, audio=True, video=True, duplex=True),
]


@dataclass
class Run:
    """What one load measured, and what it cost."""

    told: dict
    rate: float  # packets a second that arrived
    offered: float  # packets a second that should have
    per_cpu_second: float
    loss: float
    server_share: float
    load_share: float
    peer_kb: float

    @property
    def p50_ms(self):
        return self.told["delay"]["p50_ms"]

    @property
    def p99_ms(self):
        return self.told["delay"]["p99_ms"]

    @property
    def p99_9_ms(self):
        return self.told["delay"]["p99_9_ms"]


def run(context):
    context.report.note(
        f"{NAME}: server and load have a core each; packets are counted where they arrive, per second of the server's "
        f"processor time; the knee is the highest rate that lost less than {MAX_LOSS:.1%}; delays are from before a "
        "packet is written to after it is read; the relay is `null_relay`: one socket, no encryption, nothing looked at"
    )
    for case in CASES:
        measure(context, case)


def measure(context, case):
    figure = context.report.figure
    name = case.name
    data_dir = context.folder(f"media-{case.publishers}-{case.subscribers}")
    with Muster(context, data_dir, core=context.server_core) as server:
        token = server.create_token()
        # Only the first people's memory is new; those after them take what these left.
        first = load(context, case, server, token, START)
        knee = find_knee(context, case, server, token, first)
        if knee is None:
            context.report.failure(f"{name}: even the lowest rate lost packets")
            return
        figure(f"{name}: packets for a second of processor time, at the knee", knee.per_cpu_second, "packets",
               at_least=MIN_PER_CPU_SECOND)  # fmt: skip
        figure(f"{name}: the knee", knee.rate, "packets/s")
        figure(f"{name}: at the knee, server's core busy", 100 * knee.server_share, "%")
        figure(f"{name}: at the knee, load's core busy", 100 * knee.load_share, "%")
        if knee.load_share > 0.9 > knee.server_share:
            context.report.note(f"{name}: the load's core was full before the server's; the server's knee is higher")
        joins = knee.told["joins"]
        figure(f"{name}: a join, {AT_ONCE} at once: p99", joins["time"]["p99_ms"], "ms", at_most=MAX_JOIN_P99_MS)
        figure(f"{name}: join → first packet: p50", joins["first_packet"]["p50_ms"], "ms")
        figure(f"{name}: join → first packet: p99", joins["first_packet"]["p99_ms"], "ms", at_most=MAX_JOIN_P99_MS)
        figure(f"{name}: memory of a peer", first.peer_kb, "KB", at_most=MAX_KB_EACH)
        for percent in (25, 50, 75):
            rate = knee.rate * percent / 100
            served, relayed = load(context, case, server, token, rate), relay(context, case, rate)
            for which in ("p50_ms", "p99_ms", "p99_9_ms"):
                label = which.removesuffix("_ms").replace("_", ".")
                bar = MAX_ADDED_P99_MS if (percent, which) == (50, "p99_ms") else None
                figure(f"{name}, {percent} % of the knee: delay {label}", getattr(served, which), "ms")
                figure(f"{name}, {percent} % of the knee: delay {label} of the relay", relayed["delay"][which], "ms")
                added = getattr(served, which) - relayed["delay"][which]
                figure(f"{name}, {percent} % of the knee: added {label}", added, "ms", at_most=bar)
        over = load(context, case, server, token, knee.rate * 2)
        figure(f"{name}, twice the knee: arrives", over.rate, "packets/s")
        figure(f"{name}, twice the knee: lost", 100 * over.loss, "%")
        figure(f"{name}, twice the knee: delay p99", over.p99_ms, "ms")
        figure(f"{name}, twice the knee: participants lost", over.told["joins"]["lost"], "")


def find_knee(context, case, server, token, best):
    """The best run that lost next to nothing, from a first one on."""
    rate = best.per_cpu_second
    if best.loss >= MAX_LOSS:
        best, rate = None, START * STEP
    for _ in range(TRIES):
        tried = load(context, case, server, token, rate)
        if tried.loss < MAX_LOSS:
            if best is None or tried.rate > best.rate:
                best = tried
            # Downwards the first that holds is the one; upwards it goes on as long as there is more.
            if tried.server_share < 0.8 and tried.load_share < 0.9:
                rate = tried.rate * min(1.5, 0.95 / max(tried.server_share, 0.1))
                continue
            break
        if best is not None and rate * STEP <= best.rate:
            break
        rate *= STEP
    return best


def load(context, case, server, token, rate):
    seconds = context.seconds
    flags = ["load", "--url", f"http://127.0.0.1:{server.port}", "--json", "--meetings", 1,
             "--publishers", case.publishers, "--subscribers", case.subscribers, "--seconds", seconds,
             "--at-once", AT_ONCE, "--threads", 1, *case.flags(rate)]  # fmt: skip
    before = resident_mb(server.pid)
    with Told([context.muster, *flags], context, env={"MUSTER_TOKEN": token}) as tool:
        tool.until("measuring")
        started, server_cpu, tool_cpu = time.monotonic(), cpu_seconds(server.pid), cpu_seconds(tool.pid)
        tool.until("measured")
        took, resident = time.monotonic() - started, resident_mb(server.pid)
        server_cpu, tool_cpu = cpu_seconds(server.pid) - server_cpu, cpu_seconds(tool.pid) - tool_cpu
        told = tool.until("done")
    packets = told["packets"]
    if told["joins"]["succeeded"] != case.people:
        raise RuntimeError(f"{case.name}: {told['joins']} {told['errors']}")
    arrived = Run(
        told=told,
        rate=packets["received"] / seconds,
        offered=packets["expected"] / seconds,
        per_cpu_second=packets["received"] / max(server_cpu, 0.01),
        loss=packets["loss"],
        server_share=server_cpu / took,
        load_share=tool_cpu / took,
        peer_kb=(resident - before) * 1000 / case.people,
    )
    context.progress(
        f"{case.name}: {arrived.rate:,.0f} of {arrived.offered:,.0f}/s, {arrived.loss:.3%} lost, "
        f"p99 {arrived.p99_ms:.1f} ms, {arrived.per_cpu_second:,.0f} for a cpu second, "
        f"server {arrived.server_share:.0%}, load {arrived.load_share:.0%}"
    )
    return arrived


def relay(context, case, rate):
    program = context.muster.parent / "examples" / "null_relay"
    with Told([program, "serve"], context, core=context.server_core, keep_input=True) as server:
        port = server.next()["port"]
        arguments = ["load", port, case.publishers, case.subscribers, int(case.duplex), context.seconds]
        with Told([program, *arguments, *case.streams(rate)], context) as tool:
            told = tool.until("done")
    delay = told["delay"]
    lost = 1 - told["packets"]["received"] / max(told["packets"]["expected"], 1)
    context.progress(f"{case.name}, the relay: p99 {delay['p99_ms']:.1f} ms, {lost:.3%} lost")
    return told


class Told(Child):
    """A program that says one JSON object a line."""

    def __init__(self, command, context, core=None, env=None, keep_input=False):
        super().__init__(
            command,
            log=context.scratch / "media.log",
            core=context.load_core if core is None else core,
            env=env,
            stdout=subprocess.PIPE,
            text=True,
            **({"stdin": subprocess.PIPE} if keep_input else {}),
        )

    def next(self):
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(5)
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}; it said:\n{self.last_words()}")
        return json.loads(line)

    def until(self, phase):
        while True:
            told = self.next()
            if told.get("phase") == phase:
                return told
