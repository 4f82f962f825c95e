"""A model and a config small enough that a test trains in a second."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import LlamaConfig, LlamaForCausalLM


def model(vocab: int = 50, seed: int = 0) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = LlamaConfig(
            vocab_size=vocab, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=1,
            num_key_value_heads=1, max_position_embeddings=128, tie_word_embeddings=True, initializer_range=0.2,
            bos_token_id=None, eos_token_id=1, pad_token_id=0,
        )  # fmt: skip
        return LlamaForCausalLM(config)


def config(**changes: Any) -> dict[str, Any]:
    return {
        "trainer": "sft",
        "policy": {"init": {"hidden": 32, "layers": 1, "heads": 1, "ffn": 32}, "tokenizer": "micro"},
        "data": "micro",
        "mix": {"micro_math": 1.0, "micro_chat": 1.0},
        "rows": 30,
        "steps": 6,
        "batch": 8,
        "row_tokens": 128,
        "lr": 1e-2,
        "save_every": 2,
        "threads": 1,
        **changes,
    }


def weights(run: Path, step: int) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = load_file(run / "checkpoints" / str(step) / "model.safetensors")
    return found
