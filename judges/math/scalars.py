"""Numbers, letters, functions and brackets: the rules of the grammar from a sum downwards."""

from __future__ import annotations

from fractions import Fraction

from judges.math.cursor import END, Cursor, decimal, integer, mixed_number, name_of, product, signed
from judges.math.lexicon import ACCENTS, APPLICABLE, APPLIED, BRACKETS, INVERSE, LETTERS, MATRICES, SYSTEMS
from judges.math.matrices import determinant
from judges.math.tree import INFINITY, REALS, Node, Unreadable, number


class Scalars(Cursor):
    """Rules from a sum to a digit. What stands in brackets may be any answer, so those rules call back."""

    def answer(self) -> Node:
        """A whole answer, with its commas and relations."""
        raise NotImplementedError

    def items(self) -> list[Node]:
        """Answers set apart by commas."""
        raise NotImplementedError

    def sum(self) -> Node:
        self.deeper()
        sign = self.sign()
        terms = [signed(sign, self.term())]
        while self.at("+", "-", "pm", "mp"):
            sign = self.take()[1]
            terms.append(signed(sign, self.term()))
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
                node = product(node, signed(self.sign(), self.factor()))
            elif self.accept("/"):
                node = ("div", node, signed(self.sign(), self.factor()))
            elif self.starts_factor():
                if self.peek()[0] == "num" and not self.between_factorials():
                    whole = self.mixed(node)
                    if whole is None:
                        raise Unreadable("two numbers side by side")
                    node = whole
                else:
                    before = self.tokens[self.position - 1]
                    right = self.factor()
                    node = mixed_number(node, right, before) or product(node, right)
            else:
                return node

    def between_factorials(self) -> bool:
        """`3!7!` is a product; `3!7` and `3 7!` are two numbers side by side."""
        return self.tokens[self.position - 1] == self.peek(1) == ("op", "!")

    def mixed(self, node: Node) -> Node | None:
        """`3 3/8`: a whole number before a fraction of plain digits."""
        digits = [self.peek(ahead) for ahead in range(3)]
        if node[0] != "num" or [kind for kind, _ in digits] != ["num", "op", "num"] or digits[1][1] != "/":
            return None
        top, bottom = digits[0][1], digits[2][1]
        if not (top.isdigit() and bottom.isdigit() and node[1] > 0 and 0 < integer(top) < integer(bottom)):
            return None
        self.position += 3
        return number(node[1] + Fraction(integer(top), integer(bottom)))

    def starts_factor(self) -> bool:
        kind, value = self.peek()
        if kind in ("num", "var"):
            return True
        if kind == "begin":
            return value in MATRICES or value in SYSTEMS
        if kind == "op":
            return value in ("(", "[", "{", "{*") or (value == "|" and not self.bars)
        return kind == "cmd" and (
            value in APPLICABLE or value in LETTERS or value in ACCENTS or value in BRACKETS
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
                node = ("sym", f"{name_of(node)}{self.take()[1]}")
            elif self.at("_"):
                node = self.subscript(node)
            else:
                return node

    def power(self, node: Node) -> Node:
        if self.accept("degree"):
            return ("deg", node)
        if self.at("prime"):
            return ("sym", f"{name_of(node)}{self.take()[1]}")
        if self.at("{") and self.peek(1) == ("cmd", "degree") and self.peek(2)[1] == "}":
            self.position += 3
            return ("deg", node)
        if node[0] == "matrix":
            return self.matrix_power(node)
        return ("pow", node, self.exponent())

    def matrix_power(self, node: Node) -> Node:
        """A transpose, or a small whole power written out as a product."""
        exponent = self.exponent()
        if exponent in (("sym", "T"), ("sym", "intercal"), ("sym", "t")):
            return ("matrix", *zip(*node[1:], strict=True))
        if exponent[0] != "num" or not 1 <= exponent[1] <= 12:
            raise Unreadable("this power of a matrix")
        return ("mul", *[node] * int(exponent[1])) if exponent[1] > 1 else node

    def exponent(self) -> Node:
        if self.at("{", "("):
            return self.postfix(self.base())
        return signed(self.sign(), self.factor())

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
            if not name.isdigit() or not 2 <= integer(name) <= 36:
                raise Unreadable("a number with a subscript that is no base")
            return ("base", self.tokens[start - 2][1], integer(name))
        return ("sym", f"{name_of(node)}_{name}")

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
        if value in BRACKETS:
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
            tail = Fraction(integer(period), (10 ** len(period) - 1) * 10**places)
            return number(decimal(value) + tail)
        return ("dec", decimal(value)) if "." in value else number(integer(value))

    def letter(self, value: str) -> Node:
        if value in ("e", "i") and not self.at("_"):
            return ("const", value)
        if value in APPLIED and self.at("("):
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
        if kind not in ("op", "cmd") or closing not in BRACKETS.values():
            raise Unreadable(f"{opening!r} is not closed")
        if opening in ("lfloor", "lceil"):
            if closing != BRACKETS[opening]:
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
        if BRACKETS[opening] != closing:
            raise Unreadable(f"{opening!r} closed by {closing!r}")
        return inner

    def matrix(self, environment: str) -> Node:
        if environment in SYSTEMS:
            return self.system()
        if environment not in MATRICES:
            raise Unreadable(f"the environment {environment}")
        rows: list[tuple[Node, ...]] = []
        row: list[Node] = []
        while True:
            if self.peek()[0] == "end" and self.peek() is not END:
                self.take()
                if row:
                    rows.append(tuple(row))
                if not rows or len({len(each) for each in rows}) != 1:
                    raise Unreadable("a matrix with rows of unequal length")
                if environment == "vmatrix":
                    return determinant(("matrix", *rows))
                return ("matrix", *rows)
            row.append(self.sum())
            if self.peek()[0] == "row":
                self.take()
                rows.append(tuple(row))
                row = []
            elif not self.accept("&") and self.peek()[0] != "end":
                raise Unreadable("a matrix entry that does not end")

    def system(self) -> Node:
        """The lines of a `cases` environment as a list."""
        found = self.items()
        while self.peek()[0] == "row":
            self.take()
            if self.peek()[0] != "end":
                found += self.items()
        if self.take()[0] != "end":
            raise Unreadable("a system whose lines do not end")
        return ("list", *found)

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
        if name in LETTERS or name == "intercal":
            return ("sym", name)
        if name in ACCENTS:
            letter = name_of(self.argument())
            return REALS if (name, letter) == ("mathbb", "R") else ("sym", f"{name} {letter}")
        if name == "log":
            base = self.argument() if self.accept("_") else None
            return ("fn", "log", self.applied(), *([base] if base else []))
        if name in APPLICABLE:
            return self.function(name)
        raise Unreadable(f"the command {name}")

    def function(self, name: str) -> Node:
        power: Node | None = None
        if self.accept("^"):
            power = self.exponent()
            if power in (number(-1), ("neg", number(1))):
                if name not in INVERSE:
                    raise Unreadable(f"the inverse of {name}")
                name, power = INVERSE[name], None
        node: Node = ("fn", name, self.applied())
        return ("pow", node, power) if power else node

    def applied(self) -> Node:
        """A function's argument: what stands in brackets, else the product that follows, up to the next function."""
        self.deeper()
        if self.at("(", "{", "["):
            node = self.base()
        else:
            node = self.factor()
            while self.starts_factor() and not self.at("log", *APPLICABLE) and self.peek()[1] not in ("(", "["):
                node = product(node, self.factor())
            while self.at("/"):
                self.take()
                node = ("div", node, self.factor())
        self.depth -= 1
        if node[0] in ("list", "seq", "rel"):
            raise Unreadable("a function of several values")
        return node
