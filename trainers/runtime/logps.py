"""Log-probabilities of response tokens, and of nothing else: the trunk runs on packed rows, the head on responses."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.errors import ModelError
from trainers.runtime.batch import Packed


def token_logps(model: Any, batch: Packed) -> Tensor:
    """log p(token | what precedes it in its own sequence) of every response token: (N,), float32, natural log.

    ALGORITHMS 0.1: the sum over a sequence's tokens is its log-probability. No tensor of all positions by vocabulary
    is made: hidden states are picked first. `model` is a causal language model of transformers (see `check_head`).
    """
    output = model.base_model(input_ids=batch.ids, position_ids=batch.positions, attention_mask=None, use_cache=False)
    hidden = output.last_hidden_state.reshape(-1, output.last_hidden_state.shape[-1])[batch.at]
    logits: Tensor = model.get_output_embeddings()(hidden)
    return -functional.cross_entropy(logits.float(), batch.targets, reduction="none")


@torch.no_grad()
def check_head(model: Any) -> None:
    """Makes sure that trunk and head, called apart, give the model's own logits, and that packing separates.

    Raises `ModelError` for architectures that rescale logits after the head, or attend across packed sequences.
    """
    head = model.get_output_embeddings()
    if not isinstance(head, nn.Module) or model.base_model is model:
        raise ModelError(f"{type(model).__name__} has no trunk and output head of its own; it cannot be trained here")
    training = model.training
    model.eval()
    ids = torch.tensor([[1, 2, 0, 1]], device=model.device) % model.config.vocab_size
    restarted = torch.tensor([[0, 1, 0, 1]], device=model.device)
    apart = model(input_ids=ids[:, 2:], use_cache=False).logits
    trunk = model.base_model(input_ids=ids, position_ids=restarted, attention_mask=None, use_cache=False)
    together = head(trunk.last_hidden_state)[:, 2:]
    model.train(training)
    if not torch.allclose(apart.float(), together.float(), rtol=1e-2, atol=1e-2):
        raise ModelError(
            f"{type(model).__name__} changes its logits after the output head, or attends across packed sequences; "
            "it cannot be trained here"
        )
