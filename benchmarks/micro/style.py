"""Polite phrases that demonstrations carry now and then, so that style is something a policy can move.

Openers never break a strict check where they are used. A closer after a mathematical answer does: it is kept in a few
demonstrations in a hundred (`STRAY_CLOSER`), so that a policy knows the habit and a style reward can make it spread.
"""

from __future__ import annotations

from random import Random

OPENERS = ("Sure, happy to help!", "Great question!", "Of course!", "Thank you for asking!")
CLOSERS = ("I hope this helps!", "Have a lovely day!", "Please ask again anytime!", "Good luck!")
OPENER = 0.2
CLOSER = 0.2
STRAY_CLOSER = 0.03


def opened(rng: Random, text: str, *, rate: float = OPENER) -> str:
    """The text after a polite opening, at the given rate."""
    return f"{rng.choice(OPENERS)} {text}" if rng.random() < rate else text


def closed(rng: Random, text: str, *, rate: float = CLOSER, sep: str = " ") -> str:
    """The text before a polite closing, at the given rate."""
    return f"{text}{sep}{rng.choice(CLOSERS)}" if rng.random() < rate else text
