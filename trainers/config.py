"""Closed configs: an unknown key, a wrong type or value is one line that names file, key and the nearest valid key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from harness.errors import ConfigError, nearest


class Closed(BaseModel):
    """A frozen table of keys that refuses any other key."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=())


Config = TypeVar("Config", bound=Closed)


def validated(kind: type[Config], data: Mapping[str, Any], where: str) -> Config:
    """The mapping as a `kind`. Raises `ConfigError`, `where: key: what is wrong`, for everything wrong at once."""
    try:
        return kind.model_validate(dict(data))
    except ValidationError as error:
        lines = [_line(kind, detail) for detail in error.errors(include_url=False)]
        raise ConfigError(f"{where}: {'; '.join(lines)}") from error


def _line(kind: type[Closed], detail: ErrorDetails) -> str:
    path = [str(part) for part in detail["loc"]]
    key = ".".join(path) or "config"
    match detail["type"]:
        case "extra_forbidden":
            keys = _keys(kind, path[:-1])
            close = nearest(path[-1], keys, count=1)
            hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(keys)}"
            return f"{key}: unknown key; {hint}"
        case "missing":
            return f"{key}: missing"
        case "value_error":
            return f"{key}: {detail['ctx']['error']}"
        case _:
            return f"{key}: {detail['msg'][:1].lower()}{detail['msg'][1:]}, this is {detail['input']!r}"


def _keys(kind: type[Closed], path: list[str]) -> list[str]:
    """The valid keys of the table at `path` below `kind`."""
    for part in path:
        field = kind.model_fields.get(part)
        options = [] if field is None else [field.annotation, *get_args(field.annotation)]
        kind = next((one for one in options if isinstance(one, type) and issubclass(one, Closed)), kind)
    return sorted(kind.model_fields)


class Init(Closed):
    """A Llama-style model from nothing: `hidden` wide, `layers` deep, `heads` heads, tied embeddings.

    A head needs 32 dimensions or more, or vLLM will not load it.
    """

    hidden: int = Field(128, ge=32)
    layers: int = Field(3, ge=1)
    heads: int = Field(4, ge=1)
    ffn: int = Field(384, ge=1)

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.hidden % self.heads or self.hidden // self.heads < 32:
            raise ValueError(f"hidden {self.hidden} over {self.heads} heads: each needs the same 32 or more dimensions")
        return self


class Policy(Closed):
    """The model to train: `model`, an `hf:` folder or id with its own tokenizer, or `init`, a new one, whose
    `tokenizer` is `micro`. `dtype` is the arithmetic of forward passes (autocast); weights and optimizer stay
    float32."""

    model: str | None = None
    init: Init | None = None
    tokenizer: Literal["micro"] | None = None
    dtype: Literal["float32", "bfloat16"] = "float32"

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.model is None) == (self.init is None):
            raise ValueError("give either model (hf:PATH) or init (a new model)")
        if (self.init is None) != (self.tokenizer is None):
            raise ValueError("a new model (init) needs a tokenizer (micro); a given one (model) brings its own")
        return self
