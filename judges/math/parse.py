"""Tokens to a tree by recursive descent. It reads all of an answer or raises: no part of it is ever left out."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from judges.math.tokens import SHORT_UNITS, Token, tokenize
from judges.math.tree import INFINITY, Node, TooBig, Unreadable, number, words

MAX_DEPTH = 60
_RELATIONS = {"=": "=", "<": "<", ">": ">", "le": "<=", "ge": ">=", "ne": "!=", "in": "in", "approx": "~"}
_FUNCTIONS = words("sin cos tan cot sec csc arcsin arccos arctan arccot sinh cosh tanh coth ln lg exp")
_INVERSE = {"sin": "arcsin", "cos": "arccos", "tan": "arctan", "cot": "arccot"}
_NAMES = words(
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi rho sigma tau phi chi psi omega "
    "Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega ell hbar"
)
_ACCENTS = words("overline bar vec hat tilde overrightarrow widehat mathcal mathbb angle triangle")
_MATRICES = words("matrix pmatrix bmatrix Bmatrix smallmatrix array")
_OPEN = {"(": ")", "[": "]", "{*": "*}", "langle": "rangle", "lfloor": "rfloor", "lceil": "rceil"}
_APPLIED = frozenset("fgh")  # letters that apply to a parenthesis; any other letter multiplies it
# Words that do more than name a unit: a phrase that holds one is never dropped after a number.
_MEANINGFUL = words(
    "not no none plus minus times over divided squared cubed to if when where with without except unless than least "
    "most about approximately roughly around maybe perhaps either neither both but more less thousand million billion "
    "trillion hundred dozen half third quarter zero one two three four five six seven eight nine ten for all every "
    "is are was be undefined infinite infinity true false modulo mod base pi sqrt root"
)
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}


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
    return node


_END: Token = ("end", "")


class _Reader:
    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self.tokens = list(tokens)
        self.position = 0
        self.depth = 0
        self.bars = 0

    # -- tokens

    def peek(self, ahead: int = 0) -> Token:
        index = self.position + ahead
        return self.tokens[index] if index < len(self.tokens) else _END

    def at(self, *values: str) -> bool:
        kind, value = self.peek()
        return kind in ("op", "cmd") and value in values

    def take(self) -> Token:
        token = self.peek()
        if token is _END:
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

    # -- collections and relations

    def answer(self) -> Node:
        """Items set apart by commas; groups of them set apart by semicolons are tuples."""
        self.deeper()
        groups = [self.items()]
        while self.accept(";"):
            if self.peek() is not _END:
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
        while self.at(*_RELATIONS):
            ops.append(_RELATIONS[self.take()[1]])
            operands.append(self.sets())
        self.depth -= 1
        return ("rel", tuple(ops), tuple(operands)) if ops else operands[0]

    def sets(self) -> Node:
        node = self.ratio()
        while self.at("cup", "cap", "setminus"):
            tag = {"cup": "union", "cap": "cap", "setminus": "minus"}[self.take()[1]]
            node = (tag, node, self.ratio())
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
            scale = _SCALES.get(self.peek()[1].casefold())
            if scale:
                self.take()
                node = ("mul", node, number(scale))
            unit = self.unit_words()
            if unit:
                node = ("unit", node, unit)
        if self.accept("%"):
            node = ("pct", node)
        return node

    def phrase(self) -> Node:
        """Words that are the answer, or its name before an equals sign."""
        found = []
        while self.peek()[0] in ("word", "var", "num") or self.at("-", "'", "."):
            found.append(self.take()[1].casefold())
        return ("text", " ".join(found))

    def unit_words(self) -> str:
        found: list[str] = []
        while True:
            kind, value = self.peek()
            if kind == "word" or (kind == "var" and found):
                if value.casefold() in _MEANINGFUL:
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

    # -- scalars

    def sum(self) -> Node:
        self.deeper()
        sign = self.sign()
        terms = [_signed(sign, self.term())]
        while self.at("+", "-", "pm", "mp"):
            sign = self.take()[1]
            terms.append(_signed(sign, self.term()))
        self.depth -= 1
        return terms[0] if len(terms) == 1 else ("add", *terms)

    def sign(self) -> str:
        sign = "+"
        while self.at("+", "-", "pm", "mp"):
            value = self.take()[1]
            if sign in ("pm", "mp") or (value in ("pm", "mp") and sign == "-"):
                raise Unreadable("two signs that do not combine")
            sign = {"+": sign, "-": "-" if sign == "+" else "+"}.get(value, value)
        return sign

    def term(self) -> Node:
        node = self.factor()
        while True:
            if self.accept("*"):
                node = _product(node, _signed(self.sign(), self.factor()))
            elif self.accept("/"):
                node = ("div", node, _signed(self.sign(), self.factor()))
            elif self.starts_factor():
                if self.peek()[0] == "num":
                    whole = self.mixed(node)
                    if whole is None:
                        raise Unreadable("two numbers side by side")
                    node = whole
                else:
                    before = self.tokens[self.position - 1]
                    right = self.factor()
                    node = _mixed(node, right, before) or _product(node, right)
            else:
                return node

    def mixed(self, node: Node) -> Node | None:
        """`3 3/8`: a whole number before a fraction of plain digits."""
        digits = [self.peek(ahead) for ahead in range(3)]
        if node[0] != "num" or [kind for kind, _ in digits] != ["num", "op", "num"] or digits[1][1] != "/":
            return None
        top, bottom = digits[0][1], digits[2][1]
        if not (top.isdigit() and bottom.isdigit() and node[1] > 0 and 0 < _integer(top) < _integer(bottom)):
            return None
        self.position += 3
        return number(node[1] + Fraction(_integer(top), _integer(bottom)))

    def starts_factor(self) -> bool:
        kind, value = self.peek()
        if kind in ("num", "var"):
            return True
        if kind == "begin":
            return value in _MATRICES
        if kind == "op":
            return value in ("(", "[", "{", "{*") or (value == "|" and not self.bars)
        return kind == "cmd" and (
            value in _FUNCTIONS or value in _NAMES or value in _ACCENTS or value in _OPEN
            or value in ("frac", "sqrt", "pi", "infty", "log", "binom", "emptyset")
        )  # fmt: skip

    def factor(self) -> Node:
        self.deeper()
        node = self.postfix(self.base())
        self.depth -= 1
        return node

    def postfix(self, node: Node) -> Node:
        while True:
            if self.accept("!"):
                node = ("fn", "factorial", node)
            elif self.accept("%"):
                node = ("pct", node)
            elif self.accept("degree"):
                node = ("deg", node)
            elif self.accept("^"):
                node = self.power(node)
            elif self.at("'", "prime"):
                node = ("sym", f"{_name(node)}{self.take()[1]}")
            elif self.at("_"):
                node = self.subscript(node)
            else:
                return node

    def power(self, node: Node) -> Node:
        if self.accept("degree"):
            return ("deg", node)
        if self.at("prime"):
            return ("sym", f"{_name(node)}{self.take()[1]}")
        if self.at("{") and self.peek(1) == ("cmd", "degree") and self.peek(2)[1] == "}":
            self.position += 3
            return ("deg", node)
        return ("pow", node, self.exponent())

    def exponent(self) -> Node:
        if self.at("{", "("):
            return self.postfix(self.base())
        return _signed(self.sign(), self.factor())

    def subscript(self, node: Node) -> Node:
        self.expect("_")
        start = self.position
        if self.accept("{"):
            while not self.at("}"):
                self.take()
            name = "".join(value for _, value in self.tokens[start + 1 : self.position])
            self.take()
        else:
            name = self.take()[1]
        if node[0] in ("num", "dec"):
            if not name.isdigit() or not 2 <= _integer(name) <= 36:
                raise Unreadable("a number with a subscript that is no base")
            return ("base", self.tokens[start - 2][1], _integer(name))
        return ("sym", f"{_name(node)}_{name}")

    def argument(self) -> Node:
        """What a LaTeX command takes: a group in braces, or one token, of a number only its first digit."""
        if self.at("{"):
            return self.group()
        kind, value = self.peek()
        if kind == "num" and len(value) > 1 and value.isdigit():
            self.tokens[self.position : self.position + 1] = [("num", value[0]), ("num", value[1:])]
        if kind in ("num", "var") or self.starts_factor():
            self.deeper()
            node = self.base()
            self.depth -= 1
            return node
        raise Unreadable(f"{value!r} where an argument belongs")

    def group(self) -> Node:
        self.expect("{")
        node = self.answer()
        self.expect("}")
        return node

    def base(self) -> Node:
        kind, value = self.take()
        if kind == "num":
            return self.numeral(value)
        if kind == "var":
            return self.letter(value)
        if kind == "begin":
            return self.matrix(value)
        if kind == "word":
            raise Unreadable(f"the word {value!r} inside an expression")
        if value == "{":
            self.position -= 1
            return self.group()
        if value == "|":
            self.bars += 1
            inner = self.answer()
            self.bars -= 1
            self.expect("|")
            return ("fn", "abs", inner)
        if value in _OPEN:
            return self.bracketed(value)
        if kind == "cmd":
            return self.command(value)
        raise Unreadable(f"{value!r} where a value belongs")

    def numeral(self, value: str) -> Node:
        if self.at("overline") and "." in value and self.peek(1)[1] == "{" and self.peek(2)[0] == "num":
            period = self.peek(2)[1]
            if self.peek(3)[1] != "}" or not period.isdigit():
                raise Unreadable("a repeating decimal without its digits")
            self.position += 4
            places = len(value.partition(".")[2])
            tail = Fraction(_integer(period), (10 ** len(period) - 1) * 10**places)
            return number(_decimal(value) + tail)
        return ("dec", _decimal(value)) if "." in value else number(_integer(value))

    def letter(self, value: str) -> Node:
        if value in ("e", "i") and not self.at("_"):
            return ("const", value)
        if value in _APPLIED and self.at("("):
            self.take()
            arguments = self.items()
            self.expect(")")
            return ("fn", "apply", ("sym", value), *arguments)
        return ("sym", value)

    def bracketed(self, opening: str) -> Node:
        if opening == "{*" and self.accept("*}"):
            return ("set",)
        bars, self.bars = self.bars, 0
        inner = self.answer()
        self.bars = bars
        kind, closing = self.take()
        if kind not in ("op", "cmd") or closing not in _OPEN.values():
            raise Unreadable(f"{opening!r} is not closed")
        if opening in ("lfloor", "lceil"):
            if closing != _OPEN[opening]:
                raise Unreadable(f"{opening!r} is not closed")
            return ("fn", {"lfloor": "floor", "lceil": "ceiling"}[opening], inner)
        if opening == "{*":
            if closing != "*}":
                raise Unreadable("a set that is not closed")
            return ("set", *inner[1:]) if inner[0] == "list" else ("set", inner)
        if opening == "langle" or closing == "rangle":
            opening, closing = "(", ")"
        if inner[0] == "list":
            return ("seq", opening, closing, *inner[1:])
        if _OPEN[opening] != closing:
            raise Unreadable(f"{opening!r} closed by {closing!r}")
        return inner

    def matrix(self, environment: str) -> Node:
        if environment not in _MATRICES:
            raise Unreadable(f"the environment {environment}")
        rows: list[tuple[Node, ...]] = []
        row: list[Node] = []
        while True:
            if self.peek()[0] == "end" and self.peek() is not _END:
                self.take()
                if row:
                    rows.append(tuple(row))
                if not rows or len({len(each) for each in rows}) != 1:
                    raise Unreadable("a matrix with rows of unequal length")
                return ("matrix", *rows)
            row.append(self.sum())
            if self.peek()[0] == "row":
                self.take()
                rows.append(tuple(row))
                row = []
            elif not self.accept("&") and self.peek()[0] != "end":
                raise Unreadable("a matrix entry that does not end")

    def command(self, name: str) -> Node:
        if name == "frac":
            return ("div", self.argument(), self.argument())
        if name == "sqrt":
            degree: Node | None = None
            if self.at("["):
                self.take()
                degree = self.sum()
                self.expect("]")
            inner = self.bracketed(self.take()[1]) if self.at("(") else self.argument()
            return ("fn", "root", inner, degree or number(2))
        if name == "pi":
            return ("const", "pi")
        if name == "infty":
            return INFINITY
        if name == "emptyset":
            return ("set",)
        if name == "binom":
            return ("fn", "binomial", self.argument(), self.argument())
        if name in _NAMES:
            return ("sym", name)
        if name in _ACCENTS:
            return ("sym", f"{name} {_name(self.argument())}")
        if name == "log":
            base = self.argument() if self.accept("_") else None
            return ("fn", "log", self.applied(), *([base] if base else []))
        if name in _FUNCTIONS:
            return self.function(name)
        raise Unreadable(f"the command {name}")

    def function(self, name: str) -> Node:
        power: Node | None = None
        if self.accept("^"):
            power = self.exponent()
            if power in (number(-1), ("neg", number(1))):
                if name not in _INVERSE:
                    raise Unreadable(f"the inverse of {name}")
                name, power = _INVERSE[name], None
        node: Node = ("fn", name, self.applied())
        return ("pow", node, power) if power else node

    def applied(self) -> Node:
        """A function's argument: what stands in brackets, else the product that follows, up to the next function."""
        self.deeper()
        if self.at("(", "{", "["):
            node = self.base()
        else:
            node = self.factor()
            while self.starts_factor() and not self.at("log", *_FUNCTIONS) and self.peek()[1] not in ("(", "["):
                node = _product(node, self.factor())
            while self.at("/"):
                self.take()
                node = ("div", node, self.factor())
        self.depth -= 1
        if node[0] in ("list", "seq", "rel"):
            raise Unreadable("a function of several values")
        return node


def _signed(sign: str, node: Node) -> Node:
    if sign == "-":
        return ("neg", node)
    return (sign, node) if sign in ("pm", "mp") else node


def _product(left: Node, right: Node) -> Node:
    return (*left, right) if left[0] == "mul" else ("mul", left, right)


def _mixed(whole: Node, part: Node, before: Token) -> Node | None:
    """A whole number directly before a proper fraction of whole numbers is a mixed number: 2 + 1/2."""
    if whole[0] == "num" and before[0] == "num" and part[0] == "div" and part[1][0] == part[2][0] == "num":
        top, bottom = part[1][1], part[2][1]
        if 0 < top < bottom:
            return number(whole[1] + top / bottom)
    return None


def _name(node: Node) -> str:
    """A name made of letters and digits, for what an accent, a prime or a subscript stands on."""
    if node[0] == "sym":
        return str(node[1])
    if node[0] == "const" and node[1] != "infty":
        return str(node[1])
    if node[0] == "mul":
        return "".join(_name(part) for part in node[1:])
    if node[0] == "num":
        return str(node[1])
    raise Unreadable("an accent, prime or subscript on an expression")


def _integer(digits: str) -> int:
    """The value of a string of digits of any length (Python refuses 4,300 and more at once)."""
    value = 0
    for start in range(0, len(digits), 4000):
        piece = digits[start : start + 4000]
        value = value * 10 ** len(piece) + int(piece)
    return value


def _decimal(text: str) -> Fraction:
    whole, _, places = text.partition(".")
    return Fraction(_integer(whole + places), 10 ** len(places))


__all__ = ["SHORT_UNITS", "parse", "read"]
