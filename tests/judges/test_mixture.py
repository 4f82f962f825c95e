"""Mixtures follow three-valued logic, spare the expensive judges, and never lose a case."""

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import JudgeError, UnknownNameError
from harness.records import Case, Outcome, Prompt, Response, Verdict
from judges.base import Judge
from judges.mixture import all_of, any_of, by_task, k_of_n, mixture, weighted

OUTCOMES: tuple[Outcome, ...] = ("pass", "fail", "unparsed", "timeout", "error")


class Fixed:
    """Answers every case alike and counts what it saw."""

    def __init__(self, name: str, outcome: Outcome, score: float | None = None) -> None:
        self.name = name
        self.outcome = outcome
        self.score = score
        self.seen = 0

    def __call__(self, cases: Sequence[Case]) -> list[Verdict]:
        self.seen += len(cases)
        decided = self.outcome in ("pass", "fail")
        score = (self.score if self.score is not None else float(self.outcome == "pass")) if decided else None
        return [Verdict(self.name, self.outcome, score, reason="so", cost_usd=0.5) for _ in cases]


def case(task: str = "a") -> Case:
    return Case(Prompt("1", (), metadata={"task": task}), Response("1", 0, "text"))


def outcome(judge: Judge) -> Outcome:
    (verdict,) = judge([case()])
    return verdict.outcome


@pytest.mark.parametrize("first", OUTCOMES)
@pytest.mark.parametrize("second", OUTCOMES)
def test_an_undecided_member_matters_only_where_it_could_change_the_answer(first: Outcome, second: Outcome) -> None:
    members = [Fixed("x", first), Fixed("y", second)]
    every, some = outcome(all_of(*members)), outcome(any_of(*members))
    pair = {first, second}
    assert (every == "pass") == (pair == {"pass"})
    assert (every == "fail") == ("fail" in pair)
    assert (some == "pass") == ("pass" in pair)
    assert (some == "fail") == (pair == {"fail"})


@given(st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=6), st.data())
def test_k_of_n_agrees_with_every_way_the_undecided_could_have_turned_out(
    outcomes: list[Outcome], data: st.DataObject
) -> None:
    k = data.draw(st.integers(1, len(outcomes)))
    judge = k_of_n(*[Fixed(str(i), value) for i, value in enumerate(outcomes)], k=k)
    choices = [(1, 0) if value not in ("pass", "fail") else (int(value == "pass"),) for value in outcomes]
    answers = {sum(way) >= k for way in product(*choices)}
    found = outcome(judge)
    if len(answers) == 1:
        assert found == ("pass" if answers == {True} else "fail")
    else:
        assert found in ("unparsed", "timeout", "error")


def test_the_expensive_judge_sees_only_what_is_still_feasible() -> None:
    cheap, dear = Fixed("cheap", "fail"), Fixed("dear", "pass")
    (verdict,) = all_of(cheap, dear)([case()])
    assert (cheap.seen, dear.seen) == (1, 0)
    assert verdict.reason == "cheap: so"
    assert verdict.cost_usd == 0.5
    all_of(cheap, dear, run_all=True)([case()])
    assert dear.seen == 1


def test_the_kind_and_cause_of_an_undecided_member_come_through() -> None:
    (verdict,) = all_of(Fixed("x", "pass"), Fixed("y", "timeout"))([case()])
    assert (verdict.outcome, verdict.score, verdict.reason) == ("timeout", None, "y: so")
    assert set(verdict.evidence["members"]) == {"x", "y"}


def test_weighted_scores_the_mean_and_is_undecided_with_any_member() -> None:
    judge = weighted(Fixed("x", "pass", 1.0), Fixed("y", "fail", 0.2), weights={"x": 1, "y": 3}, threshold=0.4)
    (verdict,) = judge([case()])
    assert verdict.score == pytest.approx((1 * 1.0 + 3 * 0.2) / 4)
    assert verdict.outcome == "pass"
    assert outcome(weighted(Fixed("x", "pass"), Fixed("y", "error"), weights={"x": 1, "y": 1})) == "error"


def test_each_task_has_its_own_judge_and_an_unknown_task_stops() -> None:
    judge = by_task({"a": Fixed("x", "pass"), "b": Fixed("y", "fail")})
    assert [verdict.judge for verdict in judge([case("b"), case("a"), case("b")])] == ["y", "x", "y"]
    with pytest.raises(JudgeError, match="judges for a, b"):
        judge([case("c")])


def test_a_judge_that_loses_a_case_is_an_error() -> None:
    class Loses(Fixed):
        def __call__(self, cases: Sequence[Case]) -> list[Verdict]:
            return super().__call__(cases)[1:]

    with pytest.raises(JudgeError, match="returned 1 verdicts for 2 cases"):
        all_of(Loses("x", "pass"))([case(), case()])


@pytest.mark.parametrize(
    "build",
    [
        lambda: all_of(),
        lambda: all_of(Fixed("x", "pass"), Fixed("x", "pass")),
        lambda: k_of_n(Fixed("x", "pass"), k=2),
        lambda: weighted(Fixed("x", "pass"), weights={"y": 1}),
        lambda: weighted(Fixed("x", "pass"), weights={"x": 0}),
        lambda: weighted(Fixed("x", "pass"), weights={"x": float("nan")}),
    ],
)
def test_a_mixture_that_makes_no_sense_is_refused(build: object) -> None:
    with pytest.raises(JudgeError):
        build()  # type: ignore[operator]  # parametrised lambdas have no common type


def test_mixtures_go_by_name() -> None:
    assert outcome(mixture(Fixed("x", "pass"), Fixed("y", "fail"), how="any_of")) == "pass"
    with pytest.raises(UnknownNameError, match="all_of"):
        mixture(Fixed("x", "pass"), how="al_of")


def test_every_members_verdict_is_kept_under_its_own_name() -> None:
    inner = by_task({"a": Fixed("x", "pass")}, name="inner")
    (verdict,) = all_of(inner, Fixed("x", "pass"))([case()])
    assert set(verdict.evidence["members"]) == {"inner", "x"}
