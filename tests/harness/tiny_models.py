"""Random models of a few thousand parameters and a byte tokenizer, for tests of engines."""

from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    Lfm2Config,
    Lfm2ForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)

SPECIAL = ["<s>", "</s>", "<|im_start|>", "<|im_end|>"]
BOS, EOS, START, END = 256, 257, 258, 259
TEMPLATE = (
    "{% for m in messages %}{% if m['role'] == 'tool' %}{{ raise_exception('no tools here') }}{% endif %}"
    "<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{{ opening | default('') }}{% endif %}"
)


def tiny_tokenizer(*, template: str | None = None, bos: bool = True, eos: bool = False) -> Any:
    """A token a byte, then the special tokens; `bos` and `eos` are put around a text by the tokenizer itself."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {char: at for at, char in enumerate(alphabet)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL)
    around = f"{'<s> ' if bos else ''}$A{' </s>' if eos else ''}"
    tokenizer.post_processor = processors.TemplateProcessing(
        single=around, special_tokens=[("<s>", BOS), ("</s>", EOS)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", additional_special_tokens=SPECIAL[2:]
    )
    fast.chat_template = template
    return fast


def tiny_model(kind: str, *, seed: int = 0, context: int = 128) -> Any:
    """A random model over the tokenizer's 260 ids.

    `llama` (heads of 8), `wide` (heads of 32), `gpt2`, `sliding` (Qwen2, a layer of window 8), or `recurrent` (LFM2, a
    layer of short convolutions, whose state knows no padding).
    """
    torch.manual_seed(seed)
    common = {"vocab_size": 260, "bos_token_id": BOS, "eos_token_id": EOS, "pad_token_id": None}
    if kind == "gpt2":
        config = GPT2Config(n_embd=32, n_layer=2, n_head=2, n_positions=context, initializer_range=0.3, **common)
        return GPT2LMHeadModel(config).eval()
    shape: dict[str, Any] = {
        "hidden_size": 64 if kind == "wide" else 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2 if kind == "wide" else 4,
        "num_key_value_heads": 1 if kind == "wide" else 2,
        "max_position_embeddings": context,
        "initializer_range": 0.3,
        "tie_word_embeddings": False,
    }
    if kind in ("llama", "wide"):
        return LlamaForCausalLM(LlamaConfig(**shape, **common)).eval()
    if kind == "recurrent":
        layers = {"layer_types": ["conv", "full_attention"]}
        return Lfm2ForCausalLM(Lfm2Config(**shape, **layers, **common)).eval()
    window = {"use_sliding_window": True, "sliding_window": 8, "layer_types": ["full_attention", "sliding_attention"]}
    return Qwen2ForCausalLM(Qwen2Config(**shape, **window, **common)).eval()
