"""Trainers update a policy. One algorithm a file; maths in `objectives/`, plumbing in `runtime/`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.registry import Registry

TRAINERS: Registry[Callable[..., Any]] = Registry("trainer")
TRAINERS.add("sft", "trainers.sft:train", "supervised fine-tuning on response tokens")
