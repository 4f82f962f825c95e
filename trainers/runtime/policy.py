"""The model that is trained, with its tokenizer: loaded as the hf engine loads it, or made from nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from harness import chat
from harness.engines import loading
from harness.errors import ModelError
from harness.models import parse_model

INIT_STD = 0.6
"""Weights start at this over the square root of the width: at 128, both 1.0 and 0.02 * sqrt(128) were slower to learn
copying and sums (RECIPES 2's base was not this one)."""


def load(name: str) -> tuple[Any, Any]:
    """Model (weights in float32) and tokenizer of `hf:PATH_OR_ID`. Raises `ModelError` in one line."""
    spec = parse_model(name)
    if spec.engine != "hf":
        raise ModelError(f"{name} cannot be trained: its weights are not at hand; name a policy hf:PATH_OR_ID")
    model, tokenizer = loading.load(spec.target, dtype="float32", device=None, adapter=None, revision=None)
    _stop_at_turn_end(model, tokenizer)
    return model, tokenizer


def new(sizes: Mapping[str, int], tokenizer: Any, *, seed: int) -> Any:
    """An untrained Llama-style model (RMSNorm, RoPE, SwiGLU, tied embeddings) with `sizes` hidden, layers, heads, ffn.

    The random numbers are its own: torch's global generator stays as it was.
    """
    ends = {
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
    }
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=sizes["hidden"],
        intermediate_size=sizes["ffn"],
        num_hidden_layers=sizes["layers"],
        num_attention_heads=sizes["heads"],
        num_key_value_heads=sizes["heads"],
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        initializer_range=INIT_STD * sizes["hidden"] ** -0.5,
        **ends,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(**ends)
    return model.to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))


def parameters(model: Any) -> int:
    """How many numbers the model has, tied ones counted once."""
    return sum(parameter.numel() for parameter in model.parameters())


def _stop_at_turn_end(model: Any, tokenizer: Any) -> None:
    """Adds the token that ends an assistant's turn to those at which the saved model says to stop."""
    end, stops = chat.turn_end(tokenizer), model.generation_config.eos_token_id
    known = [] if stops is None else [stops] if isinstance(stops, int) else list(stops)
    if end is not None and end not in known:
        known.append(end)
        model.generation_config.eos_token_id = known if len(known) > 1 else end
