"""Engine options (`--model-arg KEY=VALUE`): checked against a closed model, told to the user by the nearest key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import ConfigError, nearest

M = TypeVar("M", bound=BaseModel)


def parse(model: type[M], engine: str, options: Mapping[str, Any]) -> M:
    """The options as `model`. Raises `ConfigError` naming the unknown key and its nearest, or the wrong value."""
    for key in options:
        if key not in model.model_fields:
            close = nearest(key, model.model_fields)
            known = ", ".join(model.model_fields) or "none"
            hint = f"did you mean {' or '.join(close)}?" if close else f"known: {known}"
            raise ConfigError(f"{engine} has no option {key!r}; {hint}")
    try:
        return model.model_validate(dict(options))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "options"
        raise ConfigError(f"{engine} option {where}: {first['msg']}, got {first['input']!r}") from error
