"""Units: a number's unit may be left out, and two that are given must agree."""

from __future__ import annotations

_SAME = (
    "cm centimeter centimetre", "mm millimeter millimetre", "km kilometer kilometre", "m meter metre", "dm decimeter",
    "in inch inche inches", "ft foot feet", "yd yard", "mi mile", "kg kilogram", "g gram gm", "mg milligram",
    "lb pound lbs", "oz ounce", "h hr hour", "min minute", "s sec second", "ms millisecond", "day", "week", "month",
    "year yr", "cent ¢", "dollar usd", "l liter litre", "ml milliliter millilitre", "gal gallon", "am", "pm", "mph",
    "kph", "degree deg", "radian rad",
    # not units, but words after a number that tell two answers apart
    "noon", "midnight", "north", "south", "east", "west", "up", "down", "left", "right", "profit gain", "loss",
    "increase", "decrease", "clockwise", "counterclockwise", "bc bce", "ad ce", "heads", "tails",
)  # fmt: skip
_NAMES = {word: group.split()[0] for group in _SAME for word in group.split()}


def clash(ours: str, theirs: str) -> bool:
    """Whether both name a unit that we know, and not the same one. Words that we do not know decide nothing."""
    left, right = known(ours), known(theirs)
    return bool(left and right and left != right)


def known(words: str) -> frozenset[str]:
    """The units that a phrase names."""
    names = {_name(word) for word in words.split()}
    return frozenset(name for name in names if name)


def _name(word: str) -> str:
    return _NAMES.get(word) or (_NAMES.get(word[:-1], "") if word.endswith("s") else "")
