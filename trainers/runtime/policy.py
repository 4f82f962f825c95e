"""The model that is trained and its tokenizer: loaded from a folder, or made from nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, LlamaConfig, LlamaForCausalLM

from harness.errors import ModelError

PREFIX = "hf:"


def load(name: str) -> Any:
    """The causal language model `hf:PATH_OR_ID`, weights in float32, ready to train. Raises `ModelError`."""
    return _load(AutoModelForCausalLM, name, dtype=torch.float32)


def load_tokenizer(name: str) -> Any:
    """The tokenizer of `hf:PATH_OR_ID`. Raises `ModelError`."""
    return _load(AutoTokenizer, name)


def _load(kind: Any, name: str, **options: Any) -> Any:
    if not name.startswith(PREFIX):
        raise ModelError(f"{name!r} cannot be trained: a policy is named hf:PATH_OR_ID")
    path = name.removeprefix(PREFIX)
    try:
        return kind.from_pretrained(path, **options)
    except (OSError, ValueError) as error:
        first = str(error).strip().partition("\n")[0]
        what = "does not exist" if _is_path(path) and not Path(path).exists() else f"cannot be loaded: {first}"
        raise ModelError(f"{name}: {what}; give a folder in Hugging Face format, or an id on the hub") from error


def _is_path(name: str) -> bool:
    return name.startswith((".", "/", "~", "runs/")) or name.count("/") > 1


def stop_at(model: Any, end: int | None) -> None:
    """Adds the token that ends an assistant's turn to those at which the saved model says to stop."""
    stops = model.generation_config.eos_token_id
    known = [] if stops is None else [stops] if isinstance(stops, int) else list(stops)
    if end is not None and end not in known:
        known.append(end)
        model.generation_config.eos_token_id = known if len(known) > 1 else end


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
        initializer_range=sizes["hidden"] ** -0.5,
        **ends,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(**ends)
    return model
