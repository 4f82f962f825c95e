"""MATH (Hendrycks et al. 2021, arXiv 2103.03874): competition problems of seven subjects and five levels.

The answer is what stands in the last `\\boxed{}`. MATH-500 and other parts are read by `--data` and stamped as parts.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.base import Benchmark, Loaded, Recorded, Request
from benchmarks.questions import Item, Style, load, prompt
from benchmarks.recorded import sample_number
from harness.datasets import Row, Source, need
from harness.errors import DataError
from harness.records import Response
from judges.base import Judge
from judges.extract import last_boxed
from judges.math_answer import math

SUBJECTS = (
    "algebra",
    "counting_and_probability",
    "geometry",
    "intermediate_algebra",
    "number_theory",
    "prealgebra",
    "precalculus",
)
SOURCE = Source(
    name="math_hendrycks",
    hub="EleutherAI/hendrycks_math",
    revision="21a5633873b6a120296cce3e2df9d5550074f4a3",
    configs=SUBJECTS,
    files={"test": "math/math_test*.jsonl", "train": "math/math_train*.jsonl"},
    sizes={"test": 5000, "train": 7500},
    licence="MIT",
)
STYLE = Style(
    "Solve the problem step by step and put the final answer in \\boxed{}.", question="Problem: ", lead_in="Solution:"
)


def item(row: Row, index: int) -> Item:
    """A row of the data set or of MATH-500: `problem`, `solution`, `type` or `subject`, `level`, perhaps `answer`."""
    data = row.data
    solution = str(need(row, "solution"))
    boxed = last_boxed(solution)
    target = data.get("answer") or (boxed.text if boxed else None)
    if not target:
        raise DataError(f"{row.where}: solution: no \\boxed{{}} holds the answer, and there is no field answer")
    level = str(data.get("level", ""))
    metadata = {
        "subject": str(data.get("type") or data.get("subject") or "unknown"),
        "level": level if level.startswith("Level") else f"Level {level}",
    }
    identity = str(data.get("unique_id") or data.get("test_index", index))
    return Item(identity, str(need(row, "problem")), solution, str(target), metadata)


def _load(request: Request) -> Loaded:
    return load(SOURCE, item, STYLE, request)


def _judges() -> Mapping[str, Judge]:
    return {"math_hendrycks/accuracy": math()}


def read(row: Row, index: int) -> list[Recorded]:
    """Rows that carry their own `question` (or `problem`), `gold` (or `answer`) and `response`, as Qwen's do."""
    data = row.data
    question, target = data.get("question", data.get("problem")), data.get("gold", data.get("answer"))
    if question is None or target is None or "response" not in data or isinstance(data["response"], Mapping):
        return []
    identity = str(data.get("math_test_index", data.get("unique_id", data.get("problem_idx", index))))
    one = Item(identity, str(question), "", str(target), {})
    response = Response(identity, sample_number(row), str(data["response"]))
    return [Recorded(None, prompt(one, STYLE), response)]


MATH = Benchmark(
    name="math_hendrycks",
    summary="competition mathematics, by subject and level",
    load=_load,
    judges=_judges,
    max_tokens=1024,
    stop=("\nProblem:",),
    by=("subject", "level"),
    size=SOURCE.sizes["test"],
    read=read,
)
