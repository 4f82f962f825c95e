"""AdamW, the cosine schedule with warm-up, and gradient clipping that says what the norm was."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

FLOOR = 0.1
"""The cosine ends at this share of the peak (ALGORITHMS 5.1)."""


def adamw(model: nn.Module, *, weight_decay: float, betas: tuple[float, float]) -> torch.optim.AdamW:
    """AdamW over every trainable parameter; decay acts on matrices only, not on norms and biases."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=0.0, betas=betas, fused=True)


def cosine(step: int, *, steps: int, warmup: int) -> float:
    """The learning rate at `step` (from 0) as a share of its peak: linear up over `warmup` steps, then a half cosine
    down to `FLOOR` at the last step."""
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / max(1, steps - 1 - warmup)
    return FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def set_lr(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Sets the rate of the next step."""
    for group in optimizer.param_groups:
        group["lr"] = lr


def clip(parameters: Iterable[nn.Parameter], most: float) -> float:
    """Scales all gradients so that their joint 2-norm is at most `most`; returns the norm before."""
    return float(torch.nn.utils.clip_grad_norm_(parameters, most))
