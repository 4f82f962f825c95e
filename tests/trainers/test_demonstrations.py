import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.micro.tokenizer import build
from harness.errors import DataError
from harness.records import Message
from trainers.demonstrations import encode, read


def written(folder: Path, *rows: Any) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


ASK = {"role": "user", "content": "Hello?"}
SAY = {"role": "assistant", "content": "Hello."}


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [ASK, SAY]},
        {"prompt": "Hello?", "response": "Hello."},
        {"prompt": "Hello?", "completion": "Hello.", "id": 7},
        {"prompt": [ASK], "completion": [SAY]},
    ],
)
def test_every_shape_of_a_row_is_read_alike(tmp_path: Path, row: dict[str, Any]) -> None:
    path = written(tmp_path, row)
    ((prompt, response),), digest = read(path)
    assert prompt.messages == (Message("user", "Hello?"),)
    assert (response, prompt.id, len(digest)) == ("Hello.", f"{path}:1", 64)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "no rows"),
        (['{"prompt": "a", "resp'], r"rows.jsonl:1: not valid JSON"),
        ([{"prompt": "a", "response": "b"}, "[1]\n"], r"rows.jsonl:2: .*object"),
        ([{"response": "b"}], "rows.jsonl:1: neither messages nor prompt; this row has response"),
        ([{"prompt": "a"}], "rows.jsonl:1: no response or completion; this row has prompt"),
        ([{"prompt": "a", "response": " "}], "rows.jsonl:1: response: the response is empty"),
        ([{"prompt": "a", "response": 3}], "rows.jsonl:1: response: a list of turns"),
        ([{"prompt": [], "response": "b"}], "rows.jsonl:1: prompt: a list of turns"),
        ([{"messages": [SAY]}], "rows.jsonl:1: messages: must end with an assistant's turn after a prompt"),
        ([{"messages": [ASK, SAY, ASK]}], "rows.jsonl:1: messages: must end with an assistant"),
        ([{"messages": [ASK, {"role": "assistant"}]}], "rows.jsonl:1: messages: a turn needs a role and a content"),
        ([{"prompt": [{"role": "robot", "content": "a"}], "response": "b"}], "rows.jsonl:1: prompt: role is 'robot'"),
        ([{"prompt": "a", "response": [ASK]}], "rows.jsonl:1: response: a text or one assistant's turn"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, rows: list[Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        read(written(tmp_path, *rows))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.jsonl: cannot be read"):
        read(tmp_path / "none.jsonl")


def test_the_response_and_its_end_are_scored_and_the_prompt_is_not(tmp_path: Path) -> None:
    tokenizer = build()
    pairs, _ = read(written(tmp_path, {"messages": [ASK, SAY, {"role": "user", "content": "What is 3 + 4?"}, SAY]}))
    (example,) = encode(tokenizer, pairs)
    prompt, response = example.ids[: example.prompt], example.ids[example.prompt :]
    assert tokenizer.decode(response) == "Hello.<|end|>"
    assert tokenizer.decode(prompt) == (
        "<|user|>Hello?<|end|><|assistant|>Hello.<|end|><|user|>What is 3 + 4?<|end|><|assistant|>"
    )


def test_a_conversation_that_the_template_refuses_is_named(tmp_path: Path) -> None:
    pairs, _ = read(written(tmp_path, {"prompt": [{"role": "tool", "content": "3"}], "response": "b"}))
    with pytest.raises(Exception, match=r"rows.jsonl:1.*not tool"):
        encode(build(), pairs)
