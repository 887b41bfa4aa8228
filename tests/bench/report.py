"""Where all parts of the benchmark hand in what they found, and the one table made of it.

A row is one thing measured: minivpc's figure, the floor below which nothing of the kind is possible
(or the limit it is to keep to), and a peer, somebody else's way of doing the same. Its ratios say
how good minivpc is beside each, more being better whatever the unit: 0.5 is half as fast as the
floor, 14 is fourteen times as fast as the peer, 2.7 of a limit in KiB takes a 2.7th of it.
"""

import json
import os
import platform
import statistics
import sys
import time
from dataclasses import dataclass, field

SPREAD_MAX = 0.2  # between quarters, of the median: above it the table says so
PARTS = {
    "launch": "Launching, in one subnet",
    "latency": "One at a time",
    "rules": "What rules cost a packet",
    "paths": "A packet's way",
    "api": "API calls, signed, by one kept connection",
}


@dataclass
class Figure:
    """What was measured, each time it was, in its row's unit."""

    samples: list
    name: str = "minivpc"
    best: object = None  # min or max, where everything else on the machine only ever costs

    def __post_init__(self):
        if not isinstance(self.samples, list):
            self.samples = [self.samples]

    @property
    def value(self) -> float:
        return (self.best or statistics.median)(self.samples)

    @property
    def spread(self) -> float:
        """The middle half's width, of the median; 0 of a single one."""
        if len(self.samples) < 2 or not self.value:
            return 0
        quarters = statistics.quantiles(self.samples, n=4, method="inclusive")
        return (quarters[2] - quarters[0]) / abs(statistics.median(self.samples))

    def plain(self) -> dict:
        return {
            "name": self.name,
            "value": self.value,
            "is": self.best.__name__ if self.best else "median",
            "least": min(self.samples),
            "most": max(self.samples),
            "samples": len(self.samples),
            "spread": round(self.spread, 4),
        }


@dataclass
class Row:
    """`aims`: the least ratios that are good enough, by "floor" and "peer", and the "least" or
    "most" that the figure itself may be. `paired`: each sample was taken beside one of the floor's,
    and the ratio is the median of theirs."""

    part: str
    what: str
    unit: str
    ours: Figure
    floor: Figure = None
    peer: Figure = None
    more_is_better: bool = False
    aims: dict = field(default_factory=dict)
    paired: bool = False
    quoted: bool = True  # in the README's table, if there is a ratio to quote

    def ratio(self, which: str):
        other = getattr(self, which)
        if other is None:
            return None
        pairs = [(self.ours.value, other.value)]
        if self.paired and which == "floor":
            pairs = list(zip(self.ours.samples, other.samples, strict=True))
        ratios = [a / b if self.more_is_better else b / a for a, b in pairs if a and b]
        return statistics.median(ratios) if ratios else None

    def missed(self) -> list:
        """Which aims it falls short of."""

        def met(which: str, aim: float) -> bool:
            if which == "most":
                return self.ours.value <= aim
            value = self.ours.value if which == "least" else self.ratio(which)
            return value is None or value >= aim

        return [which for which, aim in self.aims.items() if not met(which, aim)]

    def plain(self) -> dict:
        others = {which: getattr(self, which) for which in ("floor", "peer")}
        return {
            "part": self.part,
            "what": self.what,
            "unit": self.unit,
            "better": "more" if self.more_is_better else "less",
            "minivpc": self.ours.plain(),
            **{which: other and other.plain() for which, other in others.items()},
            "ratio": {which: self.ratio(which) for which in others},
            "aims": self.aims,
            "missed": self.missed(),
        }


def idle(seconds: float = 0.3) -> float:
    """The share of its time that the machine spends idle."""

    def read() -> list:
        with open("/proc/stat", encoding="ascii") as stat:
            return [int(word) for word in stat.readline().split()[1:]]

    before = read()
    time.sleep(seconds)
    spent = [after - earlier for after, earlier in zip(read(), before)]
    return (spent[3] + spent[4]) / max(1, sum(spent))


def now() -> dict:
    return {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "load": [round(load, 2) for load in os.getloadavg()],
            "idle": round(idle(), 2)}


def brief(value) -> str:
    """Three figures, and no more digits than that."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 2 if abs(value) >= 1 or value == 0 else 3
    return f"{value:.{1 if abs(value) >= 10 else digits}f}"


def times(value) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"


class Report:
    def __init__(self, **settings):
        self.rows = []
        self.failures = {}
        self.notes = []
        self.settings = settings
        self.began = now()

    def add(self, part: str, what: str, unit: str, ours, **rest) -> None:
        if part not in PARTS:
            raise KeyError(part)
        ours = ours if isinstance(ours, Figure) else Figure(ours)
        self.rows.append(Row(part, what, unit, ours, **rest))

    def by_part(self) -> list:
        parts = [(title, [row for row in self.rows if row.part == part])
                 for part, title in PARTS.items()]
        return [(title, rows) for title, rows in parts if rows]

    def conditions(self) -> dict:
        with open("/proc/meminfo", encoding="ascii") as meminfo:
            total = int(meminfo.readline().split()[1])
        return {
            "kernel": platform.release(),
            "machine": platform.machine(),
            "processors": len(os.sched_getaffinity(0)),
            "memory_mib": total // 1024,
            "began": self.began,
            "ended": now(),
            **self.settings,
        }

    def plain(self) -> dict:
        return {"conditions": self.conditions(), "rows": [row.plain() for row in self.rows],
                "failures": self.failures, "notes": self.notes}

    def write(self, path: str) -> None:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.plain(), file, indent=1, ensure_ascii=False)
            file.write("\n")

    # --- for people ------------------------------------------------------------------------------

    def table(self, out=sys.stdout) -> None:
        """What, minivpc, the floor or limit, the peer, the ratios."""
        conditions = self.conditions()
        began, ended = conditions["began"], conditions["ended"]
        print(f"\n{conditions['processors']} processors, kernel {conditions['kernel']}; load "
              f"{began['load'][0]} and {began['idle']:.0%} idle at first, {ended['load'][0]} and "
              f"{ended['idle']:.0%} at the end.\nRatios: more is better, 1 is as good as that; "
              f"~ where the samples' middle half is wider than {SPREAD_MAX:.0%}.", file=out)
        lines = [self.cells(row) for row in self.rows]
        heads = ["what", "unit", "minivpc", "floor or limit", "peer", "/floor", "/peer"]
        widths = [max(len(line[n]) for line in [heads, *lines]) for n in range(len(heads))]

        def show(line: list, rest: str = "") -> None:
            left = [text.ljust(width) for text, width in zip(line[:2], widths)]
            right = [text.rjust(width) for text, width in zip(line[2:], widths[2:])]
            print(("  ".join(left + right) + rest).rstrip(), file=out)

        show(heads)
        for title, rows in self.by_part():
            print(f"{title}:", file=out)
            for row in rows:
                show(self.cells(row), self.verdict(row))
        for note in self.notes:
            print(note, file=out)
        for name, why in self.failures.items():
            print(f"FAILED: {name}: {why}", file=out)

    @staticmethod
    def cells(row: Row) -> list:
        def named(figure) -> str:
            return f"{brief(figure.value)} {figure.name}" if figure else "-"

        wide = "~" if row.ours.spread > SPREAD_MAX and not row.ours.best else ""
        return ["  " + row.what, row.unit, wide + brief(row.ours.value), named(row.floor),
                named(row.peer), times(row.ratio("floor")), times(row.ratio("peer"))]

    @staticmethod
    def verdict(row: Row) -> str:
        words = {"most": "at most {}", "least": "at least {:,}", "floor": "{} of the floor",
                 "peer": "{} times the peer"}
        missed = row.missed()
        aims = [words[which].format(aim) + (" MISSED" if which in missed else "")
                for which, aim in row.aims.items()]
        return f"  aim: {', '.join(aims)}" if aims else ""

    def markdown(self, out=sys.stdout) -> None:
        """The README's table: ratios only."""

        def cell(row: Row, which: str) -> str:
            ratio = row.ratio(which)
            return f"{times(ratio)} ({getattr(row, which).name})" if ratio is not None else ""

        print("| times as good as | the floor, or the limit | a peer |\n|---|---|---|", file=out)
        for title, rows in self.by_part():
            print(f"| **{title}** | | |", file=out)
            for row in rows:
                if row.quoted and (row.ratio("floor") or row.ratio("peer")):
                    print(f"| {row.what} | {cell(row, 'floor')} | {cell(row, 'peer')} |",
                          file=out)
