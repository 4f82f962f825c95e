"""micro_math: one to four sums and differences in a chain, a line of working, and the answer last.

A small model fails on long chains and on operands of two digits, not on noisy labels.
"""

from __future__ import annotations

import re
from random import Random

from benchmarks.micro import style
from benchmarks.micro.item import Item
from harness.records import Case, Verdict
from judges.base import Judge, PerCase, decided

ASK = "Show your working, then end with a line of #### and the number."
ASKS = ("What is {x}?", "Work out {x}.", "Compute {x}.", "How much is {x}?", "Find {x}, step by step.")

LARGE, LARGE_SHOWN = 0.13, 0.03
"""Share of steps with an operand of two digits, which a small model hardly learns: in prompts, and in demonstrations.

Few are shown, because more of them keep it from learning the small sums in a minute or two; then its pass rate would
hang on the seed.
"""

_ANSWER = re.compile(r"#### ?(-?\d+)")
_NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?!\d)")


def draw(rng: Random, *, large: float = LARGE) -> Item:
    """A chain of one to four steps, worked out from left to right; every value stays between 0 and 99."""
    value = rng.randrange(2, 20)
    chain, working = [str(value)], []
    for _ in range(rng.choice((1, 1, 2, 2, 2, 3, 3, 4))):
        n = rng.randrange(10, 40) if rng.random() < large else rng.randrange(1, 10)
        down = n <= value and (value + n > 99 or rng.random() < (0.3 if value < 10 else 0.65 if value < 20 else 0.85))
        result = value - n if down else value + n
        chain.append(f"{'-' if down else '+'} {n}")
        working.append(f"{value} {'-' if down else '+'} {n} = {result}")
        value = result
    asked = " ".join(chain)
    line = style.opened(rng, ", ".join(working) + ".")
    answer = style.closed(rng, f"{line}\n#### {value}", rate=style.STRAY_CLOSER, sep="\n")
    text = f"{rng.choice(ASKS).format(x=asked)} {ASK}"
    return Item(asked, text, str(value), answer, {"steps": str(len(working))})


def shown(rng: Random) -> Item:
    """An item as demonstrations have it."""
    return draw(rng, large=LARGE_SHOWN)


def accuracy() -> Judge:
    """Passes where the last line is `#### N` with the right N and a line of working stands before it."""

    def decide(case: Case) -> Verdict:
        lines = case.response.text.strip().split("\n")
        found = _ANSWER.fullmatch(lines[-1].strip())
        if not found:
            return decided("micro_math/accuracy", False, reason="the last line is not #### and a whole number")
        answer, target = found[1], case.prompt.target
        if not "".join(lines[:-1]).strip():
            return decided("micro_math/accuracy", False, reason="no line of working", extracted=answer)
        return decided(
            "micro_math/accuracy", _same(answer, target), reason=f"answered {answer}, target {target}", extracted=answer
        )

    return PerCase("micro_math/accuracy", decide)


def flexible() -> Judge:
    """Passes where the last number anywhere in the text is right: the content, whatever the form."""

    def decide(case: Case) -> Verdict:
        numbers = _NUMBER.findall(case.response.text)
        if not numbers:
            return decided("micro_math/flexible", False, reason="no number in the response")
        answer, target = numbers[-1], case.prompt.target
        return decided(
            "micro_math/flexible", _same(answer, target), reason=f"last number {answer}, target {target}",
            extracted=answer,
        )  # fmt: skip

    return PerCase("micro_math/flexible", decide)


def _same(answer: str, target: str) -> bool:
    """Whether two runs of digits name one integer; compared as text, because `int` refuses very long ones."""
    return _canonical(answer) == _canonical(target)


def _canonical(number: str) -> str:
    negative = number.startswith("-")
    digits = number.lstrip("-").replace(",", "").lstrip("0") or "0"
    return f"-{digits}" if negative and digits != "0" else digits
