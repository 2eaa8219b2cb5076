"""Rows, checks and notes, and the two forms they leave in: a markdown table and JSON."""

import json
from dataclasses import asdict, dataclass


@dataclass
class Row:
    benchmark: str
    name: str
    value: float | str
    unit: str
    bar: str
    verdict: str


class Report:
    def __init__(self, names, quick):
        self.names, self.quick = names, quick
        self.machine = {}
        self.rows, self.notes = [], []
        self.failed = False
        self._current = ""

    def begin(self, benchmark, busy_before):
        self._current = benchmark
        if busy_before > 0.1:
            self.note(
                f"{benchmark}: the machine was {busy_before:.0%} busy with something else at the start; do not quote"
            )

    def end(self, steal, seconds):
        if steal > 0.01:
            self.note(f"{self._current}: the hypervisor took {steal:.0%} of the processor time")
        self.note(f"{self._current} took {seconds:.0f} s")

    def figure(self, name, value, unit, at_least=None, at_most=None):
        bar, verdict = "", ""
        if at_least is not None:
            bar, verdict = f"≥ {pretty(at_least)}", "ok" if value >= at_least else "missed"
        elif at_most is not None:
            bar, verdict = f"≤ {pretty(at_most)}", "ok" if value <= at_most else "missed"
        self.rows.append(Row(self._current, name, value, unit, bar, verdict))

    def check(self, name, good, of):
        """A thing that must hold every time, not a speed: a miss fails the run."""
        verdict = "ok" if good == of and of > 0 else "FAILED"
        self.failed |= verdict == "FAILED"
        self.rows.append(Row(self._current, name, f"{good:,} of {of:,}", "", "all", verdict))

    def failure(self, text):
        self.failed = True
        self.note(f"**{text}**")

    def note(self, text):
        self.notes.append(text)

    def markdown(self):
        lines = ["", "| benchmark | figure | value | unit | bar | verdict |", "|---|---|--:|---|---|---|"]
        for row in self.rows:
            lines.append(
                f"| {row.benchmark} | {row.name} | {pretty(row.value)} | {row.unit} | {row.bar} | {row.verdict} |"
            )
        lines.append("")
        lines += [f"- {key}: {value}" for key, value in self.machine.items()]
        lines += [f"- {note}" for note in self.notes]
        if self.quick:
            lines.append("- quick rounds: for trying out, not for quoting")
        return "\n".join(lines) + "\n"

    def save(self, path):
        path.parent.mkdir(exist_ok=True)
        content = {
            "benchmarks": self.names,
            "quick": self.quick,
            "failed": self.failed,
            "machine": self.machine,
            "rows": [asdict(row) for row in self.rows],
            "notes": self.notes,
        }
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def pretty(value):
    """Three significant digits, and no fraction from a hundred on."""
    if isinstance(value, str):
        return value
    if abs(value) >= 100:
        return f"{value:,.0f}"
    text = f"{value:.3g}"
    return text if "e" not in text else f"{value:.4f}"
