"""The judge `math`: is the response's final answer mathematically the target?

In this order, each step only where the one before does not decide:

1. The answer is extracted from the response (`judges.extract`); a response without one fails.
2. Word for word the same, after notation that means nothing (spaces, \\left, \\dfrac, $, thousands separators).
3. Both are read completely (`judges.math.parse`); a response that cannot be read fails, no part of it is ever judged.
4. Exact arithmetic on rationals, inside tuples, sets, intervals, matrices, ratios, relations and conditions.
5. Fifty digits tell unequal values apart (they never accept): a free variable against a number fails here too.
6. In a worker process with a deadline: proofs by sympy, and math-verify's parser for calculus in the target.

A verifier that runs out of time gives `timeout`, one that dies `error`, and two values that agree to fifty digits
without a proof, or a target that is itself out of reach, `unparsed`. A case may set its own rules in
`prompt.metadata["math"] = {"precision": 6, "strict": False, "set_relations": True}`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from math import isfinite
from typing import Any

from harness.errors import ConfigError, DataError, unknown
from harness.records import Case, Outcome, Verdict
from harness.workers import Done, Late, WorkerPool
from judges.base import Judge, decided
from judges.extract import REGIMES, Found, from_target
from judges.math.decide import decide, same_text
from judges.math.outcome import Decision
from judges.math.tree import Rules

DEADLINE = 5.0  # seconds for one answer in a worker
SHOWN = 200  # characters of an answer that a reason quotes
_RULES = ("precision", "strict", "set_relations")


def math(
    *,
    precision: int | None = None,
    strict: bool = True,
    set_relations: bool = False,
    extract: str = "auto",
    deadline: float = DEADLINE,
    workers: int | None = None,
) -> Judge:
    """Mathematical equivalence of the final answer with the target, exact by default.

    `precision`: where one side is written as a decimal, values may differ by half a unit of that decimal place.
    `strict`: variables keep their names, and a set is no tuple. `set_relations`: an inequality, or several that "or" or
    "and" joins, may answer a target that is a set. `extract`: `auto`, `strict` or `flexible` (`extract.REGIMES`).
    `deadline`: seconds per answer that needs algebra, in one of `workers` processes. Raises `ConfigError`, and
    `DataError` for a case without target.
    """
    if extract not in REGIMES:
        raise unknown("extract regime", extract, REGIMES)
    rules = _rules({"precision": precision, "strict": strict, "set_relations": set_relations}, Rules(), "judge math")
    return _MathJudge(rules, extract, deadline, workers)


@dataclass(frozen=True, slots=True)
class _Question:
    """A target, an answer and the rules between them; equal questions are decided once."""

    target: str
    answer: str
    rules: Rules


class _MathJudge:
    """Decides in this process what it can and sends the rest to its pool, which starts when first needed."""

    name = "math"

    def __init__(self, rules: Rules, extract: str, deadline: float, workers: int | None) -> None:
        self._rules = rules
        self._find = REGIMES[extract]
        self._pool = WorkerPool("judges.math.decide:in_worker", workers=workers, deadline=deadline)

    def __call__(self, cases: Sequence[Case]) -> list[Verdict]:
        verdicts: list[Verdict | None] = []
        hard: dict[_Question, list[int]] = {}
        for index, case in enumerate(cases):
            question, verdict = self._quick(case)
            if verdict is None and question is not None:
                hard.setdefault(question, []).append(index)
            verdicts.append(verdict)
        results = self._pool.map([(each.target, each.answer, asdict(each.rules)) for each in hard]) if hard else []
        for (question, indices), result in zip(hard.items(), results, strict=True):
            if isinstance(result, Done):
                verdict = _verdict(question, Decision(*result.value), result.seconds)
            elif isinstance(result, Late):
                verdict = Verdict(
                    self.name,
                    "timeout",
                    reason="the comparison ran out of time",
                    extracted=question.answer,
                    seconds=result.seconds,
                )
            else:
                verdict = Verdict(
                    self.name,
                    "error",
                    reason=f"the worker failed: {result.cause}",
                    extracted=question.answer,
                    seconds=result.seconds,
                )
            for index in indices:
                verdicts[index] = verdict
        return [verdict for verdict in verdicts if verdict is not None]

    def _quick(self, case: Case) -> tuple[_Question | None, Verdict | None]:
        start = time.perf_counter()
        target = _target(case)
        text = case.response.text
        found: Found | None = self._find(text)
        if found and found.how == "last number" and max(len(text), len(target)) <= 60 and same_text(target, text):
            found = Found(text, "whole response")  # `June 5` is an answer, of which 5 would be a part
        if found is None or not found.text.strip():
            reason = f"no answer: {found.how}" if found else "no answer in the response"
            return None, decided(self.name, False, reason=reason, extracted=None)
        own = case.prompt.metadata.get("math")
        rules = _rules(own, self._rules, f"prompt {case.prompt.id}") if own else self._rules
        question = _Question(target, found.text, rules)
        decision = decide(target, found.text, rules)
        return question, _verdict(question, decision, time.perf_counter() - start, found.how) if decision else None


def _verdict(question: _Question, decision: Decision, seconds: float, how: str = "") -> Verdict:
    """The decision in words, with what was extracted."""
    sign = {"pass": "equals", "fail": "is not"}.get(decision.outcome, "against")
    reason = f"{_shown(question.answer)} {sign} {_shown(question.target)}: {decision.reason}"
    outcome: Outcome = decision.outcome
    score = {"pass": 1.0, "fail": 0.0}.get(outcome)
    evidence = {"found": how} if how else {}
    return Verdict("math", outcome, score, reason, question.answer, evidence, seconds)


def _shown(text: str) -> str:
    line = " ".join(text[: SHOWN + 1].split())
    return line if len(text) <= SHOWN else line[: SHOWN - 1] + "…"


def _target(case: Case) -> str:
    target: Any = case.prompt.target
    if isinstance(target, bool) or not isinstance(target, (str, int, float)):
        raise DataError(
            f"prompt {case.prompt.id}: the judge math needs a target that is a string or a number, not {target!r}"
        )
    if isinstance(target, float) and not isfinite(target):
        raise DataError(f"prompt {case.prompt.id}: the target of the judge math is {target}, which is no number")
    answer = _target_answer(str(target))
    if not answer:
        raise DataError(f"prompt {case.prompt.id}: the target of the judge math is empty")
    return answer


@lru_cache(maxsize=8192)
def _target_answer(target: str) -> str:
    return from_target(target)


def _rules(given: Mapping[str, Any], default: Rules, where: str) -> Rules:
    if not isinstance(given, Mapping):
        raise ConfigError(f"{where}: the rules of the judge math are {given!r}, not keys and values")
    for name in given:
        if name not in _RULES:
            raise unknown(f"math option of {where}", name, _RULES)
    rules = replace(default, **given)
    whole = rules.precision is None or (isinstance(rules.precision, int) and not isinstance(rules.precision, bool))
    if not whole or not 0 <= (rules.precision or 0) <= 40:
        raise ConfigError(f"{where}: precision is {rules.precision!r}; it is None or 0 to 40 decimal places")
    for name in ("strict", "set_relations"):
        if not isinstance(getattr(rules, name), bool):
            raise ConfigError(f"{where}: {name} is {getattr(rules, name)!r}; it is true or false")
    return rules
