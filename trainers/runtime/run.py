"""A training run's folder: opened so that a mistake leaves nothing behind, and made ready to go on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness import jsonl
from harness.errors import MojError, RunFolderError
from harness.runs import METRICS, RunFolder, environment


@contextmanager
def run_folder(path: Path, config: Mapping[str, Any], *, overwrite: bool) -> Iterator[RunFolder]:
    """The run folder of a config; one that is new goes again where a mistake ends the run before its first step."""
    new, ours = not path.exists(), False
    try:
        with RunFolder.open(path, config, overwrite=overwrite) as folder:
            ours = True  # another process may have made the folder meanwhile, and holds its lock
            yield folder
    except MojError:
        if new and ours and not (path / METRICS).exists():
            shutil.rmtree(path, ignore_errors=True)
        raise


def begin(folder: RunFolder, manifest: Mapping[str, Any], *, done: int) -> None:
    """Writes the manifest of a new run; makes a resumed one ready to go on after `done` steps.

    Metrics of later steps are taken back, since those steps are about to be taken again. Raises `RunFolderError` where
    `manifest["data"]["sha256"]` is not that of the data that the run began with.
    """
    path = folder.path / "manifest.json"
    if not path.exists():
        folder.write_manifest({**environment(), **manifest})
    elif json.loads(path.read_bytes())["data"]["sha256"] != manifest["data"]["sha256"]:
        raise RunFolderError(
            f"{manifest['data']['name']} is no longer the data that {folder.path} was made with; "
            "choose another folder with --out, or remove that one"
        )
    metrics = folder.path / METRICS
    if metrics.exists():
        jsonl.write_jsonl(metrics, [row for row in jsonl.read_jsonl(metrics) if row["step"] <= done])


def last_metrics(folder: RunFolder) -> dict[str, Any]:
    """The metrics of the last step taken."""
    return jsonl.read_jsonl(folder.path / METRICS)[-1]
