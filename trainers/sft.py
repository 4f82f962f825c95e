"""Supervised fine-tuning: cross-entropy on response tokens, the token that ends the response included.

ALGORITHMS 5.1: the loss of a step is the mean over all response tokens of its global batch, not a mean of means.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self

import torch
from pydantic import Field, model_validator

from benchmarks.micro import tokenizer as micro_tokenizer
from harness.errors import DataError
from harness.runs import RunFolder
from trainers.config import Closed, Policy, validated
from trainers.demonstrations import Pair, encode, micro, read
from trainers.objectives.likelihood import sft_loss
from trainers.runtime import checkpoint, policy
from trainers.runtime.batch import Example, Packed, micro_batches, step_indices
from trainers.runtime.logps import check_head, token_logps
from trainers.runtime.loop import Job, Metrics, Part, fit
from trainers.runtime.optim import adamw, cosine
from trainers.runtime.run import begin, last_metrics, run_folder

logger = logging.getLogger(__name__)


class SFT(Closed):
    """`data` is a JSONL file, or `micro`: `rows` demonstrations generated from the tasks that `mix` weighs.

    `batch` counts sequences of a step. `warmup` is a share of the steps, `clip` the most the gradient's norm may be.
    `row_tokens` and `rows_at_once` shape forward passes and leave results alone, but for rounding. `threads`: on a
    CPU, how many forward passes run at a time, on one core each (null: one, on as many cores as torch likes).
    `save_every` counts steps; 0 saves only the end.
    """

    trainer: Literal["sft"] = "sft"
    policy: Policy
    data: str
    mix: dict[str, float] = Field({})
    rows: int | None = Field(None, ge=1)
    max_length: int = Field(1024, ge=2)
    too_long: Literal["refuse", "drop"] = "refuse"
    steps: int | None = Field(None, ge=1)
    epochs: float | None = Field(None, gt=0)
    batch: int = Field(128, ge=1)
    row_tokens: int = Field(2048, ge=2)
    rows_at_once: int = Field(4, ge=1)
    lr: float = Field(1e-5, gt=0)
    warmup: float = Field(0.03, ge=0, le=1)
    weight_decay: float = Field(0.0, ge=0)
    betas: tuple[float, float] = (0.9, 0.999)
    clip: float = Field(1.0, gt=0)
    save_every: int = Field(500, ge=0)
    threads: int | None = Field(None, ge=1)
    seed: int = Field(0, ge=0, lt=2**63)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("give either steps or epochs")
        if (self.data == "micro") != bool(self.mix) or (self.data == "micro") != (self.rows is not None):
            raise ValueError("mix and rows belong to data: micro, and are needed there")
        return self


def train(
    config: Mapping[str, Any],
    *,
    out: Path,
    overwrite: bool = False,
    where: str = "config",
    on_step: Callable[[Mapping[str, Any]], None] = lambda _: None,
    on_notice: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Trains into the run folder `out` and answers with the last checkpoint's folder (`model`), steps and loss.

    The same call resumes from the last checkpoint, to the bit on the same machine; a finished run
    answers at once. Sets torch's global random numbers. Raises `MojError` for a user's mistake.
    """
    settings = validated(SFT, config, where)
    threads = torch.get_num_threads()
    with run_folder(out, settings.model_dump(mode="json"), overwrite=overwrite) as folder:
        torch.set_num_threads(1 if settings.threads else threads)
        try:
            return _run(settings, folder, on_step, on_notice)
        finally:
            torch.set_num_threads(threads)


def _run(
    settings: SFT,
    folder: RunFolder,
    on_step: Callable[[Mapping[str, Any]], None],
    on_notice: Callable[[str], None],
) -> dict[str, Any]:
    """Data, model, the sentence "batch, objective, step", and what is written on the way."""
    rows, digest = _rows(settings)
    saved = checkpoint.latest(folder.path)
    torch.manual_seed(settings.seed)
    model, tokenizer = policy.load(f"hf:{saved}") if saved else _policy(settings)
    examples = _fitting(encode(tokenizer, rows), settings, on_notice)
    total = settings.steps * settings.batch if settings.steps else round((settings.epochs or 0) * len(examples))
    steps = max(1, -(-total // settings.batch))
    check_head(model)
    model.eval()  # no dropout: here as in every trainer, the log-probabilities trained are those sampled from
    optimizer = adamw(model, weight_decay=settings.weight_decay, betas=settings.betas)
    done = checkpoint.restore(saved, optimizer) if saved else 0
    if done:
        on_notice(f"going on from step {done} of {steps}")
    counts = {"rows": len(rows), "kept": len(examples), "response_tokens": sum(e.response_tokens for e in examples)}
    data = {"name": settings.data, "sha256": digest, **counts}
    size = policy.parameters(model)
    begin(folder, {"trainer": "sft", "seed": settings.seed, "parameters": size, "data": data}, done=done)

    def jobs(step: int) -> list[Job]:
        chosen = step_indices(step, count=len(examples), batch=settings.batch, total=total, seed=settings.seed)
        batch = [examples[index] for index in chosen]
        count = sum(example.response_tokens for example in batch)
        shape = {"row_tokens": settings.row_tokens, "rows_at_once": settings.rows_at_once}
        return [partial(part, packed, count) for packed in micro_batches(batch, **shape)]

    def part(packed: Packed, count: int) -> Part:
        packed = packed.to(model.device)
        with torch.autocast(model.device.type, torch.bfloat16, enabled=settings.policy.dtype == "bfloat16"):
            logps = token_logps(model, packed)
        losses = sft_loss(logps, packed.owner, len(packed.examples))
        tokens = sum(len(example.ids) for example in packed.examples)
        return Part(losses.sum() / count, {"loss": losses}, [example.where for example in packed.examples], tokens)

    def after(step: int, metrics: Metrics) -> None:
        row = {"step": step, "steps": steps, "epoch": min(step * settings.batch, total) / len(examples), **metrics}
        folder.log_metrics(row)
        if step == steps or (settings.save_every and step % settings.save_every == 0):
            checkpoint.save(folder.path, step, model, tokenizer, optimizer)
        on_step({"trainer": "sft", **row})

    fit(
        model,
        optimizer,
        jobs,
        first=done,
        steps=steps,
        lr=lambda step: settings.lr * cosine(step, steps=steps, warmup=round(settings.warmup * steps)),
        max_norm=settings.clip,
        workers=settings.threads or 1 if model.device.type == "cpu" else 1,
        on_step=after,
    )
    final = str(folder.path / "checkpoints" / str(steps))
    return {"trainer": "sft", "model": final, "steps": steps, "parameters": size, "loss": last_metrics(folder)["loss"]}


def _rows(settings: SFT) -> tuple[list[Pair], str]:
    if settings.data == "micro":
        return micro(settings.mix, settings.rows or 0, settings.seed)
    return read(Path(settings.data))


def _policy(settings: SFT) -> tuple[Any, Any]:
    if settings.policy.init is None:
        return policy.load(settings.policy.model or "")
    tokenizer = micro_tokenizer.build()
    return policy.new(settings.policy.init.model_dump(), tokenizer, seed=settings.seed), tokenizer


def _fitting(examples: list[Example], settings: SFT, on_notice: Callable[[str], None]) -> list[Example]:
    """The examples that are short enough; the others stop the run, or are dropped and counted if so asked."""
    long = [example for example in examples if len(example.ids) > settings.max_length]
    if long:
        shown = ", ".join(f"{example.where} ({len(example.ids)})" for example in long[:3])
        said = f"{len(long)} of {len(examples)} rows are longer than max_length {settings.max_length} tokens: {shown}"
        if settings.too_long == "refuse" or len(long) == len(examples):
            raise DataError(f"{said}; raise max_length, or set too_long: drop")
        logger.warning("%s; dropped", said)
        on_notice(f"{said}; dropped")
    return [example for example in examples if len(example.ids) <= settings.max_length]
