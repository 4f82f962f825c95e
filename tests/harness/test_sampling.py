"""Sampling settings are whole numbers, finite numbers and texts, or they are refused by name."""

from typing import Any

import pytest

from harness.engines.base import Sampling, sample_seed
from harness.models import fingerprint, label


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("samples", 0), ("samples", 1.0), ("max_tokens", 0), ("max_tokens", True), ("top_k", -1), ("top_k", 1.5),
        ("temperature", -1), ("temperature", float("nan")), ("temperature", 1e-40), ("temperature", "hot"),
        ("top_p", 0), ("top_p", 1.1), ("top_p", float("inf")), ("stop", ("",)), ("stop", (1,)), ("seed", "0"),
    ],
)  # fmt: skip
def test_a_setting_that_makes_no_sense_is_refused_by_name(key: str, value: Any) -> None:
    with pytest.raises(ValueError, match=key):
        Sampling(**{key: value})


def test_every_sample_has_a_seed_of_its_own() -> None:
    seeds = {sample_seed(s, p, k) for s in range(3) for p in ("1", "11", "é\ud800") for k in range(20)}
    assert len(seeds) == 180
    assert sample_seed(0, "1", 0) == sample_seed(0, "1", 0)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_label_holds_no_folder_and_no_host(tmp_path: Any) -> None:
    checkpoint = tmp_path / "run" / "checkpoints" / "20"
    checkpoint.mkdir(parents=True)
    assert label(f"hf:{checkpoint}") == "hf:run@20"
    assert label(f"hf:{tmp_path / 'run'}") == "hf:run"
    assert label("openai:any@http://127.0.0.1:8000/v1") == "openai:any"
    assert label("hf:organisation/name") == "hf:organisation/name"
    assert label("175b_verification") == "175b_verification"


def test_a_changed_model_folder_has_another_fingerprint(tmp_path: Any) -> None:
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"\0" * 3_000_000)
    before = fingerprint(f"hf:{tmp_path}")
    assert before == fingerprint(f"hf:{tmp_path}")
    weights.write_bytes(b"\0" * 2_999_999 + b"\1")
    assert fingerprint(f"hf:{tmp_path}") != before
    assert fingerprint("openai:any@http://127.0.0.1/v1") is None
    assert fingerprint("hf:organisation/name") is None
