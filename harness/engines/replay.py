"""Recorded responses instead of a model: rows of a run folder's `samples.jsonl`, or of anybody's JSON lines."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from harness.engines.base import Failure, Preview, Sampling, Wanted, pairs
from harness.engines.options import parse
from harness.errors import ConfigError, DataError, nearest
from harness.jsonl import lines, read_bytes
from harness.records import Prompt, Response, from_dict

IDS = ("prompt_id", "task_id", "key", "question_id", "unique_id", "test_index", "index", "id")
TEXTS = ("response", "output", "completion", "text", "generation")

Key = tuple[str, str, int]  # benchmark ("" where the row names none), prompt id, sample


class Options(BaseModel):
    """`benchmark`: takes only that benchmark's rows of a file that holds several."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    benchmark: str | None = None


def open_engine(
    target: str, options: Mapping[str, Any], *, chat: bool = False, template_args: Mapping[str, Any] | None = None
) -> ReplayEngine:
    """The engine for a file. What was recorded was templated then, so `chat` and `template_args` change nothing.

    Raises `DataError` for a file that is missing, or a row that is broken, that names no prompt or holds no response,
    with file and line; `ConfigError` for an option that does not fit.
    """
    if not target:
        raise ConfigError("replay: names no file; write replay:FILE.jsonl")
    return ReplayEngine(Path(target), parse(Options, "replay", options).benchmark)


class ReplayEngine:
    """Gives each prompt and sample the response that was recorded for it, whatever the sampling."""

    def __init__(self, path: Path, benchmark: str | None) -> None:
        self.name = f"replay:{path}"
        self._path = path
        self._benchmark = benchmark
        data = read_bytes(path)
        self._sha256 = hashlib.sha256(data).hexdigest()
        self._samples: dict[str, dict[str, dict[int, Response]]] = {}  # prompt id -> benchmark -> sample
        self._read(data, benchmark)

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, *, wanted: Wanted | None = None
    ) -> Iterator[Response | Failure]:
        """In the order asked. A response that was not recorded is a refused `Failure`.

        Raises `ConfigError` where a prompt's id stands in the file under several benchmarks and none was chosen.
        """
        jobs = pairs(prompts, sampling.samples, wanted)
        for prompt, _ in jobs:
            names = sorted(self._samples.get(prompt.id, {}))
            if len(names) > 1:
                raise ConfigError(
                    f"{self._path}: prompt {prompt.id!r} stands in it for {' and for '.join(map(repr, names))}; "
                    f"choose one with the option benchmark={names[-1]}"
                )
        for prompt, samples in jobs:
            found = next(iter(self._samples.get(prompt.id, {}).values()), {})
            for sample in samples:
                yield found[sample] if sample in found else self._missing(prompt.id, sample, found)

    def preview(self, prompt: Prompt) -> Preview:
        """The prompt's own text: nothing is sent anywhere."""
        text = "\n\n".join(message.content for message in prompt.messages)
        return Preview(text, None, len(text.split()), exact=False)

    def describe(self) -> dict[str, object]:
        """The file, its checksum, and how many responses were taken from it."""
        rows = sum(len(found) for names in self._samples.values() for found in names.values())
        return {
            "engine": "replay",
            "model": str(self._path),
            "sha256": self._sha256,
            "benchmark": self._benchmark,
            "responses": rows,
        }

    def close(self) -> None:
        """Nothing is open."""

    def _read(self, data: bytes, benchmark: str | None) -> None:
        seen: dict[Key, int] = {}
        unnumbered: Counter[tuple[str, str]] = Counter()
        names = set()
        for number, row in lines(data, str(self._path)):
            where = f"{self._path}:{number}"
            name = str(row.get("benchmark") or "")
            names.add(name)
            if benchmark is not None and name not in ("", benchmark):
                continue
            response = _response(row, where, engine=self.name)
            if response.sample < 0:  # not numbered in the file: in the order of its rows
                response = replace(response, sample=unnumbered[name, response.prompt_id])
                unnumbered[name, response.prompt_id] += 1
            key = (name, response.prompt_id, response.sample)
            if key in seen:
                repeated = f"prompt {response.prompt_id!r}, sample {response.sample}"
                raise DataError(f"{where}: {repeated} stands in line {seen[key]} already")
            seen[key] = number
            self._samples.setdefault(response.prompt_id, {}).setdefault(name, {})[response.sample] = response
        if not seen:
            held = f" of {benchmark}; it holds {', '.join(sorted(names - {''}))}" if names else ""
            raise DataError(f"{self._path}: no recorded response{held}")

    def _missing(self, prompt_id: str, sample: int, found: Mapping[int, Response]) -> Failure:
        if found:
            why = f"holds sample {', '.join(map(str, sorted(found)))} of prompt {prompt_id!r}, not {sample}"
        else:
            close = nearest(prompt_id, self._samples, count=1)
            like = f" (it holds {close[0]!r})" if close else f" (it holds {len(self._samples)} others)"
            why = f"holds no response to prompt {prompt_id!r}{like}"
        return Failure(prompt_id, sample, "refused", f"{self._path} {why}")


def _response(row: Mapping[str, Any], where: str, *, engine: str) -> Response:
    """The response in a row; sample -1 where the row does not number it."""
    key = next((key for key in IDS if row.get(key) is not None), None)
    if key is None:
        raise DataError(f"{where}: names no prompt; a row needs one of {', '.join(IDS)}")
    if isinstance(row[key], bool) or not isinstance(row[key], (str, int)):
        raise DataError(f"{where}: {key} is {row[key]!r}, neither text nor an integer")
    sample = row.get("sample")
    if sample is not None and not _counts(sample):
        raise DataError(f"{where}: sample is {sample!r}, not a number from 0")
    sample = -1 if sample is None else sample
    field = next((name for name in TEXTS if name in row), None)
    if field is None:
        raise DataError(f"{where}: holds no response; a row needs one of {', '.join(TEXTS)}")
    value = row[field]
    if isinstance(value, Mapping):
        return _whole(value, str(row[key]), sample, where, engine)
    if not isinstance(value, str):
        raise DataError(f"{where}: {field} is {type(value).__name__}, not text")
    finish = row.get("finish_reason")
    return Response(
        str(row[key]), sample, value, finish if isinstance(finish, str) and finish else "unknown", engine=engine
    )


def _counts(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _whole(value: Mapping[str, Any], prompt_id: str, sample: int, where: str, engine: str) -> Response:
    """A response with all its fields, as `samples.jsonl` holds it; it must be of the prompt its row names."""
    try:
        response = from_dict(Response, {"prompt_id": prompt_id, "sample": sample, "engine": engine, **value})
    except (ValueError, TypeError) as error:
        raise DataError(f"{where}: response: {error}") from error
    if "sample" in value and not _counts(response.sample):
        raise DataError(f"{where}: response: sample is {response.sample!r}, not a number from 0")
    if response.prompt_id != prompt_id or (sample >= 0 and response.sample != sample):
        raise DataError(
            f"{where}: the row is of prompt {prompt_id!r}, sample {sample}, its response of "
            f"{response.prompt_id!r}, sample {response.sample}"
        )
    return response
