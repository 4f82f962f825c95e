"""The decisions that need no algebra: exact rationals either way, fifty digits to tell apart, never to accept."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import mpmath  # type: ignore[import-untyped]  # ships no types; sympy brings it

from judges.math.names import is_name, renamed
from judges.math.numbers import DIGITS, Undefined, approximate, exact
from judges.math.structure import Decider
from judges.math.tree import INFINITY, NeedsAlgebra, Node, Refused, Rules, TooBig, Unreadable, contains, symbols, walk

_SIGNS = ((1, 1, 1), (1, 1, 1), (-1, -1, -1), (1, -1, 1), (-1, 1, -1))


def decider(rules: Rules) -> Decider:
    """What can be decided in this process; whatever cannot raises `NeedsAlgebra`."""

    def scalar(target: Node, response: Node) -> bool:
        return compare(target, response, rules)

    return Decider(rules, scalar, not_proportional, interval, unknown)


def compare(target: Node, response: Node, rules: Rules) -> bool:
    """Two scalars: exact values decide; numerics may refuse; what is left needs algebra."""
    if target == response:
        return True
    ours, theirs = _value(target, "target"), _value(response, "response")
    if ours is not None and theirs is not None and ours == theirs:
        return True
    if not rules.strict:
        response = renamed(target, response)
    named, answered = symbols(target), symbols(response)
    if bool(named) != bool(answered):
        return False  # a free variable is no number, and a number no expression in one
    if rules.precision is not None and not named and (contains(target, "dec") or contains(response, "dec")):
        return close(target, response, rules.precision)
    if ours is not None and theirs is not None:
        return False
    if differ(target, response):
        return False
    raise NeedsAlgebra


def _value(node: Node, side: str) -> Fraction | None:
    try:
        return exact(node)
    except (TooBig, Undefined, Unreadable) as error:
        if side == "response":
            raise Refused(str(error)) from error
        raise TooBig(f"the target holds {error}") from error


def close(target: Node, response: Node, precision: int) -> bool:
    """Whether two values agree to `precision` decimal places: they differ by half a unit of the last at most."""
    try:
        ours, theirs = approximate(target, {}), approximate(response, {})
    except (TooBig, Undefined, Unreadable):
        return False
    with mpmath.workdps(DIGITS):
        return bool(abs(ours - theirs) <= mpmath.mpf(10) ** -precision / 2 * (1 + mpmath.mpf(10) ** -20))


def points(names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Values for the variables: the same for the same names, first positive ones, then of mixed signs."""
    order = sorted(names)
    for row, signs in enumerate(_SIGNS if order else _SIGNS[:1]):
        draw = random.Random(row)
        values = {name: mpmath.mpf(draw.randint(10**8, 3 * 10**9)) / 10**9 for name in order}
        for index, name in enumerate(order):
            values[name] *= signs[index % 3]
        yield {**values, "log": mpmath.mpf(7) / 2}


def differ(target: Node, response: Node) -> bool:
    """Whether numbers show two scalars to be unequal.

    Variables are real: a point counts where one side is real there. With an `i` in either, every point counts.
    """
    names = tuple(dict.fromkeys(symbols(target) + symbols(response)))
    everywhere = not names or ("const", "i") in constants(target) | constants(response)
    for point in points(names):
        found = pair(target, response, point)
        if found is None:
            continue
        ours, theirs = found
        if not everywhere and not is_real(ours) and not is_real(theirs):
            continue
        if not alike(ours, theirs):
            return True
    return False


def constants(node: Node) -> frozenset[Node]:
    """The named constants in a tree."""
    return frozenset(part for part in walk(node) if part[0] == "const")


def pair(left: Node, right: Node, point: Mapping[str, Any]) -> tuple[Any, Any] | None:
    """Both values at a point; `None` where one has none that can be computed."""
    try:
        return approximate(left, point), approximate(right, point)
    except (Undefined, TooBig, Unreadable):
        return None


def is_real(value: Any) -> bool:
    """Whether a value's imaginary part is rounding."""
    return bool(abs(mpmath.im(value)) <= mpmath.mpf(10) ** -30 * max(1, abs(value)))


def alike(left: Any, right: Any) -> bool:
    """Whether two values may be the same number: twenty-five digits are left to cancellation."""
    with mpmath.workdps(DIGITS):
        margin = mpmath.mpf(10) ** -25
        return bool(abs(left - right) <= margin * max(abs(left), abs(right), margin))


def not_proportional(left: Node, right: Node, positive: bool) -> bool:
    """False where numbers show that two differences are no (positive) multiples of each other."""
    names = tuple(dict.fromkeys(symbols(left) + symbols(right)))
    if set(symbols(left)) != set(symbols(right)):
        return False
    if not names:  # a statement about numbers alone is the same only with the same numbers
        return compare(left, right, Rules())
    ratios = []
    for point in points(names):
        found = pair(left, right, point)
        if found is None or not (is_real(found[0]) and is_real(found[1])):
            continue
        ours, theirs = found
        if alike(ours, mpmath.mpf(0)) or alike(theirs, mpmath.mpf(0)):
            if alike(ours, theirs):
                continue
            return False
        ratios.append(ours / theirs)
    if ratios and not all(alike(ratio, ratios[0]) for ratio in ratios):
        return False
    if positive and any(mpmath.re(ratio) < 0 for ratio in ratios):
        return False
    raise NeedsAlgebra


def interval(relation: Node) -> Node:
    """The interval of `a < x <= b`, `x > a` and the like, x being a name that occurs once."""
    ops, operands = relation[1], relation[2]
    if set(ops) <= {">", ">="}:
        ops, operands = tuple({">": "<", ">=": "<="}[op] for op in reversed(ops)), operands[::-1]
    middles = [at for at, operand in enumerate(operands) if is_name(operand) and operand[0] in ("sym", "fn")
               and operand[:2] != ("fn", "abs")]  # fmt: skip
    others = [operand for at, operand in enumerate(operands) if at not in middles[:1]]
    if len(middles) != 1 or any(contains(other, "sym") for other in others):
        raise NeedsAlgebra
    if ops == ("!=",):
        hole = others[0]
        return ("union", ("seq", "(", ")", ("neg", INFINITY), hole), ("seq", "(", ")", hole, INFINITY))
    if not set(ops) <= {"<", "<="} or len(ops) > 2 or (len(ops) == 2 and middles != [1]):
        raise NeedsAlgebra
    low, high = ("neg", INFINITY), INFINITY
    left, right = "(", ")"
    for at, op in enumerate(ops):
        if at < middles[0]:
            low, left = operands[at], "[" if op == "<=" else "("
        else:
            high, right = operands[at + 1], "]" if op == "<=" else ")"
    return ("seq", left, right, low, high)


def unknown(target: Node, response: Node) -> bool:
    """Sets that are not the same piece by piece: set algebra decides."""
    raise NeedsAlgebra
