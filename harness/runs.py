"""The run folder: a config that never changes, rows that are only ever appended, results that are written whole.

A kill at any moment loses no row whose `append` returned; opening the folder again repairs a torn last line.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import yaml

from harness import jsonl
from harness.environment import environment
from harness.errors import DataError, RunFolderError
from harness.records import dumps

__all__ = ["RunFolder", "differences", "environment", "saved_config", "saved_rows"]

logger = logging.getLogger(__name__)

Key = tuple[str, int]  # prompt_id, sample
SAMPLES, ERRORS, METRICS = "samples.jsonl", "errors.jsonl", "metrics.jsonl"
WRITTEN = (SAMPLES, ERRORS, METRICS, "manifest.json", "results.json", "report.html", "checkpoints")


class RunFolder:
    """A run folder opened for writing; one process holds it at a time, any thread of it may write.

    The lock goes with the process, however that ends. Close it, or use it as a context.
    """

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock: int | None = lock
        self._files: dict[str, int] = {}
        self._guard = threading.Lock()
        self._finished: dict[str, set[Key]] = {}
        for name in (SAMPLES, ERRORS, METRICS):
            _repair(path / name)
        for row in self.rows():
            self._finished.setdefault(row["benchmark"], set()).add((row["prompt_id"], row["sample"]))

    @classmethod
    def open(cls, path: Path | str, config: Mapping[str, Any], *, overwrite: bool = False) -> Self:
        """Opens or makes the folder of this config, and writes `config.yaml`, which is what was resolved.

        Raises `RunFolderError` where it cannot be written, another process writes it, or it was made with another
        config, naming the keys that differ; with `overwrite` the earlier run's files are removed instead (a run of
        the same config goes on all the same).
        """
        path = Path(path)
        resolved = json.loads(dumps(dict(config)))
        lock = None
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = _locked(path)
            if _must_be_written(path, resolved, overwrite=overwrite):
                jsonl.write_whole(path / "config.yaml", _yaml(resolved))
            return cls(path, lock)
        except BaseException as error:
            if lock is not None:
                os.close(lock)
            if isinstance(error, OSError):
                raise RunFolderError(
                    f"the run folder {path} cannot be written: {error.strerror or error}; choose another with --out"
                ) from error
            raise

    def append(self, row: Mapping[str, Any]) -> None:
        """Adds a finished row to `samples.jsonl`. Raises `ValueError` for a key that is there already."""
        benchmark, key = row["benchmark"], (row["prompt_id"], row["sample"])
        with self._guard:
            done = self._finished.setdefault(benchmark, set())
            if key in done:
                raise ValueError(f"{benchmark}: prompt {key[0]!r}, sample {key[1]} is finished already")
            self._write(SAMPLES, row)
            done.add(key)

    def finished(self, benchmark: str) -> set[Key]:
        """(prompt id, sample) of every finished row of a benchmark."""
        with self._guard:
            return set(self._finished.get(benchmark, ()))

    def rows(self) -> Iterator[dict[str, Any]]:
        """The finished rows, in the order they were written. Raises `DataError` naming a line that is broken."""
        return saved_rows(self.path)

    def fail(self, row: Mapping[str, Any]) -> None:
        """Records an attempt that came to nothing, with its `cause`, in `errors.jsonl`."""
        with self._guard:
            self._write(ERRORS, row)

    def failures(self) -> Iterator[dict[str, Any]]:
        """The attempts in `errors.jsonl`."""
        return saved_failures(self.path)

    def log_metrics(self, row: Mapping[str, Any]) -> None:
        """Adds a row to `metrics.jsonl`."""
        with self._guard:
            self._write(METRICS, row)

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Replaces `manifest.json`."""
        self._replace("manifest.json", manifest)

    def write_results(self, results: Mapping[str, Any]) -> None:
        """Replaces `results.json`; the same results give the same bytes."""
        self._replace("results.json", results)

    def close(self) -> None:
        """Lets the folder go."""
        with self._guard:
            for descriptor in self._files.values():
                os.close(descriptor)
            self._files.clear()
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, name: str, row: Mapping[str, Any]) -> None:
        """One line in one write, undone where the disk took only part of it. Called with the guard held."""
        if self._lock is None:
            raise ValueError(f"the run folder {self.path} is closed")
        data = jsonl.line(row)
        try:
            if name not in self._files:
                self._files[name] = os.open(self.path / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            descriptor = self._files[name]
            size = os.fstat(descriptor).st_size
            count = os.write(descriptor, data)
            if count < len(data):
                os.ftruncate(descriptor, size)
                raise OSError(f"the disk took {count} of {len(data)} bytes")
        except OSError as error:
            raise RunFolderError(
                f"{self.path / name} cannot be written: {error.strerror or error}; "
                "once there is room, the same command goes on where this one stopped"
            ) from error

    def _replace(self, name: str, value: Mapping[str, Any]) -> None:
        if self._lock is None:
            raise ValueError(f"the run folder {self.path} is closed")
        try:
            jsonl.write_json(self.path / name, value)
        except OSError as error:
            raise RunFolderError(f"{self.path / name} cannot be written: {error.strerror or error}") from error


def saved_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a run folder's `samples.jsonl`, also while a run is still writing it; none where it has none."""
    for number, row in enumerate(_complete_lines(path / SAMPLES), start=1):
        for key, kind in (("benchmark", str), ("prompt_id", str), ("sample", int)):
            if not isinstance(row.get(key), kind):
                raise DataError(f"{path / SAMPLES}: row {number}: {key} is {row.get(key)!r}, not {kind.__name__}")
        yield row


def saved_failures(path: Path) -> Iterator[dict[str, Any]]:
    """The attempts in a run folder's `errors.jsonl`; none where it has none."""
    return _complete_lines(path / ERRORS)


def saved_config(path: Path) -> dict[str, Any]:
    """The config that made a run folder. Raises `RunFolderError` where `path` is no run folder."""
    try:
        config = yaml.safe_load((path / "config.yaml").read_bytes())
    except OSError as error:
        raise RunFolderError(f"{path} is no run folder: config.yaml: {error.strerror or error}") from error
    except yaml.YAMLError as error:
        raise RunFolderError(f"{path / 'config.yaml'}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(config, dict):
        raise RunFolderError(f"{path / 'config.yaml'}: holds no table of keys")
    return config


def differences(old: Any, new: Any, prefix: str = "") -> list[str]:
    """One line for each key whose value differs, nested keys dotted, with both values."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        found = []
        for key in dict.fromkeys([*old, *new]):
            found += differences(
                old.get(key, _ABSENT), new.get(key, _ABSENT), f"{prefix}.{key}" if prefix else str(key)
            )
        return found
    if type(old) is type(new) and old == new:
        return []
    return [f"{prefix}: {_shown(old)} there, {_shown(new)} now"]


_ABSENT = object()


def _shown(value: Any, limit: int = 80) -> str:
    text = "not set" if value is _ABSENT else dumps(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def _yaml(config: Mapping[str, Any]) -> bytes:
    text: str = yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=120)
    if yaml.safe_load(text) != config:  # a few control characters come back as spaces unless escaped
        text = yaml.safe_dump(config, sort_keys=False, allow_unicode=False, width=120)
    return text.encode()


def _must_be_written(path: Path, config: Mapping[str, Any], *, overwrite: bool) -> bool:
    """Whether `config.yaml` is to be written: the folder is new, or was emptied of another run."""
    there = [name for name in WRITTEN if (path / name).exists()]
    if (path / "config.yaml").exists():
        # Compared as YAML gives it back, so that nothing but a real difference counts.
        lines = differences(saved_config(path), yaml.safe_load(_yaml(config)))
        if not lines:
            return False
        if not overwrite:
            raise RunFolderError(
                f"{path} was made with another config: {'; '.join(lines)}. Choose another folder with --out, "
                "or --overwrite to remove that run"
            )
    elif there and not overwrite:
        raise RunFolderError(f"{path} holds {there[0]} but no config.yaml: it is not known what made it. "
                             "Choose another folder with --out, or --overwrite to remove that file")  # fmt: skip
    for name in there:
        if (path / name).is_dir():
            shutil.rmtree(path / name)
        else:
            (path / name).unlink()
    return True


def _locked(path: Path) -> int:
    """Takes the folder for this process. The kernel lets it go when the descriptor closes, a kill included."""
    descriptor = os.open(path / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise RunFolderError(
            f"{path} is being written by another process; wait for it, or choose another --out"
        ) from error
    except OSError as error:  # some network file systems have no locks
        logger.warning("%s cannot be locked (%s): see to it that no other process writes it", path, error.strerror)
    return descriptor


def _repair(path: Path) -> None:
    """Cuts off what follows the last line feed: a write that a kill tore, whose row was never reported finished."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        end = size = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - 65536)
            file.seek(start)
            at = file.read(end - start).rfind(b"\n")
            if at >= 0:
                end = start + at + 1
                break
            end = start
        if end < size:
            logger.warning("%s: a torn last line of %d bytes is removed", path, size - end)
            file.truncate(end)


def _complete_lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            if text.endswith(b"\n") and text.strip():
                yield jsonl.parse_object(text, f"{path}:{number}")
