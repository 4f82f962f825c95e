"""What an answer is once read: a tree of plain tagged tuples, hashable and cheap to send to another process.

Scalars     ("num", q) ("dec", q) exact `Fraction`, the second written as a decimal; ("base", digits, base);
            ("const", "pi" | "e" | "i" | "infty"); ("sym", name); ("add", a, b, ...); ("mul", a, b, ...); ("neg", a);
            ("div", a, b); ("pow", a, b); ("pm", a); ("mp", a); ("fn", name, a, ...); ("pct", a); ("deg", a)
Collections ("list", a, ...) bare, commas only; ("set", a, ...) braces; ("seq", open, close, a, ...) tuple or interval;
            ("matrix", row, ...) of tuples; ("ratio", a, b, ...); ("union" | "cap" | "minus", a, b)
Conditions  ("any" | "all", relation, ...) relations joined by "or", by "and"
Others      ("rel", ops, operands) a chain such as a < b <= c; ("unit", a, words); ("text", words), words as one string
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

Node = tuple[Any, ...]
SETS = ("union", "cap", "minus")
CONDITIONS = ("any", "all")
INFINITY: Node = ("const", "infty")
REALS: Node = ("seq", "(", ")", ("neg", INFINITY), INFINITY)


class Unreadable(Exception):
    """Text that this notation does not cover; it still may equal its target word for word."""


class TooBig(Exception):
    """A number too large to write out, or an expression too deep or too long to work on."""


class Refused(Exception):
    """A response that no reading makes right: it asserts two values (x = 4 = 5), or is too large to evaluate."""


class NeedsAlgebra(Exception):
    """Two expressions that neither exact arithmetic nor numerics tells apart or proves equal."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts as equal. `precision`: decimals may differ by half a unit of that decimal place; `None` is exact.

    `strict`: variables keep their names and a set is no tuple. `set_relations`: a set in the target may be answered
    by the inequality that describes it (the other direction always holds).
    """

    precision: int | None = None
    strict: bool = True
    set_relations: bool = False


def words(text: str) -> frozenset[str]:
    """A table of words, written as a line of text."""
    return frozenset(text.split())


def number(value: int | Fraction) -> Node:
    """An exact number as a node."""
    return ("num", Fraction(value))


def walk(node: Node) -> Iterator[Node]:
    """Every node of the tree, the root first. Iterative, so that depth costs nothing."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(part for part in _flat(current) if part)


def depth(node: Node) -> int:
    """Levels of the tree."""
    level, levels = [node], 0
    while level:
        level = [part for each in level for part in _flat(each) if part]
        levels += 1
    return levels


def _flat(node: Node) -> Iterator[Node]:
    for part in node[1:]:
        if isinstance(part, tuple):
            if part and isinstance(part[0], tuple):
                yield from part
            elif part and isinstance(part[0], str) and part[0] in TAGS:
                yield part


TAGS = words(
    "num dec base const sym add mul neg div pow pm mp fn pct deg list set seq matrix ratio union cap minus any all rel "
    "unit text"
)


def symbols(node: Node) -> tuple[str, ...]:
    """Names of the free variables, each once, in order of appearance as `walk` meets them."""
    return tuple(dict.fromkeys(part[1] for part in walk(node) if part[0] == "sym"))


def contains(node: Node, *tags: str) -> bool:
    """Whether any node of the tree has one of these tags."""
    return any(part[0] in tags for part in walk(node))
