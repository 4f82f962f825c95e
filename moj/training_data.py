"""Judged samples as training data, one JSON object a line in the conversational layout that TRL reads too.

`sft` keeps what every judge passed (`prompt`, `completion`); `pairs` sets better against worse samples of a prompt
(`prompt`, `chosen`, `rejected`); `rankings` orders them (`prompt`, `ranked`, `scores`). A sample's score is the mean of
its judges' scores; a sample with an undecided verdict is left out and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import jsonl
from harness.errors import DataError
from harness.records import Case, Verdict

Turn = dict[str, str]
Scored = list[tuple[float, str]]
"""The samples of one prompt that every judge decided: score and text, best first, ties in the order they came."""


def write_training_data(kind: str, path: Path, cases: Sequence[Case], verdicts: Sequence[Sequence[Verdict]]) -> str:
    """Writes `kind` to `path` whole or not at all, and says in a line what was written and left out."""
    rows = WRITERS[kind](cases, verdicts)
    undecided = sum(any(not verdict.decided for verdict in row) for row in verdicts)
    try:
        jsonl.write_jsonl(path, rows)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from error
    left_out = f", {undecided} undecided samples left out" if undecided else ""
    return f"{len(rows)} rows from {len(cases)} samples{left_out}, in {path}"


def sft(cases: Sequence[Case], verdicts: Sequence[Sequence[Verdict]]) -> list[dict[str, Any]]:
    """What every judge passed."""
    return [
        {"prompt": _turns(case), "completion": [_answer(case.response.text)]}
        for case, row in zip(cases, verdicts, strict=True)
        if all(verdict.passed for verdict in row)
    ]


def pairs(cases: Sequence[Case], verdicts: Sequence[Sequence[Verdict]]) -> list[dict[str, Any]]:
    """The best sample against the worst, the second best against the second worst, while their scores differ."""
    rows = []
    for case, samples in _by_prompt(cases, verdicts):
        for (high, chosen), (low, rejected) in zip(samples, reversed(samples), strict=True):
            if high <= low:
                break
            rows.append({"prompt": _turns(case), "chosen": [_answer(chosen)], "rejected": [_answer(rejected)]})
    return rows


def rankings(cases: Sequence[Case], verdicts: Sequence[Sequence[Verdict]]) -> list[dict[str, Any]]:
    """One sample of each score, best first, since equals cannot be ordered; a prompt with one score gives none."""
    rows = []
    for case, samples in _by_prompt(cases, verdicts):
        ladder = dict(reversed(samples))
        if len(ladder) > 1:
            steps = sorted(ladder.items(), reverse=True)
            rows.append(
                {
                    "prompt": _turns(case),
                    "ranked": [[_answer(text)] for _, text in steps],
                    "scores": [score for score, _ in steps],
                }
            )
    return rows


WRITERS: Mapping[str, Callable[[Sequence[Case], Sequence[Sequence[Verdict]]], list[dict[str, Any]]]] = {
    "sft": sft,
    "pairs": pairs,
    "rankings": rankings,
}


def _by_prompt(cases: Sequence[Case], verdicts: Sequence[Sequence[Verdict]]) -> list[tuple[Case, Scored]]:
    first: dict[str, Case] = {}
    samples: dict[str, Scored] = {}
    for case, row in zip(cases, verdicts, strict=True):
        scores = [verdict.score for verdict in row if verdict.score is not None]
        if len(scores) == len(row):
            first.setdefault(case.prompt.id, case)
            samples.setdefault(case.prompt.id, []).append((sum(scores) / len(scores), case.response.text))
    return [(first[key], sorted(found, key=lambda pair: -pair[0])) for key, found in samples.items()]


def _turns(case: Case) -> list[Turn]:
    return [{"role": message.role, "content": message.content} for message in case.prompt.messages]


def _answer(text: str) -> Turn:
    return {"role": "assistant", "content": text}
