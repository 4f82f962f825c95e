"""MATH: targets from the last box, subjects and levels, and the recorded verdicts on real outputs."""

import json
from pathlib import Path

import pytest

from benchmarks.base import Request
from benchmarks.math_hendrycks import MATH
from benchmarks.score import score
from harness.errors import DataError
from harness.jsonl import read_jsonl
from harness.records import Case, Response


def test_the_target_is_the_last_box_or_the_field_answer(tmp_path: Path) -> None:
    path = tmp_path / "math_test.jsonl"
    rows = [
        {
            "problem": "Add.",
            "solution": "First \\boxed{3}, then \\boxed{\\frac{1}{2}}.",
            "level": "Level 2",
            "type": "A",
        },
        {
            "problem": "Sub.",
            "solution": "no box",
            "answer": "7",
            "level": 4,
            "subject": "B",
            "unique_id": "test/b/1.json",
        },
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    first, second = MATH.load(Request(data=path)).prompts
    assert (first.id, first.target, first.metadata["level"], first.metadata["subject"]) == (
        "0", "\\frac{1}{2}", "Level 2", "A",
    )  # fmt: skip
    assert (second.id, second.target, second.metadata["level"], second.metadata["subject"]) == (
        "test/b/1.json", "7", "Level 4", "B",
    )  # fmt: skip
    path.write_text(json.dumps({"problem": "Sub.", "solution": "no box"}) + "\n")
    with pytest.raises(DataError, match=r"math_test\.jsonl:1: solution: no .boxed"):
        MATH.load(Request(data=path))


def test_reference_solutions_pass_their_own_judge_and_empty_responses_fail(shared_data: Path) -> None:
    prompts = MATH.load(Request(data=shared_data / "math" / "math500_even.jsonl")).prompts
    solutions = [row["solution"] for row in read_jsonl(shared_data / "math" / "math500_even.jsonl")]
    (judge,) = MATH.judges().values()
    verdicts = judge([Case(p, Response(p.id, 0, text)) for p, text in zip(prompts, solutions, strict=True)])
    failed = [(p.id, p.target, v.reason) for p, v in zip(prompts, verdicts, strict=True) if not v.passed]
    assert failed == []
    assert len(verdicts) == 252
    assert {v.outcome for v in judge([Case(p, Response(p.id, 0, "")) for p in prompts])} == {"fail"}


def test_qwens_outputs_get_the_verdicts_of_three_verifiers(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "math"
    (result,) = score("math_hendrycks", folder / "qwen25math_samples_even.jsonl", out=tmp_path / "run")
    assert result["n"] == result["decided"] == 352
    assert result["metrics"]["math_hendrycks/accuracy"]["value"] == pytest.approx(320 / 352)
    samples = read_jsonl(folder / "qwen25math_samples_even.jsonl")
    verdicts = read_jsonl(folder / "qwen25math_verdicts_even.jsonl")
    expected = {
        (str(row["math_test_index"]), row["sample"]): other["math_verify"]
        for row, other in zip(samples, verdicts, strict=True)
    }
    rows = read_jsonl(tmp_path / "run" / "samples.jsonl")
    found = {
        (row["prompt_id"], row["sample"]): row["verdicts"]["math_hendrycks/accuracy"]["outcome"] == "pass"
        for row in rows
    }
    assert found == expected


def test_a_scored_problem_carries_subject_and_level_where_the_file_has_them(shared_data: Path) -> None:
    loaded = MATH.load(Request(data=shared_data, limit=5))
    assert loaded.of == 5000
    assert all(prompt.metadata["level"].startswith("Level ") for prompt in loaded.prompts)
