"""A training config: one YAML file, dotted `key=value` overrides on top, nothing else."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from harness.errors import ConfigError


def load_config(path: Path, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping in the file with the overrides laid over it. Raises `ConfigError` naming file, line and key."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; moj train takes a YAML file") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start})") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ConfigError(f"{path}:{line}: not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML: {error}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: holds {type(data).__name__}, not keys and values; it begins with trainer: NAME")
    return lay_over(data, overrides)


def lay_over(config: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The config with values laid over it by dotted key. Raises `ConfigError` for a key below a plain value."""
    data = copy.deepcopy(dict(config))
    for key, value in overrides.items():
        _lay(data, key, value)
    return data


def _lay(data: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, last = dotted.split(".")
    place = data
    for depth, parent in enumerate(parents):
        below = place.setdefault(parent, {})
        if below is None:
            below = place[parent] = {}
        if not isinstance(below, dict):
            held = ".".join(parents[: depth + 1])
            raise ConfigError(f"{dotted}: {held} is {below!r}, which has no keys of its own")
        place = below
    place[last] = value
