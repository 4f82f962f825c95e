"""What a model's tokens cost: a table of list prices, the user's own prices first, and "unknown" instead of 0."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.errors import ConfigError
from harness.records import Usage

AS_OF = "2025-08"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens read (`input`) and written (`output`)."""

    input: float
    output: float

    def cost(self, usage: Usage) -> float:
        """US dollars for one response."""
        return (usage.prompt_tokens * self.input + usage.completion_tokens * self.output) / 1e6


# The provider's list prices as of AS_OF, without cache or batch rebates. They change: `prices` overrides them.
LISTED: Mapping[str, Price] = {
    "gpt-3.5-turbo": Price(0.50, 1.50),
    "gpt-4": Price(30.0, 60.0),
    "gpt-4-1106-preview": Price(10.0, 30.0),
    "gpt-4-0125-preview": Price(10.0, 30.0),
    "gpt-4-turbo": Price(10.0, 30.0),
    "gpt-4o": Price(2.50, 10.0),
    "gpt-4o-2024-05-13": Price(5.0, 15.0),
    "gpt-4o-mini": Price(0.15, 0.60),
    "gpt-4.1": Price(2.0, 8.0),
    "gpt-4.1-mini": Price(0.40, 1.60),
    "gpt-4.1-nano": Price(0.10, 0.40),
    "gpt-5": Price(1.25, 10.0),
    "gpt-5-mini": Price(0.25, 2.0),
    "gpt-5-nano": Price(0.05, 0.40),
    "o3": Price(2.0, 8.0),
    "o3-mini": Price(1.10, 4.40),
    "o4-mini": Price(1.10, 4.40),
}


def find(model: str, own: Mapping[str, Price], *, listed: bool) -> tuple[Price | None, str]:
    """The price of `model` and where it is from; `None` where it is unknown.

    The user's `own` prices come first; the table is looked at only where `listed` says that its provider is asked. A
    dated snapshot (`gpt-4o-2024-11-20`) has its model's price unless it is listed itself.
    """
    if model in own:
        return own[model], "option prices"
    if listed:
        for name in (model, re.sub(r"-\d{4}-\d{2}-\d{2}$", "", model)):
            if name in LISTED:
                return LISTED[name], f"list price of {name} as of {AS_OF}"
    return None, 'unknown; give prices={"MODEL": {"input": USD, "output": USD}} (per million tokens) or a YAML file'


def read(prices: Mapping[str, Any] | str | None) -> dict[str, Price]:
    """The user's prices from a mapping or a YAML file of `model: {input: USD, output: USD}` per million tokens.

    Raises `ConfigError` for a missing or broken file, another shape, or a number that is no price.
    """
    if prices is None:
        return {}
    where = "option prices"
    table: Any = prices
    if isinstance(prices, str):
        where = prices
        try:
            table = yaml.safe_load(Path(prices).read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"prices file {prices} cannot be read: {error}") from error
        except yaml.YAMLError as error:
            raise ConfigError(f"prices file {prices} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(table, Mapping):
        raise ConfigError(f"{where}: expected model: {{input: USD, output: USD}}, got {type(table).__name__}")
    return {str(model): _price(f"{where}: {model}", row) for model, row in table.items()}


def _price(where: str, row: Any) -> Price:
    if not isinstance(row, Mapping) or set(row) != {"input", "output"}:
        raise ConfigError(f"{where}: expected the keys input and output (USD per million tokens), got {row!r}")
    for key, value in row.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
            raise ConfigError(f"{where}: {key} is {value!r}, not a price in USD per million tokens")
    return Price(float(row["input"]), float(row["output"]))
