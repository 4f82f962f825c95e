"""Choosing the next token of every row at once: greedy, or by inverse CDF from one uniform number a row."""

from __future__ import annotations

import numpy as np
import torch

PREFIX = 1024
"""Tokens looked at first for top-p; the nucleus of a real distribution is nearly always among them."""


def uniforms(seed: int, count: int) -> np.ndarray:
    """The random numbers of one sample, in [0, 1): number t belongs to its token t, whoever shares the batch.

    Philox (Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3) keyed by the seed.
    """
    return np.random.Generator(np.random.Philox(key=seed)).random(count)


def greedy(logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The likeliest token of each row and its log-probability: logits (B, V) to tokens (B,) and logps (B,)."""
    tokens = logits.argmax(-1)
    return tokens, _logps(logits, tokens)


def sample(
    logits: torch.Tensor, u: torch.Tensor, *, temperature: float, top_k: int = 0, top_p: float = 1.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """One token a row: logits (B, V) and uniforms u (B,) in float64 to tokens (B,) and logps (B,).

    Temperature first, then the `top_k` likeliest (0: all), then the smallest set of those whose renormalised mass
    reaches `top_p`. The log-probability is that of the untouched distribution (temperature 1, nothing cut).
    """
    scaled = logits / temperature
    whole = not top_k and top_p == 1
    tokens = _inverse_cdf(torch.softmax(scaled, -1), u) if whole else _filtered(scaled, u, top_k, top_p)
    return tokens, _logps(logits, tokens)


def _logps(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Log-probabilities (B,) of the tokens; NaN where a row holds NaN, +inf, or nothing finite."""
    return logits.gather(-1, tokens[:, None])[:, 0] - logits.logsumexp(-1)


def _filtered(scaled: torch.Tensor, u: torch.Tensor, top_k: int, top_p: float) -> torch.Tensor:
    vocabulary = scaled.shape[-1]
    width = min(top_k or vocabulary, vocabulary)
    if top_k:
        values, order = scaled.topk(width)
        probs = torch.softmax(values, -1)
    else:
        probs, order = torch.softmax(scaled, -1).topk(min(PREFIX, width))
        if order.shape[-1] < vocabulary and not bool((probs.sum(-1) >= top_p).all()):
            probs, order = torch.softmax(scaled, -1).sort(dim=-1, descending=True)
    before = probs.cumsum(-1, dtype=torch.float64) - probs
    chosen = _inverse_cdf(probs * (before < top_p), u)
    return order.gather(-1, chosen[:, None])[:, 0]


def _inverse_cdf(weights: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
    """The first index whose cumulative weight exceeds u times the total; sums in float64, so rare tokens keep their
    share. A row of NaN gives some valid index; its log-probability tells."""
    cumulative = weights.cumsum(-1, dtype=torch.float64)
    at = torch.searchsorted(cumulative, u[:, None] * cumulative[:, -1:], right=True)
    return at[:, 0].clamp_max(weights.shape[-1] - 1)
