"""Undecided rows are counted and bounded, never read as 0; a part is stamped; samples of a prompt are one cluster."""

import pytest

from benchmarks.base import Benchmark, Loaded
from benchmarks.summary import Scored, summarise
from harness.records import Outcome, Prompt, Verdict


def benchmark(by: tuple[str, ...] = ()) -> Benchmark:
    return Benchmark("b", "a test", load=lambda _: Loaded((), "", "", 0), judges=dict, by=by)


def row(prompt: str, sample: int, outcome: Outcome | None, subject: str = "x") -> Scored:
    score = {"pass": 1.0, "fail": 0.0}.get(outcome or "")
    verdicts = {} if outcome is None else {"b/m": Verdict("j", outcome, score)}
    return Scored(Prompt(prompt, (), metadata={"subject": subject}), sample, verdicts, "stop")


def test_undecided_rows_are_counted_and_bounded() -> None:
    rows = [row("1", 0, "pass"), row("2", 0, "fail"), row("3", 0, "timeout"), row("4", 0, None)]
    result = summarise(benchmark(), ["b/m"], "m", rows, of=4)
    assert (result["n"], result["decided"]) == (4, 2)
    assert result["undecided"] == {"unparsed": 0, "timeout": 1, "error": 1}
    assert result["metrics"]["b/m"]["value"] == 0.5
    assert result["metrics"]["b/m"]["bounds"] == [0.25, 0.75]
    assert "part" not in result


def test_nothing_decided_gives_no_value_but_bounds() -> None:
    result = summarise(benchmark(), ["b/m"], "m", [row("1", 0, "error")], of=1)
    assert result["metrics"]["b/m"] == {"value": None, "stderr": None, "ci95": None, "bounds": [0.0, 1.0]}


def test_a_part_of_a_benchmark_is_stamped() -> None:
    assert summarise(benchmark(), ["b/m"], "m", [row("1", 0, "pass")], of=10)["part"] == {"prompts": 1, "of": 10}


def test_the_samples_of_a_prompt_count_as_one_cluster() -> None:
    alike = [row(str(p), k, "pass" if p % 2 else "fail") for p in range(20) for k in range(5)]
    single = [row(str(p), 0, "pass" if p % 2 else "fail") for p in range(20)]
    wide = summarise(benchmark(), ["b/m"], "m", alike, of=20)["metrics"]["b/m"]
    plain = summarise(benchmark(), ["b/m"], "m", single, of=20)["metrics"]["b/m"]
    assert wide["stderr"] == pytest.approx(plain["stderr"]), "five copies of a sample teach nothing new"


def test_the_order_of_rows_changes_nothing() -> None:
    rows = [row(str(p), k, "pass" if (p + k) % 3 else "fail") for p in range(7) for k in range(3)]
    assert summarise(benchmark(), ["b/m"], "m", rows, of=7) == summarise(benchmark(), ["b/m"], "m", rows[::-1], of=7)


def test_tables_break_the_headline_down() -> None:
    rows = [row("1", 0, "pass", "algebra"), row("2", 0, "fail", "geometry"), row("3", 0, "pass", "geometry")]
    table = summarise(benchmark(("subject",)), ["b/m"], "m", rows, of=3)["by"]["subject"]
    assert {name: (entry["n"], entry["value"]) for name, entry in table.items()} == {
        "algebra": (1, 1.0),
        "geometry": (2, 0.5),
    }
