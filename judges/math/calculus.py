"""Sums, integrals, limits and the like, read by math-verify's parser: all of the text, or none of it."""

from __future__ import annotations

from typing import Any

import sympy
from antlr4 import Token  # type: ignore[import-untyped]  # ships no types; math-verify brings it
from latex2sympy2_extended.latex2sympy2 import _Latex2Sympy
from latex2sympy2_extended.math_normalization import NormalizationConfig, normalize_latex
from math_verify import verify

from judges.math.algebra import vanishes
from judges.math.numbers import Undefined, exact
from judges.math.outcome import Decision
from judges.math.parse import read
from judges.math.tokens import clean
from judges.math.tree import NeedsAlgebra, TooBig, Unreadable

_NORMAL = NormalizationConfig(basic_latex=True, units=False, malformed_operators=True, nits=False, boxed="none")


def decide(target: str, answer: str) -> Decision:
    """The decision by math-verify's parser; an answer of which it reads only a part fails."""
    try:
        ours = whole(target)
    except Unreadable as error:
        return Decision("fail", f"not the same text, and the target cannot be read: {error}")
    try:
        exact(read(answer))
    except TooBig as error:
        return Decision("fail", f"the answer cannot be right: {error}")
    except (Unreadable, Undefined):
        pass  # it may still be in the other notation
    try:
        theirs = whole(answer)
    except Unreadable as error:
        return Decision("fail", f"not the same text, and the answer cannot be read: {error}")
    if isinstance(ours, sympy.Expr) and isinstance(theirs, sympy.Expr):
        try:
            same = vanishes(ours.doit() - theirs.doit())
        except TypeError:  # a matrix minus a number
            return Decision("fail", "another kind of value")
        except NeedsAlgebra:
            return Decision("unparsed", "neither proved equal nor told apart")
    else:
        same = bool(verify(ours, theirs, timeout_seconds=None, strict=True))  # our deadline holds
    return Decision("pass" if same else "fail", "the same value" if same else "another value")


def whole(text: str) -> Any:
    """The sympy object of a text that math-verify's grammar reads to its end. Raises `Unreadable`."""
    latex = normalize_latex(clean(text), _NORMAL)
    reader = _Latex2Sympy(is_real=True)
    try:
        parser = reader.create_parser(latex)
        parser.math()
        if parser.getCurrentToken().type != Token.EOF:
            raise Unreadable("only a part of it is an expression")
        return reader.parse(latex)
    except Unreadable:
        raise
    except Exception as error:  # the grammar raises bare `Exception` for bad input
        raise Unreadable(str(error).partition("\n")[0]) from error
