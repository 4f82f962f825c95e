"""Recorded responses are read as their authors wrote them, placed by id or question, and never dropped or doubled."""

from typing import Any

import pytest

from benchmarks.base import Benchmark, Loaded
from benchmarks.questions import Item, Style, prompt
from benchmarks.recorded import read_recorded
from harness.datasets import Row
from harness.errors import DataError
from harness.records import Response, to_dict

PROMPTS = tuple(prompt(Item(str(i), f"How many  is {i}?", "", str(i), {}), Style("Say it.")) for i in range(3))


def read(*rows: dict[str, Any]) -> dict[str | None, list[tuple[str, int, str]]]:
    benchmark = Benchmark("b", "a test", load=lambda _: loaded(), judges=dict)
    table = [Row(row, "f.jsonl", number) for number, row in enumerate(rows, start=1)]
    groups = read_recorded(benchmark, table, loaded)
    return {
        model: [(one.prompt.id, one.response.sample, one.response.text) for one in recorded]
        for model, recorded in groups.items()
    }


def loaded() -> Loaded:
    return Loaded(PROMPTS, "", "", 3)


@pytest.mark.parametrize("key", ["prompt_id", "task_id", "key", "question_id", "index", "id"])
@pytest.mark.parametrize("text", ["response", "output", "completion", "generation"])
def test_a_row_names_its_prompt_by_id_under_any_usual_key(key: str, text: str) -> None:
    assert read({key: 1, text: "one"}) == {None: [("1", 0, "one")]}


def test_a_row_may_name_its_prompt_by_its_question() -> None:
    assert read({"question": "How many is 2?", "output": "two"}) == {None: [("2", 0, "two")]}
    assert read({"instruction": PROMPTS[1].messages[0].content, "output": "one"}) == {None: [("1", 0, "one")]}


def test_rows_without_sample_numbers_are_numbered_in_order_per_prompt_and_model() -> None:
    rows = [
        {"id": i, "output": t, "model": m} for i, t, m in [(1, "a", "x"), (1, "b", "x"), (2, "c", "x"), (1, "d", "y")]
    ]
    assert read(*rows) == {"x": [("1", 0, "a"), ("1", 1, "b"), ("2", 0, "c")], "y": [("1", 0, "d")]}


def test_our_own_rows_bring_their_prompt_and_other_benchmarks_rows_are_passed_over() -> None:
    response = to_dict(Response("1", 4, "one"))
    ours = {"benchmark": "b", "prompt_id": "1", "sample": 4, "prompt": to_dict(PROMPTS[1]), "response": response}
    assert read({**ours, "benchmark": "other"}, ours) == {None: [("1", 4, "one")]}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": 9, "output": "x"}, r"f\.jsonl:1: no prompt of the benchmark matches id=9"),
        ({"output": "x"}, r"f\.jsonl:1: no prompt of the benchmark matches the row"),
        ({"id": 1}, r"f\.jsonl:1: no response; a row holds it under"),
        ({"id": 1, "output": 5}, r"f\.jsonl:1: output: the response is int, not text"),
        ({"id": 1, "output": None}, r"f\.jsonl:1: output: the response is NoneType"),
        ({"benchmark": "b", "prompt": {"id": "1"}, "response": {}}, r"f\.jsonl:1: not a row of samples"),
        ({"benchmark": "other", "id": 1}, "no recorded response of b"),
    ],
)
def test_a_row_nobody_can_read_or_place_is_named(row: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(row)


def test_a_sample_that_stands_twice_is_refused() -> None:
    with pytest.raises(DataError, match="prompt '1', sample 0 stands twice"):
        read({"id": 1, "sample": 0, "output": "a"}, {"id": 1, "sample": 0, "output": "b"})


def test_an_empty_response_is_a_response() -> None:
    assert read({"id": 1, "output": ""}) == {None: [("1", 0, "")]}


def test_a_row_whose_id_and_question_disagree_is_refused_and_a_bare_row_number_gives_way() -> None:
    with pytest.raises(DataError, match="prompt_id is '0', but the question is that of '2'"):
        read({"prompt_id": "0", "question": "How many is 2?", "output": "two"})
    assert read({"id": 0, "question": "How many is 2?", "output": "two"}) == {None: [("2", 0, "two")]}


def test_the_data_sets_own_answer_is_no_response() -> None:
    with pytest.raises(DataError, match="no response"):
        read({"question": "How many is 2?", "answer": "so\n#### 2", "solution": "2"})


def test_sample_numbers_are_given_for_all_rows_or_for_none() -> None:
    with pytest.raises(DataError, match="some rows have a sample number"):
        read({"id": 1, "sample": 3, "output": "a"}, {"id": 1, "output": "b"})
    with pytest.raises(DataError, match="sample is -1"):
        read({"id": 1, "sample": -1, "output": "a"})
