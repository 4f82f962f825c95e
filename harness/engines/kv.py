"""A key-value cache whose rows can leave, repeat and join: right-aligned columns, written in place, never per step."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DummyLayer, DynamicLayer, DynamicSlidingWindowLayer

SLACK = 64
"""Columns kept free for the next tokens, so that appending one copies nothing else."""


class GrowingLayer(DynamicLayer):  # type: ignore[misc]  # transformers is untyped for us
    """Keys and values of full attention in a buffer with room to grow: (rows, heads, columns, head size)."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: torch.Tensor | None = None
        self.values: torch.Tensor | None = None
        self.length = 0

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Appends columns and returns views of all of them."""
        end = self.length + key_states.shape[-2]
        keys, values = self.keys, self.values
        if keys is None or values is None or end > keys.shape[-2]:
            self.keys = keys = self._grown(keys, key_states, end)
            self.values = values = self._grown(values, value_states, end)
            self.is_initialized = True
        keys[:, :, self.length : end] = key_states
        values[:, :, self.length : end] = value_states
        self.length = end
        return keys[:, :, :end], values[:, :, :end]

    def _grown(self, old: torch.Tensor | None, like: torch.Tensor, end: int) -> torch.Tensor:
        room = end + (0 if old is None else max(SLACK, end // 4))
        new = like.new_empty(like.shape[0], like.shape[1], room, like.shape[3])
        if old is not None:
            new[:, :, : self.length] = old[:, :, : self.length]
        return new

    def get_seq_length(self) -> int:
        return self.length


def new_cache(config: Any) -> DynamicCache:
    """An empty cache for a model of this config; layers of full attention are ours, others transformers' own."""
    cache = DynamicCache(config=config)
    cache.layers = [GrowingLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache


def joinable(cache: DynamicCache) -> bool:
    """Whether rows of different lengths may share this cache: attention layers only, full or sliding."""
    return all(type(layer) in (GrowingLayer, DynamicSlidingWindowLayer, DummyLayer) for layer in cache.layers)


def stack(parts: Sequence[tuple[DynamicCache, torch.Tensor]], columns: int) -> DynamicCache:
    """A new cache of the chosen rows of each part, in order, aligned at their last column.

    `parts` pairs a cache with the rows (1-D, long) to take from it; rows may repeat. Only the last `columns` columns
    are kept; shorter parts get zeros on the left, which the attention mask hides. Caches that are not `joinable` are
    copied whole, and come as a single part.
    """
    first, rows = parts[0]
    if not joinable(first):
        if len(parts) != 1:
            raise ValueError("caches with recurrent state cannot be joined")
        only: DynamicCache = copy.deepcopy(first)
        only.reorder_cache(rows)
        return only
    out = copy.copy(first)
    out.layers = [_stack_layer([(cache.layers[i], rows) for cache, rows in parts], columns) for i in range(len(first))]
    return out


def _stack_layer(parts: Sequence[tuple[Any, torch.Tensor]], columns: int) -> Any:
    layer = parts[0][0]
    if isinstance(layer, GrowingLayer):
        full = GrowingLayer()
        full.keys = _right_aligned([(part.keys[:, :, : part.length], rows) for part, rows in parts], columns, SLACK)
        full.values = _right_aligned([(part.values[:, :, : part.length], rows) for part, rows in parts], columns, SLACK)
        full.length, full.is_initialized = columns, True
        return full
    if isinstance(layer, DynamicSlidingWindowLayer):
        window = DynamicSlidingWindowLayer(sliding_window=layer.sliding_window)
        window.lazy_initialization(layer.keys, layer.values)
        kept = min(columns, layer.sliding_window - 1)
        window.keys = _right_aligned([(part.keys, rows) for part, rows in parts], kept, 0)
        window.values = _right_aligned([(part.values, rows) for part, rows in parts], kept, 0)
        window.cumulative_length = columns
        return window
    return layer


def _right_aligned(parts: Sequence[tuple[torch.Tensor, torch.Tensor]], columns: int, slack: int) -> torch.Tensor:
    shape = list(parts[0][0].shape)
    shape[0], shape[2] = sum(len(rows) for _, rows in parts), columns + slack
    new = parts[0][0].new_empty(shape)
    at = 0
    for old, rows in parts:
        size = min(columns, old.shape[2])
        block = new[at : at + len(rows)]
        # Zeros, not leftovers: a masked column has weight 0, and 0 times a stray NaN would still be NaN.
        block[:, :, : columns - size] = 0
        torch.index_select(old[:, :, old.shape[2] - size :], 0, rows, out=block[:, :, columns - size : columns])
        at += len(rows)
    return new
