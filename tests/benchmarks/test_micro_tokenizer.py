from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2.exceptions import TemplateError
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from benchmarks.micro.tasks import DRAWS, demonstrations
from benchmarks.micro.tokenizer import END, build


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return build()


def ids(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    found: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return found


def test_task_text_decodes_to_itself_in_few_tokens(tokenizer: PreTrainedTokenizerFast) -> None:
    characters = tokens = 0
    for prompt, answer in demonstrations(9, 400, dict.fromkeys(DRAWS, 1.0)):
        for text in (prompt.messages[0].content, answer):
            found = ids(tokenizer, text)
            assert tokenizer.decode(found) == text
            characters, tokens = characters + len(text), tokens + len(found)
    assert characters / tokens > 3


@settings(deadline=None)  # the first example builds the tokenizer
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_decodes_to_itself(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    assert tokenizer.decode(ids(tokenizer, text)) == text


def test_a_digit_is_a_token(tokenizer: PreTrainedTokenizerFast) -> None:
    assert [tokenizer.decode(i) for i in ids(tokenizer, "is 479 + 3")] == ["is", " 4", "7", "9", " +", " 3"]


def test_two_builds_are_one_tokenizer(tokenizer: PreTrainedTokenizerFast) -> None:
    assert build().backend_tokenizer.to_str() == tokenizer.backend_tokenizer.to_str()


def test_it_is_saved_as_a_folder_that_loads_offline(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    turns = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "What is 3 + 4?"}]
    text = loaded.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    assert text == "<|system|>Be kind.<|end|><|user|>What is 3 + 4?<|end|><|assistant|>"
    assert ids(loaded, text) == ids(tokenizer, text)
    assert loaded.eos_token == END
    assert loaded.pad_token_id != loaded.eos_token_id
    assert loaded.decode(ids(loaded, text), skip_special_tokens=True) == "Be kind.What is 3 + 4?"


def test_a_role_that_the_template_does_not_know_is_refused(tokenizer: PreTrainedTokenizerFast) -> None:
    with pytest.raises(TemplateError, match="knows system, user and assistant, not tool"):
        tokenizer.apply_chat_template([{"role": "tool", "content": "3"}], tokenize=False)
