"""A causal language model as one call: tokens and their cache in, logits of the last positions out."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch

from harness.engines.kv import joinable, new_cache


class Model:
    """Hides which arguments a model class takes, and makes its caches."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.config = model.config
        self.device: torch.device = model.device
        known = inspect.signature(model.forward).parameters
        self._positions = "position_ids" in known
        self._keep = "logits_to_keep" in known
        self.joinable = joinable(self.cache())

    def cache(self) -> Any:
        """An empty cache for this model."""
        return new_cache(self.config)

    def __call__(
        self, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, cache: Any, *, keep: int = 1
    ) -> torch.Tensor:
        """Logits (B, keep, V) in float32 of the last `keep` positions of ids (B, T); mask is (B, columns + T)."""
        more: dict[str, Any] = {"position_ids": positions} if self._positions else {}
        if self._keep:
            more["logits_to_keep"] = keep
        logits: torch.Tensor = self.model(
            input_ids=ids, attention_mask=mask, past_key_values=cache, use_cache=True, return_dict=True, **more
        ).logits
        return logits[:, -keep:].float()


def left_padded(rows: Sequence[Sequence[int]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, mask and positions, each (B, T), of rows aligned at their end; padding is token 0 under mask 0."""
    width = max(len(row) for row in rows)
    ids = torch.tensor([[0] * (width - len(row)) + list(row) for row in rows], device=device)
    lengths = torch.tensor([len(row) for row in rows], device=device)
    positions = torch.arange(width, device=device) - (width - lengths)[:, None]
    return ids, positions >= 0, positions.clamp_min(0)
