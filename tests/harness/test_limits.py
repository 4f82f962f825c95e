"""Waiting is tested with a clock and a sleep of our own: no test here takes time."""

import asyncio
import random
from collections.abc import Callable
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.engines.limits import FIRST_WAIT, LONGEST_WAIT, Bucket, Fault, backoff, retried, retry_after


def test_a_bucket_lets_one_request_through_each_interval() -> None:
    now = [0.0]
    bucket = Bucket(30, lambda: now[0])  # one every two seconds
    assert bucket.wait(1) == 0
    bucket.take(1)
    assert bucket.wait(1) == pytest.approx(2)
    now[0] = 1.5
    assert bucket.wait(1) == pytest.approx(0.5)
    now[0] = 2.0
    assert bucket.wait(1) == 0


def test_a_request_larger_than_the_bucket_passes_and_leaves_a_debt() -> None:
    now = [0.0]
    bucket = Bucket(600, lambda: now[0])  # ten a second
    assert bucket.wait(100) == 0
    bucket.take(100)
    assert bucket.wait(100) == pytest.approx(10)
    bucket.take(-50)  # half of it was not used
    assert bucket.wait(100) == pytest.approx(5)


@given(
    st.floats(1, 1e5),
    st.lists(st.tuples(st.floats(0, 20), st.floats(0.1, 50)), min_size=1, max_size=60),
)
def test_no_minute_lets_through_more_than_the_limit(per_minute: float, requests: list[tuple[float, float]]) -> None:
    now = [0.0]
    bucket = Bucket(per_minute, lambda: now[0])
    taken: list[tuple[float, float]] = []
    for idle, amount in requests:
        now[0] += idle
        for _ in range(5):  # more than once only for rounding
            wait = bucket.wait(amount)
            if wait == 0:
                break
            now[0] += wait
        else:
            pytest.fail("the wait it named was not enough")
        bucket.take(amount)
        taken.append((now[0], amount))
    burst = max(1.0, per_minute / 60)
    for start, _ in taken:
        within = [amount for at, amount in taken if start <= at < start + 60]
        # a debt is paid after its request, so the last one counts no more than the bucket holds
        assert sum(within[:-1]) + min(within[-1], burst) <= (per_minute + burst) * (1 + 1e-6)


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_rate_that_lets_nothing_through_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Bucket(rate, lambda: 0.0)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": formatdate(1_000_030, usegmt=True)}, 30.0),
        ({"retry-after": formatdate(999_000, usegmt=True)}, 0.0),  # a date that has passed
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, 1_000_000) == seconds


def test_backoff_doubles_within_bounds_and_repeats_with_its_seed() -> None:
    waits = [backoff(retry, random.Random(1)) for retry in range(12)]
    again = [backoff(retry, random.Random(1)) for retry in range(12)]
    assert waits == again
    for retry, wait in enumerate(waits):
        full = min(LONGEST_WAIT, FIRST_WAIT * 2**retry)
        assert full / 2 <= wait <= full
    assert backoff(10**6, random.Random(1)) <= LONGEST_WAIT


def run(attempt: Callable[[int], str], retries: int = 3) -> tuple[str | Fault, list[float], list[str]]:
    """The outcome of `attempt(count)`, the pauses made, and the causes that were retried."""
    pauses: list[float] = []
    seen: list[str] = []
    count = -1

    async def once() -> str:
        nonlocal count
        count += 1
        return attempt(count)

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def main() -> str | Fault:
        try:
            return await retried(
                once,
                retries=retries,
                rng=random.Random(0),
                sleep=sleep,
                on_retry=lambda fault: seen.append(fault.cause),
            )
        except Fault as fault:
            return fault

    return asyncio.run(main()), pauses, seen


def failing(times: int, fault: Fault) -> Callable[[int], str]:
    def attempt(count: int) -> str:
        if count < times:
            raise fault
        return "answer"

    return attempt


def test_a_passing_fault_is_retried_until_it_passes() -> None:
    outcome, pauses, seen = run(failing(3, Fault("busy", retry=True)))
    assert outcome == "answer"
    assert len(pauses) == 3
    assert seen == ["busy"] * 3


def test_retries_are_bounded_and_the_cause_says_so() -> None:
    outcome, pauses, _ = run(failing(4, Fault("busy", "timeout", "late", retry=True)))
    assert isinstance(outcome, Fault)
    assert outcome.cause == "busy; gave up after 4 attempts"
    assert (outcome.kind, outcome.label) == ("timeout", "late")
    assert len(pauses) == 3  # none after the last attempt


def test_a_lasting_fault_is_not_retried() -> None:
    outcome, pauses, seen = run(failing(1, Fault("wrong key", run_wide=True)))
    assert isinstance(outcome, Fault)
    assert outcome.run_wide
    assert (pauses, seen) == ([], [])


def test_the_pause_is_never_shorter_than_the_server_asked() -> None:
    _, pauses, _ = run(failing(3, Fault("slow down", retry=True, retry_after=7.0)))
    assert all(7.0 <= pause <= 7.0 + 0.1 * LONGEST_WAIT for pause in pauses)
    assert len(pauses) == 3


def test_a_server_that_asks_for_an_hour_is_left_in_peace() -> None:
    outcome, pauses, _ = run(failing(1, Fault("closed", retry=True, retry_after=3600.0)))
    assert isinstance(outcome, Fault)
    assert "3600 s" in outcome.cause
    assert pauses == []
