"""Reading and writing JSON lines."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import jsonl
from harness.errors import DataError

PACKED = gzip.compress(b'{"a": 1}\n' * 1000)
TEXT = st.text(st.characters(codec=None, categories=None))  # every code point, lone surrogates too
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(TEXT, VALUE, max_size=3), max_size=4))
def test_rows_come_back_exactly(rows: list[dict[str, Any]]) -> None:
    data = b"".join(jsonl.line(row) for row in rows)
    assert data.count(b"\n") == len(rows)
    assert [row for _, row in jsonl.lines(data, "memory")] == rows


def test_blank_lines_are_passed_over_and_counted() -> None:
    assert list(jsonl.lines(b'\xef\xbb\xbf{"a": 1}\r\n\n  \n{"a": 2}', "f")) == [(1, {"a": 1}), (4, {"a": 2})]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (b'{"a": 1', "f.jsonl:2: not valid JSON: Expecting ',' delimiter at column 8"),
        (b"{'a': 1}", "f.jsonl:2: not valid JSON: Expecting property name"),
        (b'{"a": "\xff"}', "f.jsonl:2: not valid UTF-8"),
        (b"[1, 2]", "f.jsonl:2: an object {…} is needed, this is a list"),
        (b'"text"', "f.jsonl:2: an object {…} is needed, this is text"),
        (b"null", "f.jsonl:2: an object {…} is needed, this is null"),
        (b"true", "f.jsonl:2: an object {…} is needed, this is true or false"),
        (b'{"a": ' + b"9" * 5000 + b"}", "f.jsonl:2: not readable as JSON: Exceeds the limit"),
        (b'{"a": ' + b"[" * 100_000, "f.jsonl:2: not readable as JSON: maximum recursion depth"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, second: bytes, message: str) -> None:
    path = tmp_path / "f.jsonl"
    path.write_bytes(b'{"a": 1}\n' + second + b'\n{"a": 3}\n')
    with pytest.raises(DataError) as caught:
        jsonl.read_jsonl(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_packed_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "f.jsonl.gz").write_bytes(gzip.compress(b'{"a": 1}\n'))
    assert jsonl.read_jsonl(tmp_path / "f.jsonl.gz") == [{"a": 1}]


@pytest.mark.parametrize("content", [b"plain text", PACKED[:-12], PACKED[:10] + b"\xff" * 20])
def test_a_broken_packed_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f.jsonl.gz").write_bytes(content)
    with pytest.raises(DataError, match=r"f\.jsonl\.gz: not a whole gzip file"):
        jsonl.read_jsonl(tmp_path / "f.jsonl.gz")


@pytest.mark.parametrize("name", ["absent.jsonl", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"cannot be read: (No such file|Is a directory)"):
        jsonl.read_jsonl(tmp_path / name)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    jsonl.write_jsonl(path, [{"a": 1}, {"a": 2}])
    assert path.read_text() == '{"a": 1}\n{"a": 2}\n'
    with pytest.raises(ValueError, match="JSON"):
        jsonl.write_jsonl(path, [{"a": 3}, {"a": float("nan")}])
    assert path.read_text() == '{"a": 1}\n{"a": 2}\n'
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        jsonl.write_jsonl(tmp_path / "folder", [])
    assert sorted(os.listdir(tmp_path)) == ["f.jsonl", "folder"]


def test_written_files_have_the_ordinary_mode(tmp_path: Path) -> None:
    jsonl.write_json(tmp_path / "ours.json", {"b": 1, "a": [1.5]})
    (tmp_path / "theirs.json").touch()
    assert (tmp_path / "ours.json").stat().st_mode == (tmp_path / "theirs.json").stat().st_mode
    assert list(json.loads((tmp_path / "ours.json").read_text())) == ["b", "a"]
