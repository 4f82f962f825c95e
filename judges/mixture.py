"""Judges composed into a judge: all of them, any, k of n, a weighted mean, or a table from task to judges.

CGPO's mixture of judges is `all_of` (Xu et al. 2024, "The Perfect Blend", arXiv 2409.20370, section 4.1.4): a response
is feasible when every judge passes it. Composition follows three-valued logic: a verdict that no undecided member
could overturn stands, otherwise the mixture is itself undecided, with the cause.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.errors import JudgeError, unknown
from harness.records import UNDECIDED, Case, Outcome, Verdict, to_dict
from judges.base import Judge, ask

Settled = Callable[[Sequence[Verdict], int], bool | None]
"""The members' verdicts so far and how many are still to come -> the answer, or None while it is open."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """Members in order, cheap ones first: a member judges only the cases that the ones before it left open, unless
    `run_all`. `evidence["members"]` holds every verdict that was made, by member name."""

    name: str
    members: Sequence[Judge]
    settled: Settled
    score: Callable[[Sequence[Verdict], bool], float] = field(default=lambda _, passed: float(passed))
    run_all: bool = False

    def __call__(self, cases: Sequence[Case]) -> list[Verdict]:
        start = time.perf_counter()
        made: list[list[Verdict]] = [[] for _ in cases]
        for index, member in enumerate(self.members):
            left = len(self.members) - index
            open_cases = [i for i in range(len(cases)) if self.run_all or self.settled(made[i], left) is None]
            for i, verdict in zip(open_cases, ask(member, [cases[i] for i in open_cases]), strict=True):
                made[i].append(verdict)
        seconds = (time.perf_counter() - start) / max(1, len(cases))
        return [self._combine(verdicts, seconds) for verdicts in made]

    def _combine(self, verdicts: Sequence[Verdict], seconds: float) -> Verdict:
        answer = self.settled(verdicts, len(self.members) - len(verdicts))
        common: dict[str, Any] = {
            "evidence": {"members": {m.name: to_dict(v) for m, v in zip(self.members, verdicts, strict=False)}},
            "seconds": seconds,
            "cost_usd": sum(verdict.cost_usd for verdict in verdicts),
        }
        if answer is None:
            undecided = [verdict for verdict in verdicts if not verdict.decided]
            worst = max(undecided, key=lambda verdict: UNDECIDED.index(verdict.outcome))
            return Verdict(self.name, worst.outcome, reason=f"{worst.judge}: {worst.reason}", **common)
        outcome: Outcome = "pass" if answer else "fail"
        return Verdict(self.name, outcome, self.score(verdicts, answer), reason=_reason(verdicts, answer), **common)


def _reason(verdicts: Sequence[Verdict], answer: bool) -> str:
    """The members that carried the answer, each with its own reason."""
    carried = [verdict for verdict in verdicts if verdict.decided and verdict.passed == answer]
    return "; ".join(f"{verdict.judge}: {verdict.reason}" if verdict.reason else verdict.judge for verdict in carried)


def all_of(*members: Judge, name: str = "all_of", run_all: bool = False) -> Judge:
    """Passes where every member passes; fails as soon as one fails; undecided where only that could save or sink it."""
    return k_of_n(*members, k=len(members), name=name, run_all=run_all)


def any_of(*members: Judge, name: str = "any_of", run_all: bool = False) -> Judge:
    """Passes as soon as one member passes; fails where every member fails."""
    return k_of_n(*members, k=1, name=name, run_all=run_all)


def k_of_n(*members: Judge, k: int, name: str | None = None, run_all: bool = False) -> Judge:
    """Passes where at least `k` members pass. Raises `JudgeError` unless 1 <= k <= n and names differ."""
    _check_names(members)
    if not 1 <= k <= len(members):
        raise JudgeError(f"k_of_n: k is {k}, but there are {len(members)} judges")

    def settled(verdicts: Sequence[Verdict], left: int) -> bool | None:
        passes = sum(verdict.passed for verdict in verdicts)
        fails = sum(verdict.outcome == "fail" for verdict in verdicts)
        if passes >= k:
            return True
        if fails > len(members) - k:
            return False
        return None

    return Mixture(name or f"{k}_of_{len(members)}", members, settled, run_all=run_all)


def weighted(*members: Judge, weights: Mapping[str, float], threshold: float = 0.5, name: str = "weighted") -> Judge:
    """Scores the weighted mean of the members' scores and passes from `threshold` on; undecided if any member is,
    since its score cannot be guessed. `weights` names every member once; they are positive and normalised here."""
    _check_names(members)
    names = [member.name for member in members]
    if sorted(weights) != sorted(names):
        raise JudgeError(f"weighted: weights name {sorted(weights)}, the judges are {sorted(names)}")
    total = sum(weights.values())
    if any(not weight > 0 for weight in weights.values()) or total == float("inf"):
        raise JudgeError("weighted: every weight is a positive, finite number")

    def mean(verdicts: Sequence[Verdict]) -> float:
        return sum(weights[name] * (v.score or 0.0) for name, v in zip(names, verdicts, strict=True)) / total

    def settled(verdicts: Sequence[Verdict], left: int) -> bool | None:
        if left or any(not verdict.decided for verdict in verdicts):
            return None
        return mean(verdicts) >= threshold

    return Mixture(name, members, settled, score=lambda verdicts, _: mean(verdicts), run_all=True)


def by_task(table: Mapping[str, Judge], *, key: str = "task", name: str = "by_task") -> Judge:
    """Sends each case to the judge that `table` names for `prompt.metadata[key]`. Raises `JudgeError` for a case of a
    task that the table does not know: a constraint that silently does not apply is worse than a stop."""

    def judge(cases: Sequence[Case]) -> list[Verdict]:
        groups: dict[str, list[int]] = {}
        known = ", ".join(sorted(table))
        for index, case in enumerate(cases):
            task = str(case.prompt.metadata.get(key))
            if task not in table:
                raise JudgeError(f"prompt {case.prompt.id!r}: {key} is {task!r}; the mixture has judges for {known}")
            groups.setdefault(task, []).append(index)
        verdicts: dict[int, Verdict] = {}
        for task, indices in groups.items():
            verdicts.update(zip(indices, ask(table[task], [cases[i] for i in indices]), strict=True))
        return [verdicts[index] for index in range(len(cases))]

    return _Named(name, judge)


@dataclass(frozen=True, slots=True)
class _Named:
    name: str
    decide: Callable[[Sequence[Case]], list[Verdict]]

    def __call__(self, cases: Sequence[Case]) -> list[Verdict]:
        return self.decide(cases)


def _check_names(members: Sequence[Judge]) -> None:
    names = [member.name for member in members]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise JudgeError(f"a mixture names each judge once; {', '.join(sorted(twice))} stands twice")
    if not members:
        raise JudgeError("a mixture needs at least one judge")


MIXTURES: Mapping[str, Callable[..., Judge]] = {
    "all_of": all_of,
    "any_of": any_of,
    "k_of_n": k_of_n,
    "weighted": weighted,
}


def mixture(*members: Judge, how: str = "all_of", **options: Any) -> Judge:
    """The members composed by the rule called `how`: all_of, any_of, k_of_n (needs `k`) or weighted (`weights`)."""
    if how not in MIXTURES:
        raise unknown("mixture", how, MIXTURES)
    return MIXTURES[how](*members, **options)
