"""GSM8K (Cobbe et al. 2021, arXiv 2110.14168): 1,319 grade-school word problems whose answers are numbers.

Two regimes from the same responses, since they answer different questions: `strict` wants the answer in the form that
the prompt asks for (a last line `#### N`, or the data's own `A: N`), `flexible` falls back
on the last number there is.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.base import Benchmark, Loaded, Recorded, Request
from benchmarks.questions import Item, Style, load, prompt
from harness.datasets import Row, Source, need
from harness.errors import DataError
from harness.records import Response
from judges.base import Judge
from judges.math_answer import math

SOURCE = Source(
    name="gsm8k",
    hub="openai/gsm8k",
    revision="740312add88f781978c0658806c59bc2815b9866",
    configs=("main",),
    files={"test": "gsm8k/test*.jsonl", "train": "gsm8k/train*.jsonl"},
    sizes={"test": 1319, "train": 7473},
    licence="MIT",
)
STYLE = Style("Solve the problem step by step. End with a last line of the form '#### N', where N is the number alone.")


def gold(answer: str, where: str) -> str:
    """The number after `####` (the data set's own form) or `A:` (its recorded solutions')."""
    for mark in ("####", "\nA:"):
        _, found, number = answer.rpartition(mark)
        if found and number.strip():
            return number.strip().replace(",", "")
    raise DataError(f"{where}: the answer has no line '#### N' or 'A: N'")


def item(row: Row, index: int) -> Item:
    """A row of the data set: `question`, and `answer` whose last line is `#### N`."""
    solution = str(need(row, "answer"))
    identity = str(row.data.get("test_index", row.data.get("train_index", index)))
    return Item(identity, str(need(row, "question")), solution, gold(solution, row.where), {})


def _load(request: Request) -> Loaded:
    return load(SOURCE, item, STYLE, request)


def _judges() -> Mapping[str, Judge]:
    return {"gsm8k/strict": math(extract="strict"), "gsm8k/flexible": math(extract="flexible")}


def read(row: Row, index: int) -> list[Recorded]:
    """OpenAI's example solutions (several models a row) and ToRA's predictions (`gold`, `pred`)."""
    data = row.data
    solved = {model: value for model, value in data.items() if isinstance(value, Mapping) and "solution" in value}
    if "ground_truth" in data and "question" in data and solved:
        one = Item(
            str(data.get("test_index", index)),
            str(data["question"]),
            "",
            gold(str(data["ground_truth"]), f"{row.where}: ground_truth"),
            {},
        )
        return [
            Recorded(model, prompt(one, STYLE), Response(one.id, 0, str(value["solution"]), engine=model))
            for model, value in solved.items()
        ]
    if "gold" in data and "pred" in data:
        one = Item(str(data.get("test_index", index)), str(data.get("question", "")), "", str(data["gold"]), {})
        return [Recorded(None, prompt(one, STYLE), Response(one.id, 0, f"#### {data['pred']}"))]
    return []


GSM8K = Benchmark(
    name="gsm8k",
    summary="grade-school word problems, strict and flexible extraction",
    load=_load,
    judges=_judges,
    max_tokens=512,
    stop=("\nQuestion:",),
    size=SOURCE.sizes["test"],
    read=read,
)
