"""JSON and JSON lines in files: every reading error names file and line, every whole file is written at once."""

from __future__ import annotations

import gzip
import json
import os
import threading
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from harness.errors import DataError
from harness.records import dumps


def parse(text: str | bytes, where: str) -> Any:
    """The JSON value of `text`. Raises `DataError` beginning with `where`."""
    try:
        return json.loads(text, parse_constant=_not_json, parse_float=_finite)
    except json.JSONDecodeError as error:
        at = f"column {error.colno}" if error.lineno == 1 else f"line {error.lineno}, column {error.colno}"
        raise DataError(f"{where}: not valid JSON: {error.msg} at {at}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: not valid UTF-8: {error.reason} at byte {error.start}") from error
    except (ValueError, RecursionError) as error:  # integers beyond Python's digit limit, brackets without end
        raise DataError(f"{where}: not readable as JSON: {error}") from error


def parse_object(text: str | bytes, where: str) -> dict[str, Any]:
    """Like `parse`, for a value that has to be an object."""
    value = parse(text, where)
    if not isinstance(value, dict):
        raise DataError(f"{where}: an object {{…}} is needed, this is {_kind(value)}")
    return value


def lines(data: bytes, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number from 1, object) of each line that is not blank; `name` stands for the file in errors."""
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip():
            yield number, parse_object(line, f"{name}:{number}")


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, unpacked where it ends in `.gz`. Raises `DataError` where it cannot be read."""
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix == ".gz" else data
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: not a whole gzip file: {error}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON-lines file."""
    return [row for _, row in lines(read_bytes(path), str(path))]


def line(row: Any) -> bytes:
    """A row as one line of UTF-8. JSON escapes line feeds inside strings, so only rows end with one."""
    return dumps(row).encode() + b"\n"


def write_jsonl(path: Path, rows: Iterable[Any]) -> None:
    """Writes all rows or nothing."""
    write_whole(path, b"".join(line(row) for row in rows))


def write_json(path: Path, value: Any) -> None:
    """Writes an indented JSON file, keys in the order given, or nothing."""
    write_whole(path, dumps(value, indent=2).encode() + b"\n")


def write_whole(path: Path, data: bytes) -> None:
    """Replaces the file in one step: a reader, or a kill at any moment, finds the old bytes or the new ones."""
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _not_json(name: str) -> Any:
    raise ValueError(f"{name} is no number in JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{text[:40]} is too large a number")
    return value


def _kind(value: Any) -> str:
    names = {list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "null")
