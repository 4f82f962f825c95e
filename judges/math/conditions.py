"""Inequalities joined by words: `x < 1 or x > 2` is their union, `x > 1 and x < 2` their intersection."""

from __future__ import annotations

import re

from judges.math.parse import read
from judges.math.tokens import clean
from judges.math.tree import Node, TooBig, Unreadable

MAX_PARTS = 16


def _word(word: str, sign: str) -> re.Pattern[str]:
    return re.compile(
        rf"\\(?:text|mathrm|mbox)\s?\{{\s*,?\s*{word}\s*\}}|(?<![\\A-Za-z]){word}(?![A-Za-z])|{sign}(?![A-Za-z])"
    )


_OR = _word("or", r"\\(?:lor|vee)")
_AND = _word("and", r"\\(?:land|wedge)")


def conditions(text: str) -> Node | None:
    """("any", ...) or ("all", ...) of two and more relations, "and" binding closer; `None` for any other text."""
    text = clean(text)
    return _joined("any", _OR.split(text)) if _OR.search(text) else _joined("all", _AND.split(text))


def _joined(tag: str, parts: list[str]) -> Node | None:
    if not 2 <= len(parts) <= MAX_PARTS:
        return None
    found: list[Node] = []
    for part in parts:
        try:
            node = conditions(part) if tag == "any" and _AND.search(part) else read(part)
        except (Unreadable, TooBig):
            return None
        if node is None or node[0] not in ("rel", "all"):
            return None
        found.append(node)
    return (tag, *found)
