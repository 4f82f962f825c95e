"""Real data and models lie outside the repository; tests that need them skip, with the reason, where they are not."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def _shared(name: str) -> Path:
    return ROOT.parent / "shared" / name


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real benchmark data: $MOJ_DATA, else ../shared/data."""
    folder = Path(os.environ.get("MOJ_DATA") or _shared("data"))
    if not folder.is_dir():
        pytest.skip(f"real benchmark data is not at {folder}; set MOJ_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def shared_models() -> Path:
    """The folder of small real models: ../shared/models."""
    folder = _shared("models")
    if not folder.is_dir():
        pytest.skip(f"no small real model at {folder}")
    return folder
