"""Prompts with a response to imitate: from a JSONL file, or generated from the micro tasks; and their token ids.

A prompt's id names where it stands (`file:line`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.micro import tasks
from harness import chat, jsonl
from harness.errors import DataError, ModelError
from harness.records import Message, Prompt, dumps
from trainers.runtime.batch import Example

Pair = tuple[Prompt, str]
RESPONSES = ("response", "completion")


def micro(mix: Mapping[str, float], rows: int, seed: int) -> tuple[list[Pair], str]:
    """Generated demonstrations, and their SHA-256."""
    found = tasks.demonstrations(seed, rows, mix)
    text = "\n".join(dumps([prompt.id, response]) for prompt, response in found)
    return found, hashlib.sha256(text.encode()).hexdigest()


def read(path: Path) -> tuple[list[Pair], str]:
    """The file's rows and the SHA-256 of its bytes.

    A row is `messages` that end with the assistant's turn to imitate, or a `prompt` (text, or turns) with a `response`
    or `completion` (text, or one assistant's turn). Other keys are left alone. Raises `DataError` naming file and line.
    """
    data = jsonl.read_bytes(path)
    found = [_row(row, f"{path}:{number}") for number, row in jsonl.lines(data, str(path))]
    if not found:
        raise DataError(f"{path}: no rows; a row holds messages, or prompt and response")
    return found, hashlib.sha256(data).hexdigest()


def encode(tokenizer: Any, pairs: Iterable[Pair]) -> list[Example]:
    """Ids of prompt and response as `harness.chat` writes them, the token that ends the response included.

    Raises `ModelError` for a tokenizer that has no such token, and for a conversation that its template refuses.
    """
    if tokenizer.eos_token_id is None and chat.turn_end(tokenizer) is None:
        raise ModelError("the tokenizer has no token that ends a response; set its eos_token")
    found = []
    for prompt, response in pairs:
        ids = chat.encode_prompt(tokenizer, prompt).ids
        if not ids:
            raise DataError(f"{prompt.id}: the prompt is empty, so nothing could predict the response's first token")
        found.append(Example((*ids, *chat.encode_response(tokenizer, prompt, response)), len(ids), prompt.id))
    return found


def _row(row: dict[str, Any], where: str) -> Pair:
    if "messages" in row:
        turns = _turns(row["messages"], f"{where}: messages")
        if len(turns) < 2 or turns[-1].role != "assistant":
            raise DataError(f"{where}: messages: must end with an assistant's turn after a prompt")
        return Prompt(where, turns[:-1]), _spoken(turns[-1].content, f"{where}: messages")
    if "prompt" not in row:
        raise DataError(f"{where}: neither messages nor prompt; this row has {', '.join(row) or 'no keys'}")
    name = next((key for key in RESPONSES if key in row), None)
    if name is None:
        raise DataError(f"{where}: no response or completion; this row has {', '.join(row)}")
    prompt, response = row["prompt"], row[name]
    turns = (Message("user", prompt),) if isinstance(prompt, str) else _turns(prompt, f"{where}: prompt")
    if not isinstance(response, str):
        answer = _turns(response, f"{where}: {name}")
        if len(answer) != 1 or answer[0].role != "assistant":
            raise DataError(f"{where}: {name}: a text or one assistant's turn is needed")
        response = answer[0].content
    return Prompt(where, turns), _spoken(response, f"{where}: {name}")


def _spoken(text: str, where: str) -> str:
    if not text.strip():
        raise DataError(f"{where}: the response is empty: there is nothing to learn from")
    return text


def _turns(value: Any, where: str) -> tuple[Message, ...]:
    if not isinstance(value, list) or not value:
        raise DataError(f"{where}: a list of turns {{role, content}} is needed")
    for turn in value:
        if not isinstance(turn, dict) or not all(isinstance(turn.get(key), str) for key in ("role", "content")):
            raise DataError(f"{where}: a turn needs a role and a content, both text; one is {dumps(turn)[:80]}")
    try:
        return tuple(Message(turn["role"], turn["content"]) for turn in value)
    except ValueError as error:
        raise DataError(f"{where}: {error}") from error
