"""Errors by the boundary they crossed. A `MojError` is told to the user in one line, without a traceback."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MojError(Exception):
    """A user's mistake, or a condition only the user can mend. The message says what, where and what to do."""


class UnknownNameError(MojError):
    """A name that no registry entry, config key or option carries."""


class ConfigError(MojError):
    """A config file or option with a wrong key, type or value."""


class DataError(MojError):
    """A data file that is missing, unreadable or of another shape than its reader expects."""


class ModelError(MojError):
    """A model, tokenizer or chat template that is missing or cannot do what was asked."""


class RunFolderError(MojError):
    """A run folder that cannot be written, or that was made by another config."""


class JudgeError(MojError):
    """A judge that cannot work at all here (missing extra, refused sandbox grade, wrong options)."""


class MissingExtraError(MojError):
    """An optional dependency that is not installed; names the command that adds it."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed: pip install 'mixture-of-judges[{extra}]'")


def nearest(name: str, known: Iterable[str], *, count: int = 3) -> list[str]:
    """The known names most like `name`, best first; empty where nothing is close."""
    return difflib.get_close_matches(name, list(known), n=count, cutoff=0.5)


def unknown(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """An error for a name nobody knows, with the nearest known names, or all of them where none is near."""
    names = sorted(known)
    close = nearest(name, names)
    hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(names) or 'none'}"
    return UnknownNameError(f"unknown {kind} {name!r}; {hint}")
