"""One worker process as its parent sees it: started, fed, watched, killed when an item outlives its deadline."""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import MojError
from harness.worker_process import IDLE, INDEX, PAGE, START, receive, send

GRACE = 0.25  # seconds past the deadline that a worker has to interrupt itself before it is killed
START_LIMIT = 120.0  # seconds a worker may take to import its function
BOOT = (
    "import sys, json; channel, page, parent, path = json.loads(sys.argv[1]); sys.path[:] = path; "
    "from harness.worker_process import serve; serve(channel, page, parent)"
)
Setup = tuple[str, Mapping[str, Any], float, int]  # function, options, deadline in seconds, memory in bytes


@dataclass(frozen=True, slots=True)
class Done:
    """The function returned `value` after `seconds` in the worker."""

    value: Any
    seconds: float


@dataclass(frozen=True, slots=True)
class Late:
    """The item ran past its deadline and was stopped after `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Lost:
    """The function raised, or its worker died; `cause` names the exception or the signal."""

    cause: str
    seconds: float


Result = Done | Late | Lost


class Worker:
    """One process and the parent's end of its channel; used by one thread."""

    def __init__(self, setup: Setup) -> None:
        self.where, self.deadline = setup[0], setup[2]
        self.dead = False
        self.channel, theirs = socket.socketpair()
        self.complaints = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker; closed by `end`
        with theirs, tempfile.TemporaryFile() as shared:
            shared.truncate(PAGE)
            self.page = mmap.mmap(shared.fileno(), PAGE)
            fds = (theirs.fileno(), shared.fileno())
            path = [entry or os.getcwd() for entry in sys.path]
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", BOOT, json.dumps([*fds, os.getpid(), path])],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self.complaints,
                pass_fds=fds,
                start_new_session=True,  # the terminal's Ctrl-C goes to the parent alone
                env={**os.environ, "PYTHONHASHSEED": "0"},  # iteration order, hence sympy's, is the same in every run
            )
        with contextlib.suppress(OSError):
            send(self.channel, setup)

    def await_ready(self) -> None:
        """Waits until the function is imported. Raises `MojError` with the worker's last line where that fails."""
        try:
            self.channel.settimeout(START_LIMIT)
            receive(self.channel)
            self.channel.settimeout(None)
        except (EOFError, OSError) as error:
            self._reap(0.0 if isinstance(error, TimeoutError) else 1.0)
            self.complaints.seek(0)
            lines = self.complaints.read().decode("utf-8", "replace").strip().splitlines()
            late = f"its function was not imported within {START_LIMIT:g} s"
            why = late if isinstance(error, TimeoutError) else lines[-1] if lines else self.epitaph()
            raise MojError(f"a worker process for {self.where} could not start: {why}") from error

    def run(
        self, chunk: list[tuple[int, bytes]], put: Callable[[int, Result], None], unwanted: Callable[[], bool]
    ) -> list[int]:
        """Runs pickled items by index and puts their results; returns the indices that must be run again.

        After a death, `dead` is set, and the item that was running is reported `Late` (we killed it) or `Lost`. Kills
        the worker once nobody wants the results.
        """
        waiting = dict.fromkeys(index for index, _ in chunk)  # in the order of the chunk
        overdue: int | None = None
        try:
            send(self.channel, chunk)
            while waiting:
                if overdue is None and not self._readable():
                    overdue = self._overdue()
                    if overdue is not None or unwanted():
                        self.kill()
                    continue
                index, kind, value, seconds = receive(self.channel)
                del waiting[index]
                put(index, _result(kind, value, seconds))
        except (EOFError, OSError):
            self.dead = True
            self._reap(1.0)
            running = INDEX.unpack_from(self.page, 0)[0]
            if running in waiting:
                del waiting[running]
                seconds = time.monotonic() - START.unpack_from(self.page, 8)[0]
                put(running, Late(seconds) if running == overdue else Lost(self.epitaph(), seconds))
        return list(waiting)

    def _readable(self) -> bool:
        """Waits for an answer, at most until the running item would be overdue (or is next worth a look)."""
        index, start = INDEX.unpack_from(self.page, 0)[0], START.unpack_from(self.page, 8)[0]
        limit = self.deadline + GRACE
        patience = limit if index == IDLE else start + limit - time.monotonic()
        poll = select.poll()  # not `select`, which refuses descriptors above 1023
        poll.register(self.channel, select.POLLIN)
        return bool(poll.poll(max(0.001, min(patience + 0.001, 1.0)) * 1000))

    def _overdue(self) -> int | None:
        """The index of an item past deadline and grace. Index is read before start, which the worker writes first."""
        index: int = INDEX.unpack_from(self.page, 0)[0]
        start: float = START.unpack_from(self.page, 8)[0]
        return index if index != IDLE and time.monotonic() - start > self.deadline + GRACE else None

    def kill(self) -> None:
        """Kills the worker and whatever it started."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.kill()

    def _reap(self, patience: float) -> None:
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:  # an item closed the channel and lives on
            self.kill()
            self.process.wait()

    def epitaph(self) -> str:
        """How the process ended."""
        code = self.process.returncode
        if code is not None and code < 0:
            return f"worker killed by {signal.Signals(-code).name}"
        return f"worker exited with status {code}"

    def end(self) -> None:
        """Kills the worker and lets its files go."""
        self.kill()
        self.process.wait()
        self.channel.close()
        self.complaints.close()
        self.page.close()


def _result(kind: str, value: Any, seconds: float) -> Result:
    if kind == "late":
        return Late(seconds)
    if kind == "lost":
        return Lost(value, seconds)
    try:
        return Done(pickle.loads(value), seconds)
    except Exception as error:  # noqa: BLE001 - unpickling runs code of the value's type, which may raise anything
        return Lost(f"the result cannot be read here: {type(error).__name__}: {error}", seconds)
