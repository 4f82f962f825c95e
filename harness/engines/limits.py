"""How often to ask a server and how long to wait before asking again: token buckets, Retry-After, back-off, retries."""

from __future__ import annotations

import email.utils
import math
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from harness.engines.base import FailureKind

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]

FIRST_WAIT = 0.5  # seconds; doubles with every retry
LONGEST_WAIT = 30.0
LONGEST_RETRY_AFTER = 120.0  # a server that wants more has no use for us now: the row is asked again by the next run


@dataclass(eq=False)  # not frozen: raising an exception writes to it
class Fault(Exception):
    """One attempt that brought no response, with the cause in words.

    `retry`: another attempt may succeed, not before `retry_after` seconds where the server said so. `run_wide`: the
    cause lies in the key, the model's name, a parameter or the address, so every other row would meet it too.
    """

    cause: str
    kind: FailureKind = "error"
    label: str = "error"
    retry: bool = False
    retry_after: float | None = None
    run_wide: bool = False

    def __str__(self) -> str:
        return self.cause


class Bucket:
    """A token bucket: units flow in evenly at `per_minute` / 60 a second, and at most one second's worth is saved.

    Any 60 seconds thus let through at most `per_minute` and one second's worth more. A request larger than the bucket
    waits until it is full and leaves a debt.
    """

    def __init__(self, per_minute: float, clock: Callable[[], float]) -> None:
        if not per_minute > 0:
            raise ValueError(f"per_minute is {per_minute}; it must be above 0")
        self._rate = per_minute / 60
        self._size = max(1.0, self._rate)
        self._level = self._size
        self._clock = clock
        self._then = clock()

    def wait(self, amount: float) -> float:
        """Seconds until `amount` units may be taken; 0 where they may be taken now."""
        now = self._clock()
        self._level = min(self._size, self._level + (now - self._then) * self._rate)
        self._then = now
        missing = min(amount, self._size) - self._level
        return 0.0 if missing <= 1e-9 else missing / self._rate

    def take(self, amount: float) -> None:
        """Takes `amount` units; a negative amount gives back what was reserved and not used."""
        self._level = min(self._size, self._level - amount)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that the server asks us to wait: `retry-after-ms`, or `retry-after` in seconds or as an HTTP date.

    `now` is the time in seconds since the epoch. `None` where the header is absent, unreadable or negative.
    """
    for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            seconds = float(value) * unit
        except ValueError:
            try:
                seconds = max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - now)
            except (ValueError, OverflowError):
                continue
        if seconds >= 0 and not math.isnan(seconds):
            return seconds
    return None


def backoff(retry: int, rng: random.Random) -> float:
    """Seconds before the `retry`-th retry, counted from 0: doubling, half of it random so that clients spread out."""
    return float(min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(retry, 30)) * (0.5 + 0.5 * rng.random()))


async def retried(
    attempt: Callable[[], Awaitable[T]],
    *,
    retries: int,
    rng: random.Random,
    sleep: Sleep,
    on_retry: Callable[[Fault], None],
) -> T:
    """The first result of `attempt`, tried at most 1 + `retries` times while its `Fault` allows.

    Raises the last `Fault`, its cause completed by what became of the retries.
    """
    for count in range(retries + 1):
        try:
            return await attempt()
        except Fault as fault:
            if not fault.retry:
                raise
            asked = fault.retry_after
            if asked is not None and asked > LONGEST_RETRY_AFTER:
                raise _ended(fault, f"it asks to wait {asked:.0f} s, longer than {LONGEST_RETRY_AFTER:.0f} s") from None
            if count == retries:
                raise _ended(fault, f"gave up after {count + 1} attempt{'s' if count else ''}") from None
            on_retry(fault)
            # a little more than the server asked for: clients told the same second should not return together
            pause = backoff(count, rng) if asked is None else asked + 0.1 * backoff(count, rng)
        await sleep(pause)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _ended(fault: Fault, how: str) -> Fault:
    return Fault(f"{fault.cause}; {how}", fault.kind, fault.label, run_wide=fault.run_wide)
