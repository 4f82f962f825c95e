"""Are two trees the same answer? Collections, intervals, matrices and relations here; two scalars through a callback.

The target decides how strictly the response is read: `x = 5` answers 5, but 5 does not answer `2x + z = 5`; a list
never answers a number. Scalars are compared by `scalar(target, response)`, which may raise `NeedsAlgebra`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from judges.math.matrices import matrix
from judges.math.names import asks_for, assignments, expand, is_name, renamed
from judges.math.numbers import exact, rounds
from judges.math.tree import (
    CONDITIONS,
    INFINITY,
    SETS,
    NeedsAlgebra,
    Node,
    Refused,
    Rules,
    TooBig,
    contains,
    number,
    symbols,
)
from judges.math.units import clash

_COLLECTIONS = ("list", "set", "seq")
_ORDER = frozenset({"<", "<=", ">", ">="})
MAX_ITEMS = 64


@dataclass(frozen=True, slots=True)
class Decider:
    """The rules of one case and the way to compare two of its scalars, relations and sets."""

    rules: Rules
    scalar: Callable[[Node, Node], bool]
    proportional: Callable[[Node, Node, bool], bool]  # two sides' differences: equal up to a (positive) factor
    as_set: Callable[[Node], Node]  # the real solution set of a relation
    same_sets: Callable[[Node, Node], bool]

    def same(self, target: Node, response: Node) -> bool:
        """Whether `response` gives the answer `target`. Raises `NeedsAlgebra`, `TooBig`, `Refused`."""
        ours, theirs = assignments(target), assignments(response)
        if ours and theirs and (self.rules.strict or ours.keys() == theirs.keys()):
            return ours.keys() == theirs.keys() and all(self.same(ours[name], theirs[name]) for name in ours)
        if ours and (response[0] in CONDITIONS or (response[0] == "rel" and _ORDER & set(response[1]))):
            return False  # x = 1, y = 2 is a point, though (1, 2) could be an interval
        target, response = expand(target), expand(response)
        if target == response:
            return True
        if target[0] in CONDITIONS or response[0] in CONDITIONS:
            return self._conditions(target, response)
        if target[0] == "rel" or response[0] == "rel":
            return self._relations(target, response)
        if target[0] == "unit" or response[0] == "unit":
            (target, unit), (response, other) = _measure(target), _measure(response)
            return not clash(unit, other) and self.same(target, response)
        if "text" in (target[0], response[0]):
            return False
        if contains(target, "matrix") or contains(response, "matrix"):
            return self._matrices(target, response)
        if target[0] in SETS or response[0] in SETS:
            return self._unions(target, response)
        if target[0] in _COLLECTIONS or response[0] in _COLLECTIONS:
            return self._collections(target, response)
        if target[0] == "ratio" or response[0] == "ratio":
            return self._ratios(target, response)
        return self._scalars(target, response)

    def _scalars(self, target: Node, response: Node) -> bool:
        """Numbers and expressions; a percent sign is a hundredth, or the unit that a bare number leaves out."""
        target, response = _plain(target), _plain(response)
        if (target[0] == "pct") != (response[0] == "pct"):
            bare, marked = (target, response[1]) if response[0] == "pct" else (response, target[1])
            order = 1 if response[0] == "pct" else -1
            if self.scalar(*(bare, ("div", marked, number(100)))[::order]):
                return True
            value = exact(bare)  # 28 for 28%, but 0.4 is not 0.4%
            return value is not None and abs(value) >= 1 and self.scalar(*(bare, marked)[::order])
        if target[0] == "pct":
            target, response = target[1], response[1]
        if contains(target, "const") or contains(response, "const"):
            ours, theirs = _infinite(target), _infinite(response)
            if ours or theirs:
                return ours == theirs
        return self.scalar(target, response)

    def _matrices(self, target: Node, response: Node) -> bool:
        if not target[0] == response[0] == "matrix":
            if contains(target, "matrix") and contains(response, "matrix"):
                wanted = matrix(target)
                try:
                    given = matrix(response)
                except TooBig as error:
                    raise Refused(str(error)) from error
                return self._matrices(wanted, given)
            ours, theirs = _vector(target), _vector(response)
            return not self.rules.strict and len(ours) == len(theirs) > 0 and all(map(self.same, ours, theirs))
        if len(target) != len(response) or len(target[1]) != len(response[1]):
            return False
        pairs = [
            (ours, theirs)
            for left, right in zip(target[1:], response[1:], strict=True)
            for ours, theirs in zip(left, right, strict=True)
        ]
        return all(self.same(ours, theirs) for ours, theirs in pairs)

    def _ratios(self, target: Node, response: Node) -> bool:
        """2:4 is 1:2 and 1/2; times of day are no ratios: 12:30 is not 2:05."""
        if target[0] == response[0] == "ratio":
            if len(target) != len(response):
                return False
            if all(self.same(ours, theirs) for ours, theirs in zip(target[1:], response[1:], strict=True)):
                return True
            if _clock(target) or _clock(response):
                return False
            ours, theirs = target[1:], response[1:]
            return all(
                self.scalar(("mul", ours[0], theirs[at]), ("mul", ours[at], theirs[0])) for at in range(1, len(ours))
            )
        ratio, other, mirrored = (target, response, False) if target[0] == "ratio" else (response, target, True)
        if len(ratio) != 3 or "unit" in (ratio[1][0], ratio[2][0]):
            return False
        if exact(ratio[2]) == 0:
            return False
        quotient: Node = ("div", ratio[1], ratio[2])
        return self.scalar(other, quotient) if mirrored else self.scalar(quotient, other)

    # -- collections

    def _collections(self, target: Node, response: Node) -> bool:
        ours, theirs = _members(target), _members(response)
        if len(theirs) > MAX_ITEMS >= len(ours):
            raise Refused(f"it lists {len(theirs)} values")
        if len(ours) > MAX_ITEMS:
            if target[0] == response[0] and self._in_order(ours, theirs):
                return True
            raise TooBig(f"the target lists {len(ours)} values")
        target_interval, response_interval = _is_interval(target), _is_interval(response)
        if target_interval != response_interval and "seq" in (target[0], response[0]):
            halves = {(target[1:3] if target_interval else response[1:3])}
            if halves != {("(", ")")} or "set" in (target[0], response[0]):
                return (not self.rules.strict) and self._in_order(ours, theirs)
        if target_interval and response_interval and target[1:3] != response[1:3]:
            return False
        if _ordered(target) or _ordered(response):
            if self.rules.strict and "set" in (target[0], response[0]):
                return False
            return self._in_order(ours, theirs)
        return self._same_members(ours, theirs)

    def _in_order(self, ours: tuple[Node, ...], theirs: tuple[Node, ...]) -> bool:
        if len(ours) != len(theirs):
            return False
        return all(map(self.same, ours, theirs))

    def _same_members(self, ours: tuple[Node, ...], theirs: tuple[Node, ...]) -> bool:
        """Each side's members all occur on the other; repeats are one."""
        return self._covered(ours, theirs) and self._covered(theirs, ours, mirrored=True)

    def _covered(self, wanted: tuple[Node, ...], present: tuple[Node, ...], *, mirrored: bool = False) -> bool:
        doubtful = False
        for member in wanted:
            found, unsure = False, False
            for other in present:
                try:
                    found = self.same(*((other, member) if mirrored else (member, other)))
                except NeedsAlgebra:
                    unsure = True
                if found:
                    break
            if not found and not unsure:
                return False
            doubtful = doubtful or not found
        if doubtful:
            raise NeedsAlgebra
        return True

    def _unions(self, target: Node, response: Node) -> bool:
        ours, theirs = _parts(target), _parts(response)
        if ours and theirs and len(ours) == len(theirs):
            try:
                if self._same_members(ours, theirs):
                    return True
            except NeedsAlgebra:
                pass
        return self.same_sets(target, response)

    # -- relations

    def _relations(self, target: Node, response: Node) -> bool:
        ours, theirs = self._named(target), self._named(response)
        if theirs is not None and target[0] != "rel":
            first = response[2][0]
            return (asks_for(first) or self.same(theirs[1], first)) and self.same(target, theirs[1])
        if ours is not None and response[0] != "rel":
            return ours[0] is not None and self.same(ours[1], response)
        if ours is not None and theirs is not None:
            alike = ours[0] == theirs[0] or not self.rules.strict
            alike = alike and _middles(target) == _middles(response)
            if alike and ours[0] is not None and self.same(ours[1], theirs[1]):
                return True
        members, answered = (target if ours is None else ours[1]), (response if theirs is None else theirs[1])
        if members[0] == "rel" and _is_set(answered):
            return self.same(self.as_set(members), answered)
        if answered[0] == "rel" and _is_set(members):
            return self.rules.set_relations and self.same(members, self.as_set(answered))
        if not target[0] == response[0] == "rel":
            return False
        if self._inequalities(target, response):
            return True
        names = set(symbols(target))
        if len(names) != 1 or names != set(symbols(response)) or _solved(target) or not _solved(response):
            return False
        return set(target[1]) <= _ORDER and self.same(self.as_set(target), self.as_set(response))

    def _named(self, node: Node) -> tuple[Node | None, Node] | None:
        """The value that a chain of equations gives, and the name it gives it to (`None` for an expression).

        All members that hold no variable must agree with the value. Raises `Refused` where they do not.
        """
        if node[0] != "rel" or not set(node[1]) <= {"=", "~", "in"}:
            return None
        ops, operands = node[1], node[2]
        if "in" in ops and (ops != ("in",) or operands[1][0] not in (*_COLLECTIONS, *SETS)):
            return None
        chain = [operands[0]] + [operand for op, operand in zip(ops, operands[1:], strict=True) if op != "~"]
        rounded = [operand for op, operand in zip(ops, operands[1:], strict=True) if op == "~"]
        if len(chain) == 2 and is_name(chain[1]) and not contains(chain[0], "sym", "text"):
            chain.reverse()
        value = chain[-1]
        for other in chain[:-1]:
            if not contains(other, "sym", "text") and "in" not in ops and not self.same(value, other):
                raise Refused("its members are not equal")
        for other in rounded:
            if not rounds(value, other):
                raise Refused("its approximation is another number")
        first = chain[0]
        return (first if len(chain) > 1 and is_name(first) else None), value

    def _conditions(self, target: Node, response: Node) -> bool:
        """Relations joined by "or" or "and": the same ones in any order, else the same real solutions.

        A bare list may answer either; "or" never answers a list, which could mean "and".
        """
        if len(response) > MAX_ITEMS:
            raise Refused(f"it lists {len(response)} conditions")
        if target[0] == response[0] or response[0] == "list" or (target[0], response[0]) == ("list", "all"):
            try:
                if self._same_members(target[1:], response[1:]):
                    return True
            except NeedsAlgebra:
                pass
        if "list" in (target[0], response[0]):
            return False
        ours, theirs = set(symbols(target)), set(symbols(response))
        if len(ours) > 1 or len(theirs) > 1 or (self.rules.strict and ours and theirs and ours != theirs):
            return False
        if (_is_set(target) or (target[0] == "rel" and "in" in target[1])) and not self.rules.set_relations:
            return False
        if not (_is_set(response) or _solved(response)):  # x^2 > 4 restates what its target solved
            return False
        wanted, given = self._solutions(target), self._solutions(response)
        return wanted is not None and given is not None and self.same(wanted, given)

    def _solutions(self, node: Node) -> Node | None:
        """The set that a condition, a relation or a set describes; `None` for all else."""
        if _is_set(node):
            return node
        if node[0] == "rel":
            return node[2][1] if node[1] == ("in",) and _is_set(node[2][1]) else self.as_set(node)
        if node[0] not in CONDITIONS:
            return None
        total: Node | None = None
        for part in node[1:]:
            solved = self._solutions(part)
            if solved is None:
                return None
            total = solved if total is None else ("union" if node[0] == "any" else "cap", total, solved)
        return total

    def _inequalities(self, target: Node, response: Node) -> bool:
        """Each comparison of the one chain occurs in the other, sides exchanged or scaled."""
        ours, theirs = _comparisons(target), _comparisons(response if self.rules.strict else renamed(target, response))
        if ours is None or theirs is None or len(ours) != len(theirs):
            return False
        left = list(theirs)
        doubtful = False
        for op, difference in ours:
            for index, (other_op, other) in enumerate(left):
                try:
                    if op == other_op and self.proportional(difference, other, op in ("<", "<=")):
                        del left[index]
                        break
                except NeedsAlgebra:
                    doubtful = True
            else:
                if not doubtful:
                    return False
        if doubtful and left:
            raise NeedsAlgebra
        return True


def _measure(node: Node) -> tuple[Node, str]:
    return (node[1], node[2]) if node[0] == "unit" else (node, "")


def _plain(node: Node) -> Node:
    """Without a degree sign, which is the unit of a bare angle."""
    if node[0] == "deg":
        return _plain(node[1])
    if node[0] == "neg" and node[1][0] in ("deg", "pct"):
        return ("neg", node[1][1]) if node[1][0] == "deg" else ("pct", ("neg", node[1][1]))
    return node


def _infinite(node: Node) -> int:
    """1 and -1 for the infinities, 0 for the rest."""
    if node == INFINITY:
        return 1
    return -_infinite(node[1]) if node[0] == "neg" else 0


def _members(node: Node) -> tuple[Node, ...]:
    if node[0] == "seq":
        return node[3:]
    return node[1:] if node[0] in ("list", "set") else (node,)


def _vector(node: Node) -> tuple[Node, ...]:
    if node[0] == "matrix":
        return tuple(row[0] for row in node[1:]) if len(node[1]) == 1 else node[1] if len(node) == 2 else ()
    return _members(node) if node[0] == "seq" else ()


def _is_interval(node: Node) -> bool:
    return node[0] == "seq" and len(node) == 5


def _is_set(node: Node) -> bool:
    return node[0] in (*_COLLECTIONS, *SETS)


def _solved(node: Node) -> bool:
    """Whether a relation, or each of several, bounds a bare name by constants: x < 3, but not 2x < 6 or 1 < 2."""
    if node[0] in CONDITIONS:
        return all(map(_solved, node[1:]))
    named = [operand for operand in node[2] if contains(operand, "sym")] if node[0] == "rel" else []
    return len(named) == 1 and (named[0][0] == "sym" or named[0][:2] == ("fn", "apply"))


def _ordered(node: Node) -> bool:
    return bool(node[0] == "seq")


def _clock(node: Node) -> bool:
    """Whether a ratio has the looks of a time of day; its minutes were two digits, so 10 and more or a zero."""
    if len(node) != 3:
        return False
    minutes = node[2] if node[2][0] != "unit" else node[2][1]
    if not node[1][0] == minutes[0] == "num" or node[1][1] > 24:
        return False
    return bool(node[2][0] == "unit" or minutes[1] == 0 or 10 <= minutes[1] < 60)


def _parts(node: Node) -> tuple[Node, ...]:
    """The members of a union; empty where the set is built otherwise."""
    if node[0] != "union":
        return (node,) if node[0] not in ("cap", "minus") else ()
    left, right = _parts(node[1]), _parts(node[2])
    return (*left, *right) if left and right else ()


def _middles(chain: Node) -> tuple[Node, ...]:
    """The members between a chain's name and its value that hold variables, and so say something of their own."""
    return tuple(member for member in chain[2][1:-1] if contains(member, "sym", "text"))


def _comparisons(node: Node) -> list[tuple[str, Node]] | None:
    """A chain as (operation, left minus right) with only <, <=, =, !=."""
    found: list[tuple[str, Node]] = []
    for op, left, right in zip(node[1], node[2], node[2][1:], strict=False):
        if op in ("in", "~"):
            return None
        if op in (">", ">="):
            op, left, right = {">": "<", ">=": "<="}[op], right, left
        found.append((op, ("add", left, ("neg", right))))
    return found
