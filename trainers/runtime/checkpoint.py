"""Checkpoints: a Hugging Face model folder that any tool loads, with what a run needs to go on to the bit beside it.

A checkpoint is written under another name and renamed when whole, so a folder with a number for its name is whole.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers.utils import logging as transformers_logging

from harness.errors import RunFolderError

STATE = "trainer_state.pt"


def save(run: Path, step: int, model: Any, tokenizer: Any, optimizer: torch.optim.Optimizer) -> Path:
    """Writes `run/checkpoints/STEP/`: model, tokenizer, optimizer, random numbers, step. Whole or not at all."""
    final = run / "checkpoints" / str(step)
    part = final.with_name(f".{step}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        with _no_bars():
            model.save_pretrained(part)
        tokenizer.save_pretrained(part)
        state = {"step": step, "optimizer": optimizer.state_dict(), "rng": _rng()}
        torch.save(state, part / STATE)
        for file in part.iterdir():  # so that the rename never outlives the bytes in a power cut
            _sync(file)
        shutil.rmtree(final, ignore_errors=True)
        os.replace(part, final)
        _sync(final.parent)
    except OSError as error:
        raise RunFolderError(f"{final} cannot be written: {error.strerror or error}; make room and resume") from error
    return final


def latest(run: Path) -> Path | None:
    """The checkpoint with the most steps that can be resumed from; `None` where there is none."""
    found = [path for path in (run / "checkpoints").glob("*") if path.name.isdigit() and (path / STATE).is_file()]
    return max(found, key=lambda path: int(path.name), default=None)


def restore(checkpoint: Path, optimizer: torch.optim.Optimizer) -> int:
    """Puts back optimizer and random numbers; returns the number of steps done. The model is loaded from the folder."""
    state = torch.load(checkpoint / STATE, weights_only=True, map_location="cpu")
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["rng"]["cpu"])
    if torch.cuda.is_available() and state["rng"]["cuda"]:
        torch.cuda.set_rng_state_all(state["rng"]["cuda"])
    return int(state["step"])


@contextmanager
def _no_bars() -> Iterator[None]:
    """Keeps transformers from drawing its own progress bars."""
    before = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if before:
            transformers_logging.enable_progress_bar()


def _rng() -> dict[str, Any]:
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"cpu": torch.get_rng_state(), "cuda": cuda}


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
