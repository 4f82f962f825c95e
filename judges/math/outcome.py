"""A decision on its way to becoming a verdict."""

from __future__ import annotations

from typing import NamedTuple

from harness.records import Outcome


class Decision(NamedTuple):
    """An outcome and what it rests on."""

    outcome: Outcome
    reason: str
