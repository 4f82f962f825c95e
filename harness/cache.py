"""Answers worth keeping between runs: a table in SQLite, addressed by the content of the question."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any, Self

from harness.errors import DataError, MojError
from harness.jsonl import parse
from harness.records import dumps

BUSY = 60.0  # seconds to wait for another process's write, which takes microseconds


def content_address(key: Any) -> str:
    """SHA-256 of a JSON value, whatever the order of its keys."""
    return hashlib.sha256(dumps(key, sort_keys=True).encode()).hexdigest()


class Cache:
    """JSON values by JSON keys, kept apart by `kind`; safe with several threads and processes, and with kill -9.

    The first value put for a key stays, so that all readers see the same. Raises `DataError` for a file that is not
    a cache or is damaged, `MojError` where it cannot be opened or stays locked.
    """

    def __init__(self, path: Path | str, kind: str) -> None:
        self.path = Path(path)
        self.kind = kind
        self._guard = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._owner = 0

    def get(self, key: Any) -> Any | None:
        """The value of `key`, or `None`."""
        rows = self._run("SELECT value FROM entries WHERE kind = ? AND address = ?", self.kind, content_address(key))
        return parse(rows[0][0], str(self.path)) if rows else None

    def put(self, key: Any, value: Any) -> None:
        """Keeps `value`, unless the key has one already. It is on its way to disk when this returns."""
        if value is None:
            raise ValueError("None cannot be told from an absent value")
        address, text = content_address(key), dumps(value)
        self._run("INSERT OR IGNORE INTO entries (kind, address, value) VALUES (?, ?, ?)", self.kind, address, text)

    def __len__(self) -> int:
        count: int = self._run("SELECT count(*) FROM entries WHERE kind = ?", self.kind)[0][0]
        return count

    def close(self) -> None:
        """Closes the file; a later `get` or `put` opens it again."""
        with self._guard:
            if self._connection is not None and self._owner == os.getpid():
                self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        with self._guard:
            try:
                return self._connected().execute(statement, values).fetchall()
            except sqlite3.OperationalError as error:
                raise MojError(f"the cache {self.path} cannot be used: {error}") from error
            except sqlite3.DatabaseError as error:
                raise DataError(
                    f"the cache {self.path} is damaged or no cache ({error}): move or delete it, with its -wal and "
                    "-shm, and what it held is computed again"
                ) from error

    def _connected(self) -> sqlite3.Connection:
        """The connection of this process: SQLite's do not survive a fork."""
        if self._connection is None or self._owner != os.getpid():
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise MojError(f"the cache {self.path} cannot be made: {error.strerror}") from error
            connection = sqlite3.connect(self.path, timeout=BUSY, isolation_level=None, check_same_thread=False)
            try:
                _prepare(connection)
            except sqlite3.Error:
                connection.close()
                raise
            self._connection, self._owner = connection, os.getpid()
        return self._connection


def _prepare(connection: sqlite3.Connection) -> None:
    """Write-ahead logging lets readers read during a write; `NORMAL` survives a kill, and a power cut but for the last
    moments."""
    give_up = time.monotonic() + BUSY
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:  # changing the mode does not wait for its turn by itself
            if "locked" not in str(error) or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS entries "
        "(kind TEXT, address TEXT, value TEXT NOT NULL, PRIMARY KEY (kind, address)) WITHOUT ROWID"
    )
