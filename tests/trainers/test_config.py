from typing import Any

import pytest

from harness.errors import ConfigError
from tests.trainers import tiny
from trainers.config import validated
from trainers.sft import SFT


def test_defaults_are_written_out() -> None:
    found = validated(SFT, {"policy": {"model": "hf:x"}, "data": "a.jsonl", "steps": 3}, "run.yaml")
    assert found.model_dump(mode="json")["batch"] == 128
    assert validated(SFT, found.model_dump(mode="json"), "again") == found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bach": 3}, r"^run.yaml: bach: unknown key; did you mean batch\?"),
        ({"xyzzy": 3}, "xyzzy: unknown key; known: batch, betas,"),
        ({"policy": {"init": {"hiden": 64}, "tokenizer": "micro"}}, "policy.init.hiden: unknown key; did you mean hid"),
        ({"policy": {"modle": "hf:x"}}, "policy.modle: unknown key; did you mean model"),
        ({"policy": {}}, "policy: give either model"),
        ({"policy": {"init": {}}}, "policy: a new model .init. needs a tokenizer"),
        ({"policy": {"init": {"hidden": 64, "heads": 4}, "tokenizer": "micro"}}, "each needs the same 32 or more"),
        ({"lr": "fast"}, "lr: input should be a valid number.*'fast'"),
        ({"lr": -1.0}, "lr: .*greater than 0"),
        ({"lr": float("nan")}, "lr: .*finite"),
        ({"batch": 0}, "batch: .*greater than or equal to 1"),
        ({"too_long": "cut"}, "too_long: .*'refuse' or 'drop'"),
        ({"epochs": 2.0}, "give either steps or epochs"),
        ({"mix": {}}, "mix and rows belong to data: micro"),
        ({"data": "rows.jsonl"}, "mix and rows belong to data: micro"),
    ],
)
def test_a_wrong_key_or_value_is_one_line(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        validated(SFT, tiny.config(**change), "run.yaml")
    assert "\n" not in str(caught.value)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(ConfigError, match=r"run.yaml: policy: missing; data: missing"):
        validated(SFT, {"steps": 1}, "run.yaml")
