"""The preset base model, built from nothing and scored: the ground that the demo and every study stand on."""

from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from benchmarks.evaluate import evaluate
from benchmarks.settings import Settings
from trainers.config import validated
from trainers.sft import SFT, train

PRESETS = files("trainers").joinpath("presets")
BANDS = {
    "micro_math/accuracy": (0.3, 0.8),
    "micro_instructions/pass": (0.3, 0.8),
    "micro_chat/pass": (0.3, 0.95),
}


def preset() -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(PRESETS.joinpath("micro_base.yaml").read_text(encoding="utf-8"))
    return found


def test_the_preset_is_valid_and_its_rows_are_seen_once() -> None:
    settings = validated(SFT, preset(), "micro_base.yaml")
    assert settings.steps is not None
    assert settings.steps * settings.batch == settings.rows
    assert settings.threads == 2


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_the_base_model_leaves_room_to_rise_and_to_fall(tmp_path: Path) -> None:
    built = train(preset(), out=tmp_path / "base")
    assert 400_000 <= built["parameters"] <= 3_000_000
    for temperature in (0.0, 1.0):
        settings = Settings(gen={"temperature": temperature}, model_args={"threads": 1})
        names = [metric.partition("/")[0] for metric in BANDS]
        results = evaluate([f"hf:{built['model']}"], names, settings, out=tmp_path / f"eval{temperature}")
        for result, (metric, (low, high)) in zip(results, BANDS.items(), strict=True):
            assert low <= result["metrics"][metric]["value"] <= high, (temperature, metric, result["metrics"][metric])
