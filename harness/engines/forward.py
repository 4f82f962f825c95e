"""A causal language model as one call: tokens and their cache in, logits of the last positions out."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch

from harness.engines.kv import GrowingLayer, joinable, new_cache


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
        self.takes_float_mask = self._takes_float_mask()

    def cache(self) -> Any:
        """An empty cache for this model."""
        return new_cache(self.config)

    def __call__(
        self, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, cache: Any, *, keep: int = 1
    ) -> torch.Tensor:
        """Logits (B, keep, V) in float32 of the last `keep` positions of ids (B, T).

        `mask` is boolean (B, columns + T), or where `takes_float_mask` and T is 1, the numbers (B, 1, 1, columns + 1)
        that attention adds: 0 and minus infinity.
        """
        more: dict[str, Any] = {"position_ids": positions} if self._positions else {}
        if self._keep:
            more["logits_to_keep"] = keep
        logits: torch.Tensor = self.model(
            input_ids=ids, attention_mask=mask, past_key_values=cache, use_cache=True, return_dict=True, **more
        ).logits
        return logits[:, -keep:].float()

    def _takes_float_mask(self) -> bool:
        """Whether a finished mask may be passed: transformers hands it to torch's attention as it is.

        It otherwise builds one anew at every step and torch turns that into numbers in every layer, which on a CPU is a
        tenth of a small model's step. Layers that see only a window would need another mask.
        """
        return (
            self.device.type == "cpu"
            and getattr(self.model, "_supports_attention_backend", False)
            and getattr(self.config, "_attn_implementation", None) == "sdpa"
            and all(type(layer) is GrowingLayer for layer in self.cache().layers)
        )


def left_padded(rows: Sequence[Sequence[int]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, mask and positions, each (B, T), of rows aligned at their end; padding is token 0 under mask 0."""
    width = max(len(row) for row in rows)
    ids = torch.tensor([[0] * (width - len(row)) + list(row) for row in rows], device=device)
    lengths = torch.tensor([len(row) for row in rows], device=device)
    positions = torch.arange(width, device=device) - (width - lengths)[:, None]
    return ids, positions >= 0, positions.clamp_min(0)
