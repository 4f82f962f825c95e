"""Where rows come from: a named file, `$MOJ_DATA`, the hub; and what is said when they are nowhere."""

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.datasets import Row, Source, load_rows, need, read_rows
from harness.errors import DataError

SOURCE = Source(
    name="toy",
    hub="nobody/toy",
    revision="0123456789abcdef0123456789abcdef01234567",
    files={"test": "toy/test*.jsonl", "train": "toy/train*.jsonl"},
    sizes={"test": 100, "train": 2},
    licence="MIT",
    configs=("main",),
)
OFFLINE = {"HF_HUB_OFFLINE": "1"}


def write(path: Path, *numbers: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({"n": number}) + "\n" for number in numbers))
    return path


def numbers(rows: list[Row]) -> list[Any]:
    return [row.data["n"] for row in rows]


def test_several_files_of_the_data_folder_are_read_in_sorted_order(tmp_path: Path) -> None:
    second, first = write(tmp_path / "toy" / "test_2.jsonl", 3), write(tmp_path / "toy" / "test_1.jsonl", 1, 2)
    write(tmp_path / "toy" / "train.jsonl", 9)
    write(tmp_path / "toy" / "other.jsonl", 8)
    table = load_rows(SOURCE, "test", environ={"MOJ_DATA": str(tmp_path)})
    assert numbers(table.rows) == [1, 2, 3]
    assert [row.where for row in table.rows] == [f"{first}:1", f"{first}:2", f"{second}:1"]
    assert table.origin == "test_1.jsonl + test_2.jsonl"
    assert table.sha256 == hashlib.sha256(first.read_bytes() + second.read_bytes()).hexdigest()
    assert table.of == 100
    assert numbers(load_rows(SOURCE, "train", environ={"MOJ_DATA": str(tmp_path)}).rows) == [9]


def test_a_split_is_at_least_as_large_as_what_was_read(tmp_path: Path) -> None:
    write(tmp_path / "toy" / "train.jsonl", 1, 2, 3)
    assert load_rows(SOURCE, "train", environ={"MOJ_DATA": str(tmp_path)}).of == 3


def test_the_file_that_was_named_comes_before_the_data_folder(tmp_path: Path) -> None:
    write(tmp_path / "data" / "toy" / "test.jsonl", 1)
    mine = write(tmp_path / "mine.jsonl", 2)
    found = load_rows(SOURCE, "test", data=mine, environ={"MOJ_DATA": str(tmp_path / "data")})
    assert numbers(found.rows) == [2]
    assert str(tmp_path) not in found.origin


@pytest.mark.parametrize("folder", ["data", "data/toy"])
def test_a_folder_may_be_the_data_folder_or_the_benchmarks_own(tmp_path: Path, folder: str) -> None:
    write(tmp_path / "data" / "toy" / "test.jsonl", 1)
    assert numbers(load_rows(SOURCE, "test", data=tmp_path / folder, environ={}).rows) == [1]


def test_worked_examples_never_come_from_the_file_of_questions(tmp_path: Path) -> None:
    mine = write(tmp_path / "mine.jsonl", 1)
    write(tmp_path / "data" / "toy" / "train.jsonl", 9)
    assert numbers(load_rows(SOURCE, "train", data=mine, environ={"MOJ_DATA": str(tmp_path / "data")}).rows) == [9]
    with pytest.raises(DataError, match="the train split is nowhere to be had"):
        load_rows(SOURCE, "train", data=mine, environ=OFFLINE)
    named = write(tmp_path / "my_train_part.jsonl", 5)
    assert numbers(load_rows(SOURCE, "train", data=named, environ=OFFLINE).rows) == [5]


def test_packed_files_and_lists_are_read(tmp_path: Path) -> None:
    packed, listed = tmp_path / "toy" / "test_1.jsonl.gz", tmp_path / "rows.json"
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress(b'{"n": 1}\n'))
    listed.write_text('[{"n": 2},\n {"n": 3}]')
    assert numbers(load_rows(SOURCE, "test", data=tmp_path, environ={}).rows) == [1]
    table = read_rows(packed, listed)
    assert numbers(table.rows) == [1, 2, 3]
    assert table.rows[2].where == f"{listed}:2"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.jsonl", '{"n": 1}\n{"n": \n', r"rows\.jsonl:2: not valid JSON"),
        ("rows.jsonl", '{"n": 1}\n[2]\n', r"rows\.jsonl:2: an object"),
        ("rows.json", '{"n": 1}', r"rows\.json: a list of rows is needed"),
        ("rows.json", '[{"n": 1}, 2]', r"rows\.json: element 2 of the list"),
        ("rows.json", '[{"n": 1},\n\n oops]', r"rows\.json: not valid JSON: .* at line 3, column 2"),
        ("rows.jsonl", "\n", r"rows\.jsonl: holds no rows"),
        ("rows.csv", "n\n1\n", r"rows\.csv: what kind of file"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_line(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        load_rows(SOURCE, "test", data=tmp_path / name, environ=OFFLINE)


def test_a_field_that_is_needed_is_named_with_file_line_and_key() -> None:
    row = Row({"n": 1, "empty": None, "zero": 0}, "rows.jsonl", 7)
    assert need(row, "n") == 1
    assert need(row, "zero") == 0
    with pytest.raises(DataError, match=r"rows\.jsonl:7: field 'answer' is missing; the row has n, empty, zero"):
        need(row, "answer")
    with pytest.raises(DataError, match=r"rows\.jsonl:7: field 'empty' is null"):
        need(row, "empty")


def test_a_path_that_is_not_there_is_an_error_and_not_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "toy" / "test.jsonl", 1)
    environ = {"MOJ_DATA": str(tmp_path)}
    with pytest.raises(DataError, match=r"--data toy=.*absent: no such file or folder"):
        load_rows(SOURCE, "test", data=tmp_path / "absent", environ=environ)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"--data toy=.*empty: no file test\*\.jsonl in that folder"):
        load_rows(SOURCE, "test", data=tmp_path / "empty", environ=environ)
    with pytest.raises(DataError, match=r"MOJ_DATA=.*absent: no such folder"):
        load_rows(SOURCE, "test", environ={"MOJ_DATA": str(tmp_path / "absent")})
    with pytest.raises(DataError, match="toy has no split 'dev'; it has test, train"):
        load_rows(SOURCE, "dev", environ=environ)


@pytest.fixture
def without_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "environ",
    [
        OFFLINE,
        {"HF_ENDPOINT": "http://127.0.0.1:9"},  # the discard port: nobody listens
    ],
)
def test_data_that_is_nowhere_names_what_was_looked_for_and_what_to_do(
    tmp_path: Path, environ: dict[str, str], without_proxy: None
) -> None:
    with pytest.raises(DataError) as caught:
        load_rows(SOURCE, "test", environ={**environ, "MOJ_DATA": str(tmp_path)})
    message = str(caught.value)
    assert "\n" not in message
    for part in (SOURCE.hub, SOURCE.revision, "toy/test*.jsonl", str(tmp_path), "--data toy=PATH", "set MOJ_DATA"):
        assert part in message
    assert ("HF_HUB_OFFLINE is set" in message) == (environ is OFFLINE)
    assert ("127.0.0.1 cannot be reached" in message) == (environ is not OFFLINE)


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own for `datasets`, which has a process-wide one."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    return tmp_path / "cache"


def hub(folder: Path) -> Source:
    """A data set as it lies on the hub, with two configurations."""
    for config, rows in (("first", (1, 2)), ("second", (3,))):
        write(folder / config / "test.jsonl", *rows)
        write(folder / config / "train.jsonl", 9)
    (folder / "README.md").write_text(
        "---\nconfigs:\n"
        + "".join(
            f"- config_name: {config}\n  data_files:\n"
            f"  - split: test\n    path: {config}/test.jsonl\n  - split: train\n    path: {config}/train.jsonl\n"
            for config in ("first", "second")
        )
        + "---\n"
    )
    return Source("toy", str(folder), "main", SOURCE.files, SOURCE.sizes, "MIT", ("first", "second"))


@pytest.mark.usefixtures("hub_cache")
def test_the_hub_gives_every_configuration_in_order(tmp_path: Path) -> None:
    source = hub(tmp_path / "their_data")
    table = load_rows(source, "test", environ={})
    assert numbers(table.rows) == [1, 2, 3]
    assert [row.line for row in table.rows] == [1, 2, 1]
    assert table.rows[2].where.endswith("second/test:1")
    assert (table.origin, table.of) == ("their_data", 3)
    assert len(table.sha256) == 64
    assert load_rows(source, "test", environ={}).sha256 == table.sha256
    assert load_rows(source, "train", environ={}).sha256 != table.sha256


@pytest.mark.parametrize("environ", [OFFLINE, {"HF_ENDPOINT": "http://127.0.0.1:9"}])
def test_without_the_hub_its_cache_is_read_at_the_pinned_revision_only(
    tmp_path: Path, hub_cache: Path, environ: dict[str, str], without_proxy: None, caplog: pytest.LogCaptureFixture
) -> None:
    rows = load_rows(replace(hub(tmp_path / "toy"), configs=("first",)), "test", environ={}).rows
    (prepared,) = hub_cache.glob("toy/first/0.0.0/*/")
    pinned = replace(SOURCE, configs=("first",))
    as_from_hub = hub_cache / "nobody___toy" / "first" / "0.0.0" / SOURCE.revision
    as_from_hub.parent.mkdir(parents=True)
    prepared.rename(as_from_hub)
    found = load_rows(pinned, "test", environ=environ)
    assert numbers(found.rows) == numbers(rows)
    assert "offline mode is enabled" in caplog.text  # the hub's own client would have tried for half a minute
    assert found.origin == f"nobody/toy@{SOURCE.revision}"
    as_from_hub.rename(as_from_hub.with_name("f" * 40))
    with pytest.raises(DataError, match=f"the copy in the cache is not of revision {SOURCE.revision}"):
        load_rows(pinned, "test", environ=environ)


@pytest.mark.usefixtures("hub_cache")
def test_a_configuration_that_the_hub_lacks_is_a_clear_error(tmp_path: Path) -> None:
    source = replace(hub(tmp_path / "their_data"), configs=("third",))
    with pytest.raises(DataError, match="'third' not found"):
        load_rows(source, "test", environ={})


@pytest.mark.parametrize(
    ("name", "pattern", "rows", "size"),
    [("gsm8k", "gsm8k/test*.jsonl", 660, 1319), ("math_hendrycks", "math/math_test*.jsonl", 2500, 5000)],
)
def test_the_real_data_folder_is_understood(shared_data: Path, name: str, pattern: str, rows: int, size: int) -> None:
    source = Source(name, "x/y", "main", {"test": pattern}, {"test": size}, "MIT")
    table = load_rows(source, "test", environ={"MOJ_DATA": str(shared_data)})
    assert (len(table.rows), table.of) == (rows, size)
