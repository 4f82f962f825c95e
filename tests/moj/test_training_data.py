"""Judged samples become training data: what passed, better against worse, best first; undecided ones are counted."""

import json
from pathlib import Path

import pytest

from harness.errors import DataError
from harness.records import Case, Message, Prompt, Response, Verdict
from moj.training_data import pairs, rankings, sft, write_training_data


def case(prompt: str, sample: int, text: str) -> Case:
    return Case(Prompt(prompt, (Message("user", f"ask {prompt}"),)), Response(prompt, sample, text))


def verdict(score: float | None) -> list[Verdict]:
    if score is None:
        return [Verdict("j", "error", reason="down")]
    return [Verdict("j", "pass" if score >= 0.5 else "fail", score)]


CASES = [case("a", 0, "bad"), case("a", 1, "good"), case("a", 2, "best"), case("a", 3, "lost"), case("b", 0, "only")]
VERDICTS = [verdict(0.0), verdict(0.6), verdict(1.0), verdict(None), verdict(1.0)]


def test_sft_keeps_what_every_judge_passed() -> None:
    rows = sft(CASES, VERDICTS)
    assert [row["completion"][0]["content"] for row in rows] == ["good", "best", "only"]
    assert rows[0]["prompt"] == [{"role": "user", "content": "ask a"}]
    assert sft(CASES[:1], [[*verdict(1.0), *verdict(0.0)]]) == []


def test_pairs_set_the_best_against_the_worst_and_never_equals() -> None:
    rows = pairs(CASES, VERDICTS)
    assert [(row["chosen"][0]["content"], row["rejected"][0]["content"]) for row in rows] == [("best", "bad")]
    assert pairs(CASES[:2], [verdict(1.0), verdict(1.0)]) == []


def test_rankings_hold_one_sample_of_each_score_best_first() -> None:
    (row,) = rankings(CASES, VERDICTS)
    assert [turn[0]["content"] for turn in row["ranked"]] == ["best", "good", "bad"]
    assert row["scores"] == [1.0, 0.6, 0.0]


def test_the_file_is_written_whole_and_what_was_left_out_is_said(tmp_path: Path) -> None:
    said = write_training_data("pairs", tmp_path / "pairs.jsonl", CASES, VERDICTS)
    assert "1 rows from 5 samples, 1 undecided samples left out" in said
    (line,) = (tmp_path / "pairs.jsonl").read_text().splitlines()
    assert set(json.loads(line)) == {"prompt", "chosen", "rejected"}
    assert [path.name for path in tmp_path.iterdir()] == ["pairs.jsonl"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent.pairs\.jsonl: cannot be written"):
        write_training_data("pairs", tmp_path / "absent" / "pairs.jsonl", CASES, VERDICTS)
