"""Maximum likelihood of given responses: supervised fine-tuning."""

from __future__ import annotations

import torch
from torch import Tensor


def sft_loss(token_logps: Tensor, owner: Tensor, count: int) -> Tensor:
    """Negative log-likelihood of each response, summed over its tokens, in nats: (B,).

    `token_logps` (N,) holds the log-probabilities of all response tokens of a batch one after the other, `owner` (N,)
    the response in [0, B) that each belongs to, `count` is B. The caller reduces: the sum over the whole batch divided
    by its number of response tokens is the usual token-level cross-entropy. A response without tokens has loss 0.
    Raises `ValueError` for shapes that do not fit.
    """
    if token_logps.ndim != 1 or owner.shape != token_logps.shape:
        raise ValueError(
            f"token_logps {tuple(token_logps.shape)} and owner {tuple(owner.shape)} must both be of shape (N,)"
        )
    return token_logps.new_zeros(count).index_add(0, owner.to(torch.long), -token_logps)
