"""Tokens to a tree by recursive descent. It reads all of an answer or raises: no part of it is ever left out."""

from __future__ import annotations

from functools import lru_cache

from judges.math.cursor import END
from judges.math.lexicon import MEANINGFUL, REAL_LINE, RELATIONS, SCALES
from judges.math.scalars import Scalars
from judges.math.tokens import Token, tokenize
from judges.math.tree import REALS, Node, TooBig, Unreadable, contains, depth, number
from judges.math.units import known

MAX_TREE = 120  # rules nest less, but 3!!!! and 1/2/3/4 grow by repetition


@lru_cache(maxsize=4096)
def read(text: str) -> Node:
    """The tree of an answer. Raises `Unreadable` or `TooBig`."""
    return parse(tokenize(text))


def parse(tokens: tuple[Token, ...]) -> Node:
    """The tree of all `tokens`. Raises `Unreadable` where one has no place, `TooBig` where they nest too deeply."""
    if not tokens:
        raise Unreadable("nothing to read")
    reader = _Reader(tokens)
    node = reader.answer()
    if reader.position < len(reader.tokens):
        raise Unreadable(f"{reader.peek()[1]!r} has no place here")
    if depth(node) > MAX_TREE:
        raise TooBig(f"a tree more than {MAX_TREE} deep")
    return node


class _Reader(Scalars):
    """The rules above a sum: units, ratios, sets, relations, lists."""

    def answer(self) -> Node:
        """Items set apart by commas; groups of them set apart by semicolons are tuples."""
        self.deeper()
        groups = [self.items()]
        while self.accept(";"):
            if self.peek() is not END:
                groups.append(self.items())
        self.depth -= 1
        if len(groups) == 1:
            return groups[0][0] if len(groups[0]) == 1 else ("list", *groups[0])
        return ("list", *(group[0] if len(group) == 1 else ("seq", "(", ")", *group) for group in groups))

    def items(self) -> list[Node]:
        found = [self.relation()]
        while self.accept(","):
            found.append(self.relation())
        return found

    def relation(self) -> Node:
        self.deeper()
        if self.at("approx"):  # "approximately 3" claims no exact value
            raise Unreadable("an approximation without its value")
        operands, ops = [self.sets()], []
        while self.at(*RELATIONS):
            ops.append(RELATIONS[self.take()[1]])
            operands.append(self.sets())
        self.depth -= 1
        return ("rel", tuple(ops), tuple(operands)) if ops else operands[0]

    def sets(self) -> Node:
        node = self.ratio()
        while self.at("cup", "cap", "setminus"):
            tag = {"cup": "union", "cap": "cap", "setminus": "minus"}[self.take()[1]]
            node = (tag, node, self.ratio())
        if node[0] == "add" and len(node) == 3 and node[2][0] == "neg" and node[2][1][0] == "set":
            return ("minus", node[1], node[2][1])  # `\\mathbb{R} - \\{2\\}`
        return node

    def ratio(self) -> Node:
        parts = [self.measured()]
        while self.accept(":"):
            parts.append(self.measured())
        return parts[0] if len(parts) == 1 else ("ratio", *parts)

    def measured(self) -> Node:
        """A sum, and the unit after it: words, an abbreviation, with a power or a second unit."""
        if self.peek()[0] == "word":
            return self.phrase()
        node = self.sum()
        if self.peek()[0] == "word":
            scale = SCALES.get(self.peek()[1].casefold())
            if scale:
                self.take()
                node = ("mul", node, number(scale))
            unit = self.unit_words()
            if unit:
                if contains(node, "sym") and not known(unit):
                    raise Unreadable(f"{unit!r} after a letter")
                node = ("unit", node, unit)
        if self.accept("%"):
            node = ("pct", node)
        return node

    def phrase(self) -> Node:
        """Words that are the answer, or its name before an equals sign."""
        found = []
        while self.peek()[0] in ("word", "var", "num") or self.at("-", "'", "."):
            found.append(self.take()[1].casefold())
        phrase = " ".join(found)
        return REALS if phrase in REAL_LINE else ("text", phrase)

    def unit_words(self) -> str:
        found: list[str] = []
        while True:
            kind, value = self.peek()
            if kind == "word" or (kind == "var" and found):
                if value.casefold() in MEANINGFUL:
                    raise Unreadable(f"{value!r} after a number")
                found.append(value.casefold())
                self.take()
            elif found and self.at("/", ".", "*"):
                self.take()
            elif found and self.accept("^"):
                self.argument()
            elif self.at("(") and self.peek(1)[0] == "word" and self.peek(2)[1] == ")":
                self.position += 1
                found.append(self.take()[1].casefold())
                self.position += 1
            else:
                return " ".join(found)
