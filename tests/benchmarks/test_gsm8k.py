"""GSM8K: gold answers, prompts and worked examples, and the published verdicts on recorded solutions."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from benchmarks.base import Request
from benchmarks.gsm8k import GSM8K, gold
from benchmarks.score import score
from benchmarks.settings import Settings
from harness.errors import DataError
from harness.jsonl import read_jsonl
from harness.records import Case, Response

ROWS = [
    {"question": "Two hens lay 3 eggs each. How many eggs?", "answer": "2 * 3 = <<2*3=6>>6\n#### 6"},
    {"question": "A farm has 1,200 hens and buys 34. How many hens?", "answer": "1200 + 34 = 1234\n#### 1,234"},
    {"question": "Ten loses 14. What is left?", "answer": "10 - 14 = -4\n#### -4"},
]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write(tmp_path / "gsm8k" / "test.jsonl", ROWS)
    write(tmp_path / "gsm8k" / "train.jsonl", [{**ROWS[0], "question": f"Hens {i}?"} for i in range(6)])
    return tmp_path


def test_the_gold_is_the_number_after_the_mark() -> None:
    assert gold("so 1,200 + 34\n#### 1,234", "here") == "1234"
    assert gold("so\nA: -4", "here") == "-4"
    with pytest.raises(DataError, match="here: the answer has no line"):
        gold("it is 4", "here")


def test_every_prompt_asks_for_the_form_that_strict_reads(data: Path) -> None:
    loaded = GSM8K.load(Request(data=data))
    assert [prompt.target for prompt in loaded.prompts] == ["6", "1234", "-4"]
    for prompt in loaded.prompts:
        assert "####" in prompt.messages[-1].content
        assert "####" in prompt.metadata["plain"]
        assert prompt.metadata["plain"].endswith("Answer:")
    assert loaded.of == 1319


def test_worked_examples_come_from_the_train_split_by_seed(data: Path) -> None:
    first, again, other = (GSM8K.load(Request(data=data, shots=3, seed=seed)).prompts[0] for seed in (0, 0, 1))
    assert first == again
    assert first != other
    assert len(first.messages) == 7
    assert first.metadata["plain"].count("#### 6") == 3


def test_without_a_train_split_there_are_no_examples_and_a_notice(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("MOJ_DATA", raising=False)
    loaded = GSM8K.load(Request(data=write(tmp_path / "test.jsonl", ROWS), shots=2))
    assert len(loaded.prompts[0].messages) == 1
    assert "0 shots instead of 2" in loaded.notices[0]


def test_a_missing_field_is_named_by_file_and_line(tmp_path: Path) -> None:
    path = write(tmp_path / "test.jsonl", [ROWS[0], {"question": "What?"}])
    with pytest.raises(DataError, match=r"test\.jsonl:2.*answer"):
        GSM8K.load(Request(data=path))


def test_the_reference_solutions_pass_both_regimes(shared_data: Path) -> None:
    rows = read_jsonl(shared_data / "gsm8k" / "test_0000_0659.jsonl")
    prompts = GSM8K.load(Request(data=shared_data)).prompts

    cases = [Case(p, Response(p.id, 0, row["answer"])) for p, row in zip(prompts, rows, strict=True)]
    empty = [Case(p, Response(p.id, 0, "")) for p in prompts]
    for judge in GSM8K.judges().values():
        assert all(verdict.passed for verdict in judge(cases))
        assert all(verdict.outcome == "fail" for verdict in judge(empty))


def test_openais_example_solutions_get_their_recorded_verdicts(shared_data: Path, tmp_path: Path) -> None:
    file = shared_data / "gsm8k" / "example_model_solutions_0000_0659.jsonl"
    labels = read_jsonl(file)
    results = {result["model"]: result for result in score("gsm8k", file, out=tmp_path / "run")}
    assert set(results) == {"6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"}
    for model, result in results.items():
        rows = read_jsonl(Path(result["run"]) / "samples.jsonl")
        found = {row["prompt_id"]: row["verdicts"]["gsm8k/flexible"]["outcome"] == "pass" for row in rows}
        differing = [i for i, row in enumerate(labels) if found[str(i)] != row[model]["is_correct"]]
        assert differing == []
        assert result["n"] == result["decided"] == 660
        assert result["part"] == {"prompts": 660, "of": 1319}
        right = sum(row[model]["is_correct"] for row in labels)
        assert result["metrics"]["gsm8k/flexible"]["value"] == pytest.approx(right / 660)


def test_toras_predictions_get_its_verdicts_but_for_its_tolerance(shared_data: Path, tmp_path: Path) -> None:
    file = shared_data / "gsm8k" / "tora-70b-v1.0_predictions_0000_0659.jsonl"
    recorded = {str(row["test_index"]): row for row in read_jsonl(file)}
    (result,) = score("gsm8k", file, Settings(), out=tmp_path / "run")
    rows = read_jsonl(tmp_path / "run" / "samples.jsonl")
    assert len(rows) == result["n"] == 660
    for row in rows:
        entry = recorded[row["prompt_id"]]
        passed = row["verdicts"]["gsm8k/flexible"]["outcome"] == "pass"
        if passed != entry["tora_correct"]:
            # Its comparison also takes a hundredth and a hundredfold of the gold, within a relative 1e-4.
            assert not passed
            said, right = Fraction(entry["pred"]), Fraction(entry["gold"])
            assert any(abs(said - right * f) <= abs(right * f) / 1000 for f in (1, 100, Fraction(1, 100))), entry
