"""One answer against one target, from texts to a decision; the same steps in this process and in a worker."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from harness.records import Outcome
from judges.math import quick
from judges.math.conditions import conditions
from judges.math.numbers import Undefined
from judges.math.outcome import Decision
from judges.math.parse import read
from judges.math.structure import Decider
from judges.math.tokens import Token, key, letters, tokenize
from judges.math.tree import NeedsAlgebra, Node, Refused, Rules, TooBig, Unreadable, words

# What asks for a computation. A response that holds one which its target does not, restates the question.
CALCULUS = words("int iint oint sum prod lim limsup liminf max min sup gcd lcm det mod pmod partial nabla coprod")
_DERIVATIVE = (["frac", "d", "d"], ["d", "/", "d"])
_PLAIN = re.compile(r"-?[0-9]{1,300}(?:\.[0-9]{1,300})?")
_DECIMAL_COMMA = re.compile(r"-?[0-9]+,[0-9]{2}")
_DECIMAL_POINT = re.compile(r"-?[0-9]+\.[0-9]+")
_JOINED = re.compile(r"\b(?:and|or)\b")  # lists make no difference between them; conditions do
_INEQUALITY = {("op", "<"), ("op", ">"), ("cmd", "le"), ("cmd", "ge")}
_LABEL = re.compile(
    r"\\(?:textbf|text|mathrm|mathbf)\s?\{\s*\(?([A-F])\)\s*~?\}((?:\\[ ,;]|\\q?quad|~|\s)*[-$\\0-9].*)"
)
_OPTION = re.compile(r"\([A-F]\)|\b(?:or|and|not|[A-F])\b")  # a second label, or a choice
_LETTER = re.compile(r"(?:\\[a-z]+\s?\{\s*)?\(?[A-F]\)?\s*\}?\.?")
_FLOAT = re.compile(r"(?<![0-9A-Za-z.,_^])([0-9]+)(?:\.([0-9]+))?[eE]([+-]?[0-9]{1,9})(?!\.?[0-9A-Za-z]|[\^_!({])")
_EULER = re.compile(r"(?<![\\A-Za-z])e(?![A-Za-z])")
_THREES = re.compile(r"[1-9][0-9]{0,2}(?:,[1-9][0-9]{2})+")


def decide(target: str, answer: str, rules: Rules) -> Decision | None:
    """The decision, or `None` where algebra is needed."""
    return _decide(target, answer, rules, quick.decider(rules))


def same_text(target: str, answer: str) -> bool:
    """Whether two short texts are the same word for word."""
    return key(tokenize(target)) == key(tokenize(answer))


def in_worker(item: tuple[str, str, Mapping[str, Any]]) -> tuple[Outcome, str]:
    """The decision with algebra at hand. Runs in a worker process: it may take long, or never end."""
    target, answer, given = item
    rules = Rules(**given)
    algebra = importlib.import_module("judges.math.algebra")  # imports sympy, which only workers pay for
    decision = _decide(target, answer, rules, algebra.decider(rules))
    if decision is None and _calculus(target):
        decision = importlib.import_module("judges.math.calculus").decide(target, answer)
    return decision or Decision("unparsed", "they agree to fifty digits, and no proof was found")


def _decide(target: str, answer: str, rules: Rules, decider: Decider) -> Decision | None:
    if target.strip() == answer.strip():
        return Decision("pass", "the same text")
    target, answer = _floats(*_unlabelled(target, answer))
    if rules.precision is None and _PLAIN.fullmatch(target) and _PLAIN.fullmatch(answer):
        same = Fraction(target) == Fraction(answer)
        return Decision("pass", "the same number") if same else Decision("fail", "another number")
    try:
        wanted, given = tokenize(target), tokenize(answer)
    except TooBig as error:
        return Decision("fail", f"not the same text, and too long to read ({error})")
    ours_joined, theirs_joined = _conditions(target, wanted), _conditions(answer, given)
    other_words = _INEQUALITY & set(wanted) and _JOINED.findall(target) != _JOINED.findall(answer) != []
    if other_words and not (ours_joined or theirs_joined):
        return Decision("fail", "conditions joined by another word")
    if not other_words and key(wanted) == key(given):
        return Decision("pass", "the same text")
    if any(kind == "word" for kind, _ in (*wanted, *given)) and letters(wanted) == letters(given) != "":
        return Decision("pass", "the same words")
    operators = _operators(given) - _operators(wanted)
    if operators:
        return Decision("fail", f"unevaluated: it leaves {', '.join(sorted(operators))} to be computed")
    if "d/dx" in _operators(wanted):
        return None  # never a fraction of the products of d
    try:
        ours = ours_joined or read(target)
    except (Unreadable, TooBig) as error:
        return _unread(wanted, given, error)
    try:
        theirs = theirs_joined or read(answer)
    except (Unreadable, TooBig) as error:
        return Decision("fail", f"not the same text, and the answer cannot be read: {error}")
    ours, theirs = _comma(target, answer, ours, theirs)
    try:
        same = decider.same(ours, theirs)
    except NeedsAlgebra:
        return None
    except Refused as error:
        return Decision("fail", f"the answer cannot be right: {error}")
    except Unreadable as error:
        return Decision("fail", f"they cannot be compared: {error}")
    except (TooBig, Undefined) as error:
        return Decision("unparsed", f"out of reach: {error}")
    return Decision("pass", "the same value") if same else Decision("fail", "another value")


def _conditions(text: str, tokens: tuple[Token, ...]) -> Node | None:
    return conditions(text) if _INEQUALITY & set(tokens) else None


def _unlabelled(target: str, answer: str) -> tuple[str, str]:
    """Of `\\textbf{(C)}\\ 12` the letter where the other side is one, else the value; two labels stay."""
    pair = [target, answer]
    for one, other in ((0, 1), (1, 0)):
        label = _LABEL.fullmatch(pair[one].strip())
        if label and not _LABEL.fullmatch(pair[other].strip()) and not _OPTION.search(label[2]):
            pair[one] = label[1] if _LETTER.fullmatch(pair[other].strip()) else label[2]
    return pair[0], pair[1]


def _floats(target: str, answer: str) -> tuple[str, str]:
    """`2.5E-4` written out, unless one side holds Euler's number, which makes `2e-1` mean 2e - 1."""
    if not (_FLOAT.search(target) or _FLOAT.search(answer)):
        return target, answer
    if _EULER.search(_FLOAT.sub("", target)) or _EULER.search(_FLOAT.sub("", answer)):
        return target, answer
    return _FLOAT.sub(_written_out, target), _FLOAT.sub(_written_out, answer)


def _written_out(match: re.Match[str]) -> str:
    whole, places, exponent = match[1], match[2] or "", int(match[3])
    if abs(exponent) > 400 or len(match[0]) > 400:
        return rf"({whole}.{places or 0} \cdot 10^{{{exponent}}})"
    digits = whole + places
    point = len(whole) + exponent
    digits = "0" * max(0, 1 - point) + digits + "0" * max(0, point - len(digits))
    point = max(point, 1)
    return digits[:point] + ("." + digits[point:] if digits[point:] else "")


def _comma(target: str, answer: str, ours: Node, theirs: Node) -> tuple[Node, Node]:
    """The other reading of a comma where the other side asks for it: of `1,22` by 1.22, of `100,200` by a list."""
    pair = [text.strip().strip("$") for text in (target, answer)]
    for index in (0, 1):
        if _DECIMAL_COMMA.fullmatch(pair[index]) and _DECIMAL_POINT.fullmatch(pair[1 - index]):
            pair[index] = pair[index].replace(",", ".")
            return read(pair[0]), read(pair[1])
    if theirs[0] in ("list", "set") and _THREES.fullmatch(pair[0]) and len(theirs) == pair[0].count(",") + 2:
        return read(pair[0].replace(",", ", ")), theirs
    return ours, theirs


def _unread(wanted: tuple[Token, ...], given: tuple[Token, ...], error: Exception) -> Decision | None:
    if _operators(wanted) and not any(kind == "word" for kind, _ in (*wanted, *given)):
        return None
    if any(kind == "word" for kind, _ in wanted):
        return Decision("fail", "not the same words")
    return Decision("unparsed", f"not the same text, and the target cannot be read: {error}")


def _operators(tokens: tuple[Token, ...]) -> frozenset[str]:
    found = {value for kind, value in tokens if kind == "cmd" and value in CALCULUS}
    if ("begin", "vmatrix") in tokens:
        found.add("a determinant")
    values = [value for _, value in tokens if value not in "{}"]
    if any(values[at : at + 3] in _DERIVATIVE and values[at + 3].isalpha() for at in range(len(values) - 3)):
        found.add("d/dx")
    return frozenset(found)


def _calculus(target: str) -> bool:
    return bool(_operators(tokenize(target)))
