"""A place in a row of tokens that only moves forward, and the small trees that parsing puts together."""

from __future__ import annotations

from fractions import Fraction

from judges.math.tokens import Token
from judges.math.tree import Node, TooBig, Unreadable, number

MAX_DEPTH = 60
END: Token = ("end", "")


class Cursor:
    """The tokens, the place, and how deep the rules have gone."""

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self.tokens = list(tokens)
        self.position = 0
        self.depth = 0
        self.bars = 0

    # -- tokens

    def peek(self, ahead: int = 0) -> Token:
        index = self.position + ahead
        return self.tokens[index] if index < len(self.tokens) else END

    def at(self, *values: str) -> bool:
        kind, value = self.peek()
        return kind in ("op", "cmd") and value in values

    def take(self) -> Token:
        token = self.peek()
        if token is END:
            raise Unreadable("the expression stops short")
        self.position += 1
        return token

    def accept(self, *values: str) -> bool:
        if self.at(*values):
            self.position += 1
            return True
        return False

    def expect(self, value: str) -> None:
        if not self.accept(value):
            raise Unreadable(f"expected {value!r}, found {self.peek()[1]!r}")

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooBig(f"nested more than {MAX_DEPTH} deep")


def signed(sign: str, node: Node) -> Node:
    """A node under a sign: +, -, or the plus-minus signs."""
    if sign == "-":
        return ("neg", node)
    return (sign, node) if sign in ("pm", "mp") else node


def product(left: Node, right: Node) -> Node:
    """A product, kept flat to the left."""
    return (*left, right) if left[0] == "mul" else ("mul", left, right)


def mixed_number(whole: Node, part: Node, before: Token) -> Node | None:
    """A whole number directly before a proper fraction of whole numbers is a mixed number: 2 + 1/2."""
    if whole[0] == "num" and before[0] == "num" and part[0] == "div" and part[1][0] == part[2][0] == "num":
        top, bottom = part[1][1], part[2][1]
        if 0 < top < bottom:
            return number(whole[1] + top / bottom)
    return None


def name_of(node: Node) -> str:
    """A name made of letters and digits, for what an accent, a prime or a subscript stands on."""
    if node[0] == "sym":
        return str(node[1])
    if node[0] == "const" and node[1] != "infty":
        return str(node[1])
    if node[0] == "mul":
        return "".join(name_of(part) for part in node[1:])
    if node[0] == "num":
        return str(node[1])
    raise Unreadable("an accent, prime or subscript on an expression")


def integer(digits: str) -> int:
    """The value of a string of digits of any length (Python refuses 4,300 and more at once)."""
    value = 0
    for start in range(0, len(digits), 4000):
        piece = digits[start : start + 4000]
        value = value * 10 ** len(piece) + int(piece)
    return value


def decimal(text: str) -> Fraction:
    """The exact value of digits with a point."""
    whole, _, places = text.partition(".")
    return Fraction(integer(whole + places), 10 ** len(places))
