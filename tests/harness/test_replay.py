"""Recorded responses come back as they were recorded, or are told to be missing; a broken file is told by line."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.engines.base import Failure, Sampling
from harness.engines.replay import ReplayEngine, open_engine
from harness.errors import ConfigError, DataError
from harness.records import Message, Prompt, Response, Usage, dumps, to_dict


def prompt(name: str) -> Prompt:
    return Prompt(name, (Message("user", name),))


def written(tmp_path: Path, *rows: Any) -> str:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(row if isinstance(row, str) else dumps(row) + "\n" for row in rows), "utf-8")
    return str(file)


def opened(tmp_path: Path, *rows: Any, **options: Any) -> ReplayEngine:
    return open_engine(written(tmp_path, *rows), options)


def texts(engine: ReplayEngine, *names: str, samples: int = 1) -> list[str | Failure]:
    found = engine.generate([prompt(name) for name in names], Sampling(samples=samples))
    return [one if isinstance(one, Failure) else one.text for one in found]


def test_rows_of_a_run_folder_come_back_whole(tmp_path: Path) -> None:
    recorded = [
        Response("a", 0, "first \ud800", "length", (1, 2), (-0.5, -0.25), Usage(3, 4), "hf:model"),
        Response("a", 1, "", "stop"),
    ]
    rows = [
        {"benchmark": "x", "prompt_id": "a", "sample": one.sample, "prompt": to_dict(prompt("a")),
         "response": to_dict(one), "verdicts": []}
        for one in reversed(recorded)
    ]  # fmt: skip
    engine = opened(tmp_path, *rows)
    assert list(engine.generate([prompt("a")], Sampling(samples=2))) == recorded


@pytest.mark.parametrize("key", ["prompt_id", "id", "task_id", "key", "question_id", "index"])
@pytest.mark.parametrize("field", ["response", "output", "completion", "text", "generation"])
def test_simple_rows_of_every_kind_are_read(key: str, field: str, tmp_path: Path) -> None:
    engine = opened(tmp_path, {key: 7, field: "seven"}, {key: 8, field: "eight", "sample": 0})
    assert texts(engine, "8", "7") == ["eight", "seven"]


def test_rows_without_a_sample_are_numbered_in_their_order(tmp_path: Path) -> None:
    rows = [
        {"task_id": "a", "completion": "1"},
        {"task_id": "b", "completion": "2"},
        {"task_id": "a", "completion": "3"},
    ]
    assert texts(opened(tmp_path, *rows), "a", samples=2) == ["1", "3"]


def test_a_text_without_finish_reason_is_not_said_to_have_stopped(tmp_path: Path) -> None:
    engine = opened(tmp_path, {"id": "a", "text": "x"}, {"id": "b", "text": "y", "finish_reason": "length"})
    found = list(engine.generate([prompt("a"), prompt("b")], Sampling()))
    assert [one.finish_reason for one in found if isinstance(one, Response)] == ["unknown", "length"]


def test_what_was_not_recorded_is_refused_by_name(tmp_path: Path) -> None:
    engine = opened(tmp_path, {"id": "item-1", "text": "x"})
    found = texts(engine, "item-1", "item-2", samples=2)
    assert found[0] == "x"
    missing = [one for one in found if isinstance(one, Failure)]
    assert [(one.prompt_id, one.sample, one.kind) for one in missing] == [
        ("item-1", 1, "refused"),
        ("item-2", 0, "refused"),
        ("item-2", 1, "refused"),
    ]
    assert "holds sample 0 of prompt 'item-1', not 1" in missing[0].cause
    assert "'item-2'" in missing[1].cause
    assert "it holds 'item-1'" in missing[1].cause


def test_only_what_is_wanted_comes(tmp_path: Path) -> None:
    rows = [{"id": name, "sample": sample, "text": f"{name}{sample}"} for name in "abc" for sample in range(3)]
    engine = opened(tmp_path, *rows)
    found = engine.generate(
        [prompt(name) for name in "abc"], Sampling(samples=3), wanted={"c": [2], "a": [0, 1], "b": []}
    )
    assert [one.text for one in found if isinstance(one, Response)] == ["a0", "a1", "c2"]


def test_an_id_of_two_benchmarks_needs_a_choice(tmp_path: Path) -> None:
    rows = [{"benchmark": name, "id": "1", "text": name} for name in ("x", "y")] + [
        {"benchmark": "x", "id": "2", "text": "z"}
    ]
    engine = opened(tmp_path, *rows)
    assert texts(engine, "2") == ["z"]
    with pytest.raises(ConfigError, match="benchmark=y"):
        texts(engine, "2", "1")
    assert texts(opened(tmp_path, *rows, benchmark="x"), "1") == ["x"]
    assert isinstance(texts(opened(tmp_path, *rows, benchmark="y"), "2")[0], Failure)
    with pytest.raises(DataError, match="of q; it holds x, y"):
        opened(tmp_path, *rows, benchmark="q")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (['{"id": 1, "text": "x"}\n', "{broken\n"], ":2: not valid JSON"),
        (["[1]\n"], ":1: an object"),
        ([{"text": "x"}], ":1: names no prompt"),
        ([{"id": None, "text": "x"}], ":1: names no prompt"),
        ([{"id": [1], "text": "x"}], ":1: id is [1]"),
        ([{"id": 1}], ":1: holds no response"),
        ([{"id": 1, "text": None}], ":1: text is NoneType"),
        ([{"id": 1, "text": ["x"]}], ":1: text is list"),
        ([{"id": 1, "text": "x", "sample": -1}], ":1: sample is -1"),
        ([{"id": 1, "text": "x", "sample": "0"}], ":1: sample is '0'"),
        ([{"id": 1, "text": "x", "sample": 0}] * 2, ":2: prompt '1', sample 0 stands in line 1"),
        ([{"id": 1, "response": {"text": 7}}], "text is 7, not"),
        ([{"id": 1, "response": {"sample": "0", "text": "x"}}], "sample is '0', not"),
        ([{"id": 1, "response": {"sample": -2, "text": "x"}}], ":1: response: sample is -2"),
        ([{"id": 1, "response": {"words": "x"}}], ":1: response: Response has no field words"),
        ([{"id": 1, "response": {"prompt_id": "2", "sample": 0, "text": "x"}}], "its response of '2'"),
        ([{"id": 1, "sample": 0, "response": {"prompt_id": "1", "sample": 3, "text": "x"}}], "sample 3"),
        ([], "no recorded response"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_told_by_line(rows: list[Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        opened(tmp_path, *rows)
    assert said in str(caught.value)
    assert "rows.jsonl" in str(caught.value)


def test_a_missing_file_or_wrong_option_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        open_engine(str(tmp_path / "nowhere.jsonl"), {})
    with pytest.raises(ConfigError, match="did you mean benchmark"):
        opened(tmp_path, {"id": 1, "text": "x"}, bench="x")
    with pytest.raises(ConfigError, match="names no file"):
        open_engine("", {})


def test_the_description_fixes_the_file(tmp_path: Path) -> None:
    engine = opened(tmp_path, {"id": 1, "text": "x"})
    first = engine.describe()
    assert first["responses"] == 1
    assert opened(tmp_path, {"id": 1, "text": "y"}).describe()["sha256"] != first["sha256"]
    assert json.loads(dumps(first)) == first
    engine.close()
