"""Numbers: exact rational value where there is one, fifty digits where there is none. Every size is bounded first."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import mpmath  # type: ignore[import-untyped]  # ships no types; sympy brings it

from judges.math.tree import Node, TooBig, Unreadable, walk

MAX_BITS = 100_000  # of one exact number
MAX_WORK = 5_000_000  # bits handled in one evaluation
MAX_NODES = 3_000
DIGITS = 50
_LARGEST = 1e6  # natural logarithm of the largest magnitude that is evaluated


class Undefined(Exception):
    """No value: a division by zero, a factorial of a fraction, an infinity among numbers."""


class Exact:
    """Evaluates a tree to a `Fraction`, or to `None` where it is not rational arithmetic."""

    def __init__(self) -> None:
        self.work = 0

    def __call__(self, node: Node) -> Fraction | None:
        value = self._value(node)
        if value is not None:
            bits = value.numerator.bit_length() + value.denominator.bit_length()
            self.work += bits + 64
            if bits > 2 * MAX_BITS or self.work > MAX_WORK:
                raise TooBig("an exact number of too many digits")
        return value

    def _value(self, node: Node) -> Fraction | None:
        tag = node[0]
        if tag in ("num", "dec"):
            value: Fraction = node[1]
            return value
        if tag == "base":
            return based(node[1], node[2])
        if tag == "pct":
            inner = self(node[1])
            return None if inner is None else inner / 100
        if tag not in ("add", "mul", "neg", "div", "pow", "fn"):
            return None
        if tag == "fn":
            return self._function(node)
        parts = []
        for part in node[1:]:
            value_of_part = self(part)
            if value_of_part is None:
                return None
            parts.append(value_of_part)
        if tag == "add":
            return sum(parts, Fraction(0))
        if tag == "mul":
            return math.prod(parts, start=Fraction(1))
        if tag == "neg":
            return -parts[0]
        if tag == "div":
            if parts[1] == 0:
                raise Undefined("a division by zero")
            return parts[0] / parts[1]
        return self._power(parts[0], parts[1])

    def _power(self, base: Fraction, exponent: Fraction) -> Fraction | None:
        if exponent.denominator != 1:
            rooted = root(base, exponent.denominator) if exponent.denominator <= 64 and base >= 0 else None
            return None if rooted is None else self._power(rooted, Fraction(exponent.numerator))
        if base == 0:
            if exponent <= 0:
                raise Undefined("a power of zero")
            return Fraction(0)
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if abs(base) != 1 and bits * abs(exponent) > MAX_BITS:
            raise TooBig("a power of too many digits")
        if abs(base) == 1:
            return base if exponent % 2 else Fraction(1)
        return Fraction(base ** int(exponent))

    def _function(self, node: Node) -> Fraction | None:
        name, *arguments = node[1:]
        if name not in ("factorial", "binomial", "abs", "floor", "ceiling", "root"):
            return None
        values = [self(argument) for argument in arguments]
        first = values[0]
        if first is None or any(value is None for value in values):
            return None
        second = values[1] if len(values) > 1 and values[1] is not None else Fraction(2)
        if name == "abs":
            return abs(first)
        if name == "floor":
            return Fraction(math.floor(first))
        if name == "ceiling":
            return Fraction(math.ceil(first))
        if name == "root":
            if second.denominator != 1 or not 2 <= second <= 64:
                return None
            if first < 0:
                rooted = root(-first, int(second)) if second % 2 else None
                return None if rooted is None else -rooted
            return root(first, int(second))
        if any(value is not None and (value.denominator != 1 or value < 0) for value in values):
            return None
        if first > 5000:
            raise TooBig("a factorial of too many digits")
        if name == "factorial":
            return Fraction(math.factorial(int(first)))
        return Fraction(math.comb(int(first), int(second)))


def exact(node: Node) -> Fraction | None:
    """The rational value of a tree, or `None`. Raises `TooBig` and `Undefined`."""
    return Exact()(node)


def root(value: Fraction, degree: int) -> Fraction | None:
    """The exact `degree`-th root of a number that is not negative, or `None` where it is irrational."""
    top, bottom = _whole_root(value.numerator, degree), _whole_root(value.denominator, degree)
    return None if top is None or bottom is None else Fraction(top, bottom)


def _whole_root(value: int, degree: int) -> int | None:
    if degree == 2:
        found = math.isqrt(value)
    else:
        found = 1 << -(-value.bit_length() // degree)  # Newton from above; the sequence falls until it is the floor
        while value:
            better = ((degree - 1) * found + value // found ** (degree - 1)) // degree
            if better >= found:
                break
            found = better
        if not value:
            return 0
    return found if found**degree == value else None


def based(digits: str, base: int) -> Fraction:
    """The value of `digits` written in `base`. Raises `Unreadable` where a digit is not below the base."""
    whole, _, places = digits.partition(".")
    try:
        return Fraction(int(whole + places or "0", base), base ** len(places))
    except ValueError as error:
        raise Unreadable(f"{digits} is no number in base {base}") from error


def near(node: Node, value: Fraction, margin: Fraction) -> bool:
    """Whether a tree without variables has a real value that lies less than `margin` from `value`."""
    try:
        known = exact(node)
        if known is not None:
            return abs(known - value) < margin
        found = approximate(node, {})
    except (TooBig, Undefined, Unreadable):
        return False
    with mpmath.workdps(DIGITS):
        return bool(
            abs(found - mpmath.mpf(value.numerator) / value.denominator)
            < mpmath.mpf(margin.numerator) / margin.denominator
        )


def rounds(value: Node, shown: Node) -> bool:
    """Whether a number shown after an approximation sign is a rounding of the value, to a unit of its last place."""
    try:
        close = exact(shown)
    except (TooBig, Undefined, Unreadable):
        return False
    if close is None or shown[0] not in ("num", "dec", "neg"):
        return False
    place = Fraction(1)
    while (close / place).denominator != 1:
        place /= 10
        if place < Fraction(1, 10**30):
            return False
    return near(value, close, place)


_FUNCTIONS: dict[str, Any] = {
    "sin": mpmath.sin, "cos": mpmath.cos, "tan": mpmath.tan, "cot": mpmath.cot, "sec": mpmath.sec, "csc": mpmath.csc,
    "arcsin": mpmath.asin, "arccos": mpmath.acos, "arctan": mpmath.atan, "arccot": mpmath.acot,
    "sinh": mpmath.sinh, "cosh": mpmath.cosh, "tanh": mpmath.tanh, "coth": mpmath.coth, "ln": mpmath.ln,
    "exp": mpmath.exp,
}  # fmt: skip


def approximate(node: Node, values: Mapping[str, Any], *, digits: int = DIGITS) -> Any:
    """The complex value of a scalar tree to about `digits` digits, its variables given by `values` (mpmath numbers).

    The base of a logarithm without one is the variable "log" of `values`. Raises `Undefined`, `TooBig`, and
    `Unreadable` where the tree is no scalar.
    """
    if sum(1 for _ in walk(node)) > MAX_NODES:
        raise TooBig("an expression of too many parts")
    with mpmath.workdps(digits + 10):
        try:
            return _approximate(node, values)
        except (ZeroDivisionError, ValueError, OverflowError) as error:
            raise Undefined(str(error)) from error


def _approximate(node: Node, values: Mapping[str, Any]) -> Any:
    tag = node[0]
    if tag in ("num", "dec"):
        return mpmath.mpf(node[1].numerator) / node[1].denominator
    if tag == "base":
        value = based(node[1], node[2])
        return mpmath.mpf(value.numerator) / value.denominator
    if tag == "const":
        if node[1] == "infty":
            raise Undefined("an infinity")
        return {"pi": +mpmath.pi, "e": +mpmath.e, "i": mpmath.mpc(0, 1)}[node[1]]
    if tag == "sym":
        if node[1] not in values:
            raise Unreadable(f"the variable {node[1]} has no value")
        return values[node[1]]
    if tag == "fn":
        return _function(node, values)
    if tag not in ("add", "mul", "neg", "div", "pow", "pct", "deg"):
        raise Unreadable(f"{tag} among numbers")
    parts = [_approximate(part, values) for part in node[1:]]
    if tag == "add":
        return mpmath.fsum(parts)
    if tag == "mul":
        return _bounded(mpmath.fprod(parts))
    if tag == "neg":
        return -parts[0]
    if tag == "div":
        return _bounded(parts[0] / parts[1])
    if tag == "pct":
        return parts[0] / 100
    if tag == "deg":
        return parts[0] * mpmath.pi / 180
    return power(parts[0], parts[1])


def power(base: Any, exponent: Any) -> Any:
    """`base ** exponent`, refused where its magnitude cannot be handled."""
    if base == 0:
        if mpmath.re(exponent) <= 0:
            raise Undefined("a power of zero")
        return mpmath.mpf(0)
    if abs(mpmath.ln(base) * exponent) > _LARGEST:
        raise TooBig("a power of too many digits")
    return mpmath.power(base, exponent)


def _function(node: Node, values: Mapping[str, Any]) -> Any:
    name = node[1]
    if name == "apply":
        return _arbitrary(node[2][1], [_approximate(argument, values) for argument in node[3:]])
    first, *rest = [_approximate(argument, values) for argument in node[2:]]
    if abs(first) > 1e15 and name in _FUNCTIONS and name not in ("ln",):
        raise TooBig(f"{name} of a huge number")
    if name in _FUNCTIONS:
        if name == "ln" and first == 0:
            raise Undefined("the logarithm of zero")
        return _FUNCTIONS[name](first)
    if name in ("log", "lg"):
        if first == 0:
            raise Undefined("the logarithm of zero")
        if name == "log" and not rest and "log" not in values:
            raise Unreadable("a logarithm without a base")
        base = rest[0] if rest else (mpmath.mpf(10) if name == "lg" else values["log"])
        return mpmath.ln(first) / mpmath.ln(base)
    if name == "root":
        if mpmath.im(first) == 0 and mpmath.re(first) < 0 and mpmath.isint(rest[0]) and int(rest[0].real) % 2:
            return -mpmath.root(-mpmath.re(first), int(rest[0].real))
        return power(first, 1 / rest[0])
    if name == "abs":
        return abs(first)
    if name in ("floor", "ceiling"):
        if mpmath.im(first) != 0:
            raise Undefined(f"the {name} of a complex number")
        return mpmath.floor(first) if name == "floor" else mpmath.ceil(first)
    if abs(first) > 5000 or any(abs(value) > 5000 for value in rest):
        raise TooBig(f"{name} of a large number")
    return mpmath.factorial(first) if name == "factorial" else mpmath.binomial(first, rest[0])


def _arbitrary(name: str, arguments: list[Any]) -> Any:
    """A value for a function nobody has defined: any real number, the same for the same arguments."""
    place = ",".join(mpmath.nstr(argument + mpmath.mpf(0), 20) for argument in arguments)
    return mpmath.mpf(random.Random(f"{name}({place})").randint(10**8, 3 * 10**9)) / 10**9


def _bounded(value: Any) -> Any:
    if value != 0 and abs(mpmath.mag(value)) > 4 * _LARGEST:
        raise TooBig("a magnitude out of reach")
    return value
