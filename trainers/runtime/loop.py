"""The loop that steps any objective: accumulate, check, clip, step, log. Knows no algorithm."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from harness.errors import MojError
from trainers.runtime.optim import clip, set_lr

Metrics = dict[str, float]
Gradients = tuple[Tensor | None, ...]


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


Job = Callable[[], Part]


def fit(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    jobs: Callable[[int], Sequence[Job]],
    *,
    first: int,
    steps: int,
    lr: Callable[[int], float],
    max_norm: float,
    workers: int,
    on_step: Callable[[int, Metrics], None],
) -> None:
    """Takes steps `first` to `steps` - 1 (counted from 0); `on_step(done, metrics)` follows each, `done` from 1.

    `workers` jobs of a step run at a time, in threads. That is how a small model uses several cores: threads inside
    its small operations wait for each other all the time, and stall where another program has one of the cores.
    Gradients add up in the order of the jobs, so the number of workers changes no bit of the result.

    Raises `MojError` before the step is taken where a loss or gradient is not finite, naming the step, the term and
    the examples; the weights are then still those of the step before.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    with ThreadPoolExecutor(workers) if workers > 1 else nullcontext() as pool:
        for step in range(first, steps):
            began = time.perf_counter()
            optimizer.zero_grad(set_to_none=True)
            loss, tokens, sums = 0.0, 0, dict[str, float]()
            for part in _backward(jobs(step), parameters, pool, step + 1):
                loss += float(part.loss.detach())
                tokens += part.tokens
                for name, value in part.metrics.items():
                    sums[name] = sums.get(name, 0.0) + value
            norm = clip(parameters, max_norm)
            if not norm < float("inf"):
                raise MojError(
                    f"step {step + 1}: the gradient's norm is {norm}, though every loss was finite; lower lr"
                )
            rate = lr(step)
            set_lr(optimizer, rate)
            optimizer.step()
            seconds = time.perf_counter() - began
            told = {"tokens": tokens, "tokens_per_second": tokens / seconds}
            on_step(step + 1, {"loss": loss, "grad_norm": norm, "lr": rate, **sums, **told})


def _backward(
    jobs: Sequence[Job], parameters: Sequence[nn.Parameter], pool: ThreadPoolExecutor | None, step: int
) -> Iterator[Part]:
    """The parts in order, their gradients added to the parameters'."""
    if pool is None:
        for job in jobs:
            part = _checked(job(), step)
            torch.autograd.backward(part.loss)
            yield part
        return

    def work(job: Job) -> tuple[Part, Gradients]:
        part = _checked(job(), step)
        return part, torch.autograd.grad(part.loss, parameters, allow_unused=True)

    for part, gradients in pool.map(work, jobs):
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if gradient is not None:
                parameter.grad = gradient if parameter.grad is None else parameter.grad.add_(gradient)
        yield part


def _checked(part: Part, step: int) -> Part:
    for name, values in part.terms.items():
        finite = torch.isfinite(values)
        if not bool(finite.all()):
            rows = zip(part.where, values.tolist(), finite.tolist(), strict=True)
            bad = [f"{where} ({value})" for where, value, fine in rows if not fine]
            more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
            raise MojError(
                f"step {step}: the {name} is not finite for {', '.join(bad[:5])}{more}; lower lr, or look at these rows"
            )
    return part
