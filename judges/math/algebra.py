"""What only algebra decides, by sympy, for worker processes: a difference proved to be zero, sets, scaled equations."""

from __future__ import annotations

from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from judges.math import quick
from judges.math.names import renamed
from judges.math.numbers import MAX_BITS, based
from judges.math.structure import Decider
from judges.math.tree import NeedsAlgebra, Node, Refused, Rules, TooBig, Unreadable, contains, symbols

_FUNCTIONS: dict[str, Any] = {
    "sin": sympy.sin, "cos": sympy.cos, "tan": sympy.tan, "cot": sympy.cot, "sec": sympy.sec, "csc": sympy.csc,
    "arcsin": sympy.asin, "arccos": sympy.acos, "arctan": sympy.atan, "arccot": sympy.acot, "sinh": sympy.sinh,
    "cosh": sympy.cosh, "tanh": sympy.tanh, "coth": sympy.coth, "ln": sympy.log, "exp": sympy.exp, "abs": sympy.Abs,
    "floor": sympy.floor, "ceiling": sympy.ceiling, "factorial": sympy.factorial, "binomial": sympy.binomial,
}  # fmt: skip
_CONSTANTS = {"pi": sympy.pi, "e": sympy.E, "i": sympy.I, "infty": sympy.oo}
_LOG_BASE = sympy.Symbol("log base", positive=True)  # `\log` without a base: any one base, the same throughout
_OPERATIONS = {"<": sympy.Lt, "<=": sympy.Le, "=": sympy.Eq, "!=": sympy.Ne}


def decider(rules: Rules) -> Decider:
    """The same decisions as `quick.decider`, with proofs where that one asks for algebra."""

    def scalar(target: Node, response: Node) -> bool:
        try:
            return quick.compare(target, response, rules)
        except NeedsAlgebra:
            return equal(target, response if rules.strict else renamed(target, response))

    def as_set(relation: Node) -> Node:
        try:
            return quick.interval(relation)
        except NeedsAlgebra:
            return ("minus", relation, ("set",))

    return Decider(rules, scalar, proportional, as_set, same_sets)


def equal(target: Node, response: Node) -> bool:
    """Whether two scalars that no number tells apart are the same. Raises `NeedsAlgebra` where no proof is found."""
    assumptions = _assumptions(target, response)
    ours = to_sympy(target, assumptions)
    try:
        theirs = to_sympy(response, assumptions)
    except TooBig as error:
        raise Refused(str(error)) from error
    return vanishes(ours - theirs)


def vanishes(difference: Any) -> bool:
    """Whether an expression is zero, proved by ever dearer means. Raises `NeedsAlgebra` where none proves either."""
    for attempt in (
        lambda d: d,
        sympy.expand,
        lambda d: sympy.expand(sympy.together(d).as_numer_denom()[0]),
        lambda d: sympy.cancel(d) if d.free_symbols else sympy.radsimp(d),
        sympy.simplify,
        lambda d: sympy.simplify(d.rewrite(sympy.exp)),
        lambda d: sympy.expand_log(sympy.expand_trig(d), force=False),
    ):
        result = attempt(difference)
        if result.is_zero is not None:
            return bool(result.is_zero)
    if not difference.free_symbols and difference.is_algebraic:
        return bool(sympy.minimal_polynomial(difference, _LOG_BASE) == _LOG_BASE)
    decided = difference.equals(0)
    if decided is not None:
        return bool(decided)
    raise NeedsAlgebra


def proportional(left: Node, right: Node, positive: bool) -> bool:
    """Whether one difference is a constant (positive) multiple of the other, so that both state the same relation."""
    try:
        return quick.not_proportional(left, right, positive)
    except NeedsAlgebra:
        pass
    assumptions = _assumptions(left, right)
    if not assumptions:
        return equal(left, right)
    ours, theirs = sympy.expand(to_sympy(left, assumptions)), sympy.expand(to_sympy(right, assumptions))
    if ours.is_zero or theirs.is_zero:
        return bool(ours.is_zero and theirs.is_zero)
    ratio = sympy.cancel(ours / theirs)
    if ratio.free_symbols or ratio.atoms(AppliedUndef):
        ratio = sympy.simplify(ratio)
    if ratio.free_symbols or ratio.atoms(AppliedUndef) or ratio.is_zero is not False:
        return False
    return not positive or bool(ratio.is_positive)


def _assumptions(*nodes: Node) -> dict[str, Any]:
    """Symbols are real; positive where the expressions have no real value for a negative one. With `i`, complex."""
    names = tuple(dict.fromkeys(name for node in nodes for name in symbols(node)))
    if any(("const", "i") in quick.constants(node) for node in nodes):
        return {name: sympy.Symbol(name) for name in names}
    return {
        name: sympy.Symbol(name, real=True)
        if _takes_negatives(name, names, nodes)
        else sympy.Symbol(name, positive=True)
        for name in names
    }


def _takes_negatives(name: str, names: tuple[str, ...], nodes: tuple[Node, ...]) -> bool:
    for point in quick.points(names):
        for sign in (-1, 1):
            values = {**point, name: -abs(point[name])} | {
                other: sign * abs(point[other]) for other in names if other != name
            }
            pair = quick.pair(nodes[0], nodes[-1], values)
            if pair is None or quick.is_real(pair[0]) or quick.is_real(pair[1]):
                return True
    return False


def to_sympy(node: Node, names: dict[str, Any]) -> Any:
    """A scalar tree as a sympy expression. Raises `TooBig` before sympy would write out a huge number."""
    tag = node[0]
    if tag in ("num", "dec"):
        return sympy.Rational(node[1].numerator, node[1].denominator)
    if tag == "base":
        value = based(node[1], node[2])
        return sympy.Rational(value.numerator, value.denominator)
    if tag == "const":
        return _CONSTANTS[node[1]]
    if tag == "sym":
        return names[node[1]]
    if tag == "fn":
        return _function(node, names)
    if tag not in ("add", "mul", "neg", "div", "pow", "pct", "deg"):
        raise Unreadable(f"{tag} among numbers")
    parts = [to_sympy(part, names) for part in node[1:]]
    if tag == "add":
        return sympy.Add(*parts)
    if tag == "mul":
        return sympy.Mul(*parts)
    if tag == "neg":
        return -parts[0]
    if tag == "div":
        if parts[1].is_zero:
            raise Refused("a division by zero")
        return parts[0] / parts[1]
    if tag == "pct":
        return parts[0] / 100
    if tag == "deg":
        return parts[0] * sympy.pi / 180
    return _power(*parts)


def _power(base: Any, exponent: Any) -> Any:
    if base.is_Rational and exponent.is_Rational and base not in (0, 1, -1):
        bits = max(int(base.p).bit_length(), int(base.q).bit_length())
        if bits * abs(exponent) > MAX_BITS:
            raise TooBig("a power of too many digits")
    if exponent.is_number and not exponent.is_Rational and abs(exponent.evalf(5)) > MAX_BITS:
        raise TooBig("a power of too many digits")
    if exponent.is_Integer and abs(exponent) > 200 and base.is_Add:
        raise TooBig("a high power of a sum")
    return base**exponent


def _function(node: Node, names: dict[str, Any]) -> Any:
    name = node[1]
    if name == "apply":
        return sympy.Function(node[2][1])(*(to_sympy(argument, names) for argument in node[3:]))
    first, *rest = [to_sympy(argument, names) for argument in node[2:]]
    if name in ("log", "lg"):
        base = rest[0] if rest else (sympy.Integer(10) if name == "lg" else _LOG_BASE)
        return sympy.log(first) / sympy.log(base)
    if name == "root":
        if first.is_negative and rest[0].is_Integer and rest[0] % 2:
            return -_power(-first, 1 / rest[0])
        return _power(first, 1 / rest[0])
    if name == "factorial" and first.is_number and first > 5000:
        raise TooBig("a factorial of too many digits")
    return _FUNCTIONS[name](first, *rest)


# -- sets


def same_sets(target: Node, response: Node) -> bool:
    """Whether two sets of real numbers are equal. Raises `NeedsAlgebra` where sympy cannot tell."""
    ours, theirs = to_set(target), to_set(response)
    if ours is None or theirs is None:
        return False
    if ours == theirs:
        return True
    difference = sympy.SymmetricDifference(ours, theirs)
    if difference.is_empty is None:
        raise NeedsAlgebra
    return bool(difference.is_empty)


def to_set(node: Node) -> Any:
    """A tree as a set of reals, or `None` where it is none."""
    tag = node[0]
    if tag == "rel":
        return _solutions(node)
    if tag in ("union", "cap", "minus"):
        left, right = to_set(node[1]), to_set(node[2])
        if left is None or right is None:
            return None
        return {"union": sympy.Union, "cap": sympy.Intersection, "minus": sympy.Complement}[tag](left, right)
    if tag in ("set", "list"):
        if any(contains(member, "sym", "text", "seq", "rel") for member in node[1:]):
            return None
        return sympy.FiniteSet(*(to_sympy(member, {}) for member in node[1:]))
    if tag == "seq" and len(node) == 5 and not contains(node, "sym", "text", "rel"):
        low, high = (to_sympy(end, {}) for end in node[3:])
        if not (low.is_extended_real and high.is_extended_real) or sympy.Gt(low, high) == sympy.true:
            return None  # (3, 2) is a point
        return sympy.Interval(low, high, left_open=node[1] == "(", right_open=node[2] == ")")
    return None


def _solutions(relation: Node) -> Any:
    """The real solutions of a chain of comparisons in one variable, which may be an unknown function's value."""
    table: dict[Node, Any] = {}
    unknown = sympy.Symbol("unknown", real=True)

    def build(node: Node) -> Any:
        if node[0] == "fn" and node[1] == "apply":
            table[node] = unknown
            return ("sym", "unknown")
        if node[0] == "sym":
            table[node] = unknown
            return ("sym", "unknown")
        return tuple(build(part) if isinstance(part, tuple) and part else part for part in node)

    operands = [to_sympy(build(operand), {"unknown": unknown}) for operand in relation[2]]
    if len(table) != 1:
        raise NeedsAlgebra
    pieces = []
    for op, left, right in zip(relation[1], operands, operands[1:], strict=False):
        if op in (">", ">="):
            op, left, right = {">": "<", ">=": "<="}[op], right, left
        if op not in _OPERATIONS:
            raise NeedsAlgebra
        pieces.append(_OPERATIONS[op](left, right).as_set())
    return sympy.Intersection(*pieces)
