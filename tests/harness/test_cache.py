"""The cache: one answer a question, whoever asks, whatever is killed."""

import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cache import Cache, content_address
from harness.errors import DataError, MojError

ROOT = Path(__file__).parent.parent.parent
WRITER = (
    "import sys\nfrom harness.cache import Cache\ncache = Cache(sys.argv[1], 'test')\n"
    "for number in range(int(sys.argv[2])):\n"
    "    cache.put({'n': number}, {'by': sys.argv[3], 'n': number})\n    print(number, flush=True)\n"
)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    with Cache(tmp_path / "below" / "cache.db", "test") as cache:
        yield cache


@pytest.mark.parametrize("value", [0, "", [], {"text": "é\ud800\x00", "cost": 1e-9}, False, 1 / 3, 10**30])
def test_a_value_comes_back_exactly(cache: Cache, value: Any) -> None:
    assert cache.get("key") is None
    cache.put("key", value)
    assert repr(cache.get("key")) == repr(value)


def test_the_first_value_stays(cache: Cache) -> None:
    cache.put("key", 1)
    cache.put("key", 2)
    assert cache.get("key") == 1
    assert len(cache) == 1


def test_kinds_are_kept_apart(cache: Cache) -> None:
    with Cache(cache.path, "other") as other:
        cache.put("key", 1)
        assert other.get("key") is None
        other.put("key", 2)
        assert (cache.get("key"), other.get("key")) == (1, 2)


def test_what_cannot_be_kept_is_refused(cache: Cache) -> None:
    with pytest.raises(ValueError, match="None"):
        cache.put("key", None)
    with pytest.raises(ValueError, match="JSON"):
        cache.put("key", float("nan"))
    assert cache.get("key") is None


@given(st.dictionaries(st.text(st.characters(codec=None, categories=None)), st.integers() | st.text(), max_size=4))
def test_the_address_is_of_the_content_not_its_order(key: dict[str, Any]) -> None:
    assert content_address(key) == content_address(dict(reversed(key.items())))
    assert content_address(key) != content_address({**key, "more": 1, "\x00": 2})


def test_values_outlive_the_connection(tmp_path: Path) -> None:
    with Cache(tmp_path / "c.db", "test") as cache:
        cache.put({"a": 1, "b": 2}, "kept")
    with Cache(tmp_path / "c.db", "test") as cache:
        assert cache.get({"b": 2, "a": 1}) == "kept"
        cache.close()
        assert cache.get({"b": 2, "a": 1}) == "kept"


def test_four_processes_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    command = [sys.executable, "-c", WRITER, str(path), "300"]
    writers = [
        subprocess.Popen([*command, str(number)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for number in range(4)
    ]
    for writer in writers:
        _, complaint = writer.communicate()
        assert writer.returncode == 0, complaint
    with Cache(path, "test") as cache:
        assert len(cache) == 300
        assert all(cache.get({"n": number})["n"] == number for number in range(300))


def test_a_put_waits_for_another_writer(cache: Cache) -> None:
    cache.put("before", 1)
    other = sqlite3.connect(cache.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.1, other.execute, ["COMMIT"])
    release.start()
    cache.put("key", 1)
    release.join()
    other.close()
    assert cache.get("key") == 1


def test_kill_9_loses_nothing_that_was_put(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    command = [sys.executable, "-c", WRITER, str(path), "1000000", "1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(50):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        put = 50 + len(writer.stdout.readlines())
    with Cache(path, "test") as cache:
        assert put <= len(cache) <= put + 1
        assert cache.get({"n": put - 1}) == {"by": "1", "n": put - 1}
        cache.put("after", 1)


def test_threads_share_a_cache(cache: Cache) -> None:
    def write(thread: int) -> None:
        for number in range(50):
            cache.put([thread, number], number)

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cache) == 200


def test_a_fork_opens_the_file_for_itself(cache: Cache) -> None:
    cache.put("before", 1)
    script = (
        "import os, sys\nfrom harness.cache import Cache\ncache = Cache(sys.argv[1], 'test')\ncache.get('before')\n"
        "child = os.fork()\ncache.put('child' if child == 0 else 'parent', 1)\n"
        "assert cache._owner == os.getpid()\nchild and sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    subprocess.run([sys.executable, "-c", script, str(cache.path)], cwd=ROOT, check=True)
    assert [cache.get(key) for key in ("before", "child", "parent")] == [1, 1, 1]


def test_a_file_that_is_no_cache_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("These are my notes, and no database at all. " * 50)
    before = path.read_bytes()
    with pytest.raises(DataError, match=r"the cache .*notes\.db is damaged or no cache .*: move or delete it"):
        Cache(path, "test").get("key")
    assert path.read_bytes() == before


def test_a_damaged_cache_is_named(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    with Cache(path, "test") as cache:
        for number in range(500):
            cache.put(number, "x" * 200)
    data = bytearray(path.read_bytes())
    data[4096:] = b"\x5a" * (len(data) - 4096)
    path.write_bytes(data)
    with Cache(path, "test") as cache, pytest.raises(DataError, match=r"c\.db is damaged"):
        [cache.get(number) for number in range(500)]


def test_another_programs_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE entries (something_else TEXT)")
    connection.close()
    with Cache(path, "test") as cache, pytest.raises(MojError, match=r"theirs\.db"):
        cache.get("key")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "c.db", tmp_path):
        with pytest.raises(MojError, match=r"the cache .* cannot be"):
            Cache(path, "test").get("key")
