"""A pool of long-lived processes that run one function on many items, each against a wall-clock deadline.

An item that hangs, crashes or eats its memory costs itself and nothing else: Python code is interrupted inside the
worker, C code that never looks up is killed with its process, and the rest of its chunk is sent again.
"""

from __future__ import annotations

import contextlib
import json
import math
import mmap
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.errors import MojError
from harness.worker_process import IDLE, INDEX, PAGE, START, receive, send

GRACE = 0.25  # seconds past the deadline that a worker has to interrupt itself before it is killed
START_LIMIT = 120.0  # seconds a worker may take to import its function
CHUNK = 32  # items in flight per worker at most
MOST_WORKERS = 16
STILLBORN_LIMIT = 3
BOOT = (
    "import sys, json; channel, page, parent, path = json.loads(sys.argv[1]); sys.path[:] = path; "
    "from harness.worker_process import serve; serve(channel, page, parent)"
)


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


class WorkerPool:
    """Runs `attr(item, **options)` for `function` = "module:attr" in worker processes; usable from any thread.

    `deadline` is in seconds of wall clock from the item's own start, measured in the worker, so that queueing does
    not count. `workers` defaults to the usable cores. `memory` bounds each worker's address space in bytes. Workers
    start at the first `map` that needs them and end with `close`, with the pool's last reference or with the parent.
    """

    def __init__(
        self,
        function: str,
        *,
        workers: int | None = None,
        deadline: float,
        options: Mapping[str, Any] | None = None,
        memory: int = 4 << 30,
    ) -> None:
        module, _, attribute = function.partition(":")
        if not attribute or module == "__main__":
            raise ValueError(f"function is {function!r}; it is 'module:attribute' of a module that can be imported")
        if not (deadline > 0 and math.isfinite(deadline)):
            raise ValueError(f"deadline is {deadline}; it is a positive number of seconds")
        count = usable_cores() if workers is None else workers
        if count < 1:
            raise ValueError(f"workers is {workers}; at least 1 is needed")
        pickle.dumps(options)  # a mistake in the options shows here, not in a thread
        self._setup = (function, dict(options or {}), deadline, memory)
        self._start(count)

    def _start(self, count: int) -> None:
        self._crew = _Crew(self._setup, count)
        self._finalizer = weakref.finalize(self, self._crew.close)

    def map(self, items: Sequence[Any]) -> list[Result]:
        """One result per item, in order. Raises `MojError` where no worker can be started at all."""
        if self._crew.owner != os.getpid() and not self._crew.closed:
            self._finalizer.detach()
            self._start(self._crew.size)  # we are a fork: the threads and workers of the original are not ours
        return self._crew.map([pickle.dumps(item, pickle.HIGHEST_PROTOCOL) for item in items])

    def close(self) -> None:
        """Ends the workers. A `map` under way in another thread raises."""
        self._finalizer()

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def usable_cores() -> int:
    """Cores this process may run on, at most 16 (beyond, memory and start-up cost more than they give)."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_WORKERS)


@dataclass(slots=True, eq=False)
class _Job:
    """One call of `map`: chunks of item indices still to run, and the results so far."""

    blobs: list[bytes]
    pending: deque[list[int]]
    results: list[Result | None]
    left: int
    stillborn: int = 0  # workers that died on a chunk without one answer, and with no item to blame
    error: Exception | None = None
    finished: threading.Event = field(default_factory=threading.Event)

    def put(self, index: int, result: Result) -> None:
        self.results[index] = result
        self.left -= 1
        if not self.left:
            self.finished.set()

    def abandon(self, error: Exception) -> None:
        self.error = error
        self.pending.clear()
        self.finished.set()


class _Crew:
    """The threads, one per worker process, that take chunks from the jobs in turn. Holds no reference to the pool."""

    def __init__(self, setup: tuple[str, dict[str, Any], float, int], size: int) -> None:
        self.owner = os.getpid()
        self.setup = setup
        self.size = size
        self.closed = False
        self.active: list[_Job] = []  # calls of map under way
        self.jobs: deque[_Job] = deque()  # those with chunks that nobody has taken yet
        self.changed = threading.Condition()  # guards all that follows; re-entrant, for close can come from the GC
        self.threads: list[threading.Thread] = []
        self.workers: set[_Worker] = set()

    def map(self, blobs: list[bytes]) -> list[Result]:
        if not blobs and not self.closed:
            return []
        width = max(1, min(CHUNK, len(blobs) // (4 * self.size)))
        chunks = deque(list(range(at, min(at + width, len(blobs)))) for at in range(0, len(blobs), width))
        job = _Job(blobs, chunks, [None] * len(blobs), len(blobs))
        with self.changed:
            if self.closed:
                raise ValueError("the worker pool is closed")
            self.active.append(job)
            self.jobs.append(job)
            while len(self.threads) < min(self.size, sum(len(each.pending) for each in self.jobs)):
                thread = threading.Thread(target=self._tend, name="moj-worker", daemon=True)
                self.threads.append(thread)
                thread.start()
            self.changed.notify_all()
        try:
            job.finished.wait()
        finally:
            with self.changed:
                self.active.remove(job)
                if not job.finished.is_set():  # Ctrl-C: workers get no more of this job, and drop what they have
                    job.abandon(InterruptedError("map was interrupted"))
        if job.error:
            raise job.error
        return [result for result in job.results if result is not None]

    def close(self) -> None:
        if self.owner != os.getpid():
            return
        with self.changed:
            self.closed = True
            for job in self.active:
                job.abandon(ValueError("the worker pool was closed"))
            for worker in self.workers:
                worker.kill()
            self.changed.notify_all()
            threads = [thread for thread in self.threads if thread is not threading.current_thread()]
        for thread in threads:
            thread.join(5.0)

    def _take(self) -> tuple[_Job, list[int]] | None:
        """The next chunk, jobs taking turns; waits for one, `None` when closed."""
        with self.changed:
            while not self.closed:
                while self.jobs and not self.jobs[0].pending:
                    self.jobs.popleft()
                if self.jobs:
                    job = self.jobs[0]
                    self.jobs.rotate(-1)
                    return job, job.pending.popleft()
                self.changed.wait()
            return None

    def _return(self, job: _Job, rest: list[int]) -> None:
        with self.changed:
            if rest and not job.error:
                job.pending.appendleft(rest)
                if job not in self.jobs:
                    self.jobs.append(job)
                self.changed.notify()

    def _tend(self) -> None:
        worker: _Worker | None = None
        try:
            while (taken := self._take()) is not None:
                job, chunk = taken
                try:
                    if worker is None:
                        worker = self._hire()
                    rest = worker.run(job, chunk, self.changed)
                except Exception as error:  # noqa: BLE001 - the caller waits in another thread: it must learn of anything
                    rest = []
                    with self.changed:
                        job.abandon(error)
                    if worker is not None:
                        worker.dead = True
                if worker is not None and worker.dead:
                    self._dismiss(worker)
                    worker = None
                self._return(job, rest)
        finally:
            if worker is not None:
                self._dismiss(worker)

    def _hire(self) -> _Worker:
        try:
            worker = _Worker(self.setup)
        except OSError as error:
            raise MojError(f"a worker process for {self.setup[0]} could not start: {error}") from error
        with self.changed:
            self.workers.add(worker)
            if self.closed:
                worker.kill()
        try:
            worker.await_ready()
        except MojError:
            self._dismiss(worker)
            raise
        return worker

    def _dismiss(self, worker: _Worker) -> None:
        with self.changed:
            self.workers.discard(worker)
        worker.end()


class _Worker:
    """One process and the parent's end of its channel; used by one thread."""

    def __init__(self, setup: tuple[str, dict[str, Any], float, int]) -> None:
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
            why = late if isinstance(error, TimeoutError) else lines[-1] if lines else self._epitaph()
            raise MojError(f"a worker process for {self.where} could not start: {why}") from error

    def run(self, job: _Job, chunk: list[int], guard: threading.Condition) -> list[int]:
        """Runs the chunk and puts its results into the job; returns the indices that must be run again.

        After a death, `dead` is set, and the item that was running is reported `Late` (we killed it) or `Lost`.
        """
        waiting = dict.fromkeys(chunk)  # in the order of the chunk
        overdue: int | None = None
        try:
            send(self.channel, [(index, job.blobs[index]) for index in chunk])
            while waiting:
                if overdue is None and not self._readable():
                    overdue = self._overdue()
                    if overdue is not None or job.error:
                        self.kill()
                    continue
                index, kind, value, seconds = receive(self.channel)
                del waiting[index]
                result = _result(kind, value, seconds)
                with guard:
                    job.put(index, result)
        except (EOFError, OSError):
            self.dead = True
            self._reap(1.0)
            running = INDEX.unpack_from(self.page, 0)[0]
            with guard:
                if running in waiting:
                    del waiting[running]
                    seconds = time.monotonic() - START.unpack_from(self.page, 8)[0]
                    job.put(running, Late(seconds) if running == overdue else Lost(self._epitaph(), seconds))
                elif len(waiting) == len(chunk):
                    job.stillborn += 1
                    if job.stillborn > STILLBORN_LIMIT:
                        del waiting[chunk[0]]
                        job.put(chunk[0], Lost(f"{self._epitaph()} before it could answer", 0.0))
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

    def _epitaph(self) -> str:
        code = self.process.returncode
        if code is not None and code < 0:
            return f"worker killed by {signal.Signals(-code).name}"
        return f"worker exited with status {code}"

    def end(self) -> None:
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
