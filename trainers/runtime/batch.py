"""Tokenised examples, their seeded order, and packing: several sequences in a row, none seeing another.

A row's position ids start anew with every sequence, which is how transformers' attention masks (and the variable-length
flash kernels) tell packed sequences apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Example:
    """One sequence: `ids` of prompt and response, of which the first `prompt` (1 or more) are the prompt's.

    `where` names its source in errors (`file:line`).
    """

    ids: tuple[int, ...]
    prompt: int
    where: str

    @property
    def response_tokens(self) -> int:
        """How many tokens are scored."""
        return len(self.ids) - self.prompt


@dataclass(frozen=True, slots=True)
class Packed:
    """Sequences in R rows of T tokens, and the N response tokens among them.

    `ids` and `positions` are (R, T). `at` (N,) is the flat index into the R*T hidden states of the one that predicts a
    response token, `targets` (N,) that token, `owner` (N,) its sequence's index in `examples`.
    """

    ids: Tensor
    positions: Tensor
    at: Tensor
    targets: Tensor
    owner: Tensor
    examples: tuple[Example, ...]

    def to(self, device: torch.device) -> Packed:
        """The same on another device."""
        return Packed(
            self.ids.to(device),
            self.positions.to(device),
            self.at.to(device),
            self.targets.to(device),
            self.owner.to(device),
            self.examples,
        )


def rows(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Indices of the sequences that share a row: first fit, longest first, at most `capacity` tokens a row.

    A sequence longer than `capacity` gets a row to itself.
    """
    room: list[int] = []
    found: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        row = next((r for r, left in enumerate(room) if left >= lengths[index]), None)
        if row is None:
            room.append(capacity)
            found.append([])
            row = len(room) - 1
        room[row] -= lengths[index]
        found[row].append(index)
    return found


def micro_batches(examples: Sequence[Example], *, row_tokens: int, rows_at_once: int) -> list[Packed]:
    """The examples packed into rows of `row_tokens`, `rows_at_once` rows to a forward pass at most, evenly shared."""
    packed = rows([len(example.ids) for example in examples], row_tokens)
    parts = -(-len(packed) // rows_at_once)
    return [pack([[examples[i] for i in row] for row in packed[part::parts]]) for part in range(parts)]


def pack(layout: Sequence[Sequence[Example]]) -> Packed:
    """Lays the examples out row by row; the rest of a row is filled with zeros, a sequence of their own."""
    width = max(sum(len(example.ids) for example in row) for row in layout)
    ids = torch.zeros(len(layout), width, dtype=torch.long)
    positions = torch.zeros(len(layout), width, dtype=torch.long)
    at: list[Tensor] = []
    owner: list[Tensor] = []
    placed: list[Example] = []
    for r, row in enumerate(layout):
        start = 0
        for example in row:
            end = start + len(example.ids)
            ids[r, start:end] = torch.tensor(example.ids)
            positions[r, start:end] = torch.arange(end - start)
            # The hidden state before a token predicts it.
            at.append(torch.arange(start + example.prompt - 1, end - 1) + r * width)
            owner.append(torch.full((example.response_tokens,), len(placed)))
            placed.append(example)
            start = end
        positions[r, start:] = torch.arange(width - start)
    where = torch.cat(at)
    return Packed(ids, positions, where, ids.view(-1)[where + 1], torch.cat(owner), tuple(placed))


def step_indices(step: int, *, count: int, batch: int, total: int, seed: int) -> list[int]:
    """Which of `count` examples step `step` (from 0) trains on, when `total` are seen in all, epoch after epoch.

    Every epoch has its own order, drawn from (seed, epoch); a step may span two. It follows from the arguments alone,
    so a resumed run needs no more than its step.
    """
    orders: dict[int, list[int]] = {}
    found = []
    for position in range(step * batch, min((step + 1) * batch, total)):
        epoch, offset = divmod(position, count)
        if epoch not in orders:
            generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**63)
            orders[epoch] = torch.randperm(count, generator=generator).tolist()
        found.append(orders[epoch][offset])
    return found
