"""The micro base model's own tokenizer: byte-level BPE learnt from generated demonstrations, one token a digit.

Bytes are the alphabet, so that any text encodes and decodes to itself; the words of the tasks are single tokens.
"""

from __future__ import annotations

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from benchmarks.micro.tasks import DRAWS, demonstrations

SIZE = 1536
TEXTS = 4000
END = "<|end|>"
ROLES = ("system", "user", "assistant")
SPECIAL = ["<|pad|>", END, *(f"<|{role}|>" for role in ROLES)]
TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] not in ['system', 'user', 'assistant'] %}"
    "{{ raise_exception('the micro template knows system, user and assistant, not ' + message['role']) }}"
    "{% endif %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
# A word or a digit with its leading space, a run of other symbols with its leading space, or white space.
_PIECES = Regex(r" ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s")


def build() -> PreTrainedTokenizerFast:
    """The tokenizer, the same on every call; `save_pretrained` writes what `AutoTokenizer` loads offline."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(_PIECES, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE,
        min_frequency=2,
        special_tokens=SPECIAL,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    pairs = demonstrations(0, TEXTS, dict.fromkeys(DRAWS, 1.0))
    core.train_from_iterator((f"{prompt.messages[0].content}\n{answer}" for prompt, answer in pairs), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token=END,
        pad_token="<|pad|>",
        additional_special_tokens=SPECIAL[2:],
        chat_template=TEMPLATE,
        model_max_length=1024,
        clean_up_tokenization_spaces=False,
    )
