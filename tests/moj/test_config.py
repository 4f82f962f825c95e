"""A config file is one mapping; overrides are laid over it; what is wrong is named by file, line and key."""

from pathlib import Path

import pytest

from harness.errors import ConfigError
from moj.config import load_config
from moj.options import key_values


def write(folder: Path, text: str) -> Path:
    path = folder / "c.yaml"
    path.write_text(text)
    return path


def test_overrides_reach_nested_keys(tmp_path: Path) -> None:
    path = write(tmp_path, "trainer: sft\npolicy: {model: a, lora: null}\n")
    config = load_config(path, {"policy.model": "b", "policy.lora.rank": 8, "steps": 3})
    assert config == {"trainer": "sft", "policy": {"model": "b", "lora": {"rank": 8}}, "steps": 3}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1,\n", r"c\.yaml:2: not YAML"),
        ("- a\n", "holds list"),
        ("", "holds NoneType"),
        ("a: 1\n", "a is 1, which has no keys"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(write(tmp_path, text), {"a.b": 2})


def test_a_missing_or_binary_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "absent.yaml", {})
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config(tmp_path / "b.yaml", {})


def test_values_are_json_where_they_can_be_and_text_elsewhere() -> None:
    pairs = [
        "temperature=0.7",
        "stop=Question:",
        'stop2="\\n"',
        "lora=null",
        "flag=true",
        "ids=[1, 2]",
        "empty=",
        "a=b=c",
    ]
    assert key_values(pairs, "--gen") == {
        "temperature": 0.7,
        "stop": "Question:",
        "stop2": "\n",
        "lora": None,
        "flag": True,
        "ids": [1, 2],
        "empty": "",
        "a": "b=c",
    }


@pytest.mark.parametrize("pair", ["novalue", "=1"])
def test_a_pair_without_key_or_equals_sign_is_refused(pair: str) -> None:
    with pytest.raises(ConfigError, match="KEY=VALUE"):
        key_values([pair], "--gen")


def test_a_key_given_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="twice"):
        key_values(["a=1", "a=2"], "--gen")
