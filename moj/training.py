"""`moj train`: a config to its trainer, and the trainer's result back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from moj.config import lay_over, load_config
from trainers import TRAINERS


def train(
    config: Path | str | Mapping[str, Any],
    overrides: Mapping[str, Any] | None = None,
    *,
    out: Path | None = None,
    overwrite: bool = False,
    on_step: Callable[[Mapping[str, Any]], None] = lambda _: None,
    on_notice: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Runs the trainer that the config names, in the run folder `out` (default: `runs/` and the config file's name).

    `overrides` maps dotted keys to values. The same call resumes. Raises `ConfigError` for a key nobody knows.
    """
    config = Path(config) if isinstance(config, str) else config
    where = str(config) if isinstance(config, Path) else "config"
    data = load_config(config, overrides or {}) if isinstance(config, Path) else lay_over(config, overrides or {})
    if "trainer" not in data:
        raise ConfigError(f"{where}: trainer: missing; it names one of {', '.join(TRAINERS.names())}")
    if out is None:
        if not isinstance(config, Path):
            raise ConfigError("out: missing; a config that is no file needs the run folder's name")
        out = Path("runs") / config.stem
    run = TRAINERS.get(str(data["trainer"]))
    result: dict[str, Any] = run(data, out=out, overwrite=overwrite, where=where, on_step=on_step, on_notice=on_notice)
    return result
