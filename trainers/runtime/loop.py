"""The loop that steps any objective: accumulate, check, clip, step, log, save. Knows no algorithm."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from harness.errors import MojError
from trainers.runtime.optim import clip, set_lr

Metrics = dict[str, float]


@dataclass(frozen=True, slots=True)
class Part:
    """One backward pass of a step.

    `loss` () is this part's share: the sum over a step's parts is the step's loss, so parts divide by global counts.
    `terms` maps a name to one value per example (B,), checked to be finite; `where` (B) names the examples. `tokens`
    counts what was processed; `metrics` are summed over the parts.
    """

    loss: Tensor
    terms: Mapping[str, Tensor]
    where: Sequence[str]
    tokens: int
    metrics: Mapping[str, float] = field(default_factory=dict)


def fit(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    parts: Callable[[int], Iterable[Part]],
    *,
    first: int,
    steps: int,
    lr: Callable[[int], float],
    max_norm: float,
    on_step: Callable[[int, Metrics], None],
) -> None:
    """Takes steps `first` to `steps` - 1 (counted from 0); `on_step(done, metrics)` follows each, `done` from 1.

    Raises `MojError` before the step is taken where a loss or gradient is not finite, naming the step, the term and
    the examples; the weights are then still those of the step before.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for step in range(first, steps):
        began = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss, tokens, sums = 0.0, 0, dict[str, float]()
        for part in parts(step):
            _check(part, step + 1)
            torch.autograd.backward(part.loss)
            loss += float(part.loss.detach())
            tokens += part.tokens
            for name, value in part.metrics.items():
                sums[name] = sums.get(name, 0.0) + value
        norm = clip(parameters, max_norm)
        if not norm < float("inf"):
            raise MojError(f"step {step + 1}: the gradient's norm is {norm}, though every loss was finite; lower lr")
        rate = lr(step)
        set_lr(optimizer, rate)
        optimizer.step()
        seconds = time.perf_counter() - began
        on_step(
            step + 1,
            {
                "loss": loss,
                "grad_norm": norm,
                "lr": rate,
                **sums,
                "tokens": tokens,
                "tokens_per_second": tokens / seconds,
            },
        )


def _check(part: Part, step: int) -> None:
    for name, values in part.terms.items():
        finite = torch.isfinite(values)
        if not bool(finite.all()):
            bad = [
                (where, value) for where, value, ok in zip(part.where, values.tolist(), finite, strict=True) if not ok
            ]
            shown = ", ".join(f"{where} ({value})" for where, value in bad[:5])
            more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
            raise MojError(f"step {step}: the {name} is not finite for {shown}{more}; lower lr, or look at these rows")
