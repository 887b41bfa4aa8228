"""
The benchmark works and its table says what was measured. No time is asserted: that is `make bench`'s
own, on a quiet machine. MINIVPC_TEST_BENCH=1 tries all its parts, not the shortest alone.
"""
import io
import json
import os
import subprocess
import sys

import pytest

from lib import BINARY

BENCH = os.path.join(os.path.dirname(__file__), "..", "bench")
sys.path.append(BENCH)
from report import Figure, Report  # pylint: disable=wrong-import-position,wrong-import-order

PARTS = ("latency", "launch", "rules", "paths", "api")


def canned():
    report = Report(kind="canned", rounds=3)
    report.add("launch", "50 at once", "per s", Figure([800, 790, 700]), more_is_better=True,
               floor=Figure([1000, 1580, 1000], "bare C"), peer=Figure(50, "Mininet"),
               paired=True, aims={"floor": 0.75, "peer": 10})
    report.add("latency", "exec", "ms", [4.0, 9.0, 5.0, 5.5, 1.5],
               floor=Figure(1.25, "a bare process"), aims={"most": 4.5})
    report.add("rules", "round trip", "µs", Figure([12, 10, 11], best=min),
               floor=Figure([9, 9.5], "1 rule", min), aims={"floor": 0.9})
    report.add("api", "DescribeVpcs", "per s", 17000, more_is_better=True,
               floor=Figure(10000, "the aim"), aims={"least": 10000})
    report.add("launch", "down of 50", "s", [0.0712])
    report.failures["paths"] = "no bridge"
    return report


def test_ratios_say_how_good_it_is_more_being_better():
    launch, execute, rules, api, down = canned().rows
    assert launch.ratio("floor") == 0.7  # of 0.8, 0.5 and 0.7: sample by sample
    assert launch.ratio("peer") == 790 / 50
    assert launch.missed() == ["floor"]
    assert execute.ratio("floor") == 1.25 / 5 and execute.ratio("peer") is None
    assert execute.missed() == ["most"]
    assert rules.ratio("floor") == 0.9 and rules.missed() == []
    assert api.ratio("floor") == 1.7 and api.missed() == []
    assert down.ratio("floor") is None


def test_json_has_units_conditions_and_spread(tmp_path):
    path = tmp_path / "deep" / "bench.json"
    canned().write(str(path))
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    conditions = found["conditions"]
    assert conditions["kernel"] == os.uname().release
    assert conditions["processors"] == len(os.sched_getaffinity(0))
    assert len(conditions["began"]["load"]) == 3 and 0 <= conditions["ended"]["idle"] <= 1
    assert (conditions["kind"], conditions["rounds"]) == ("canned", 3)
    assert found["failures"] == {"paths": "no bridge"}
    launch, execute, rules, _, down = found["rows"]
    assert launch["part"] == "launch" and launch["better"] == "more"
    assert launch["ratio"] == {"floor": 0.7, "peer": 15.8} and launch["missed"] == ["floor"]
    assert execute["unit"] == "ms" and execute["peer"] is None
    assert execute["minivpc"] == {"name": "minivpc", "value": 5.0, "is": "median", "least": 1.5,
                                  "most": 9.0, "samples": 5, "spread": 0.3}
    assert (rules["minivpc"]["value"], rules["minivpc"]["is"]) == (10, "min")
    assert down["floor"] is None and down["minivpc"]["spread"] == 0


def shown(name):
    out = io.StringIO()
    getattr(canned(), name)(out)
    return out.getvalue().splitlines()


def test_the_table_has_a_line_for_each_row_and_says_what_is_missed():
    lines = shown("table")
    assert next(line for line in lines if line.startswith("what")).split("  ")[-1] == "/peer"
    row = next(line for line in lines if "50 at once" in line)
    assert row.split() == ["50", "at", "once", "per", "s", "790", "1,000", "bare", "C", "50.0",
                           "Mininet", "0.70", "16", "aim:", "0.75", "of", "the", "floor", "MISSED,",
                           "10", "times", "the", "peer"]
    assert "~5.00" in next(line for line in lines if "exec" in line)  # its samples lie far apart
    assert next(line for line in lines if "down of 50" in line).split()[3:] == [
        "s", "0.071", "-", "-", "-", "-"]
    assert "FAILED: paths: no bridge" in lines
    assert [line for line in lines if line.endswith(":")] == [
        "Launching, in one subnet:", "One at a time:", "What rules cost a packet:",
        "API calls, signed, by one kept connection:"]


def test_the_readmes_table_has_ratios_only():
    lines = shown("markdown")
    assert "| 50 at once | 0.70 (bare C) | 16 (Mininet) |" in lines
    assert not any("790" in line or "17,000" in line for line in lines)


@pytest.mark.parametrize("part", PARTS)
def test_it_measures(part, tmp_path):
    if part != PARTS[0] and "MINIVPC_TEST_BENCH" not in os.environ:
        pytest.skip(f"--{part}: MINIVPC_TEST_BENCH isn't set")
    path = tmp_path / "bench.json"
    done = subprocess.run([os.path.join(BENCH, "run"), "--smoke", f"--{part}", "--readme",
                           "--build", os.path.dirname(BINARY), "--json", str(path)],
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    assert {row["part"] for row in found["rows"]} == {part}
    for row in found["rows"]:
        assert row["minivpc"]["value"] > 0, row
        for which, ratio in row["ratio"].items():
            assert (ratio is None) == (row[which] is None), row
        assert row["what"] in done.stdout
