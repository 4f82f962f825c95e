"""The inside of one worker: read a chunk of items, run each against its deadline, answer item by item.

Runs in an interpreter of its own, started by `harness/workers.py`; imports nothing but the standard library, so that
a worker costs no more than the function it serves.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import mmap
import os
import pickle
import resource
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

HEADER = struct.Struct("<Q")  # length of the pickled frame that follows
INDEX = struct.Struct("<q")  # at byte 0 of the shared page: the running item's index, IDLE where none runs
START = struct.Struct("<d")  # at byte 8: when it started, in seconds of the monotonic clock, which all processes share
PAGE = 16
IDLE = -1
PR_SET_PDEATHSIG = 1


class DeadlineExceeded(BaseException):
    """Raised into a running item by the timer. Not an `Exception`, so that ordinary handlers let it pass."""


class _Timer:
    """A one-shot wall-clock alarm. Once disarmed it never raises, whatever signal is still on its way."""

    def __init__(self) -> None:
        self.armed = False
        signal.signal(signal.SIGALRM, self._ring)

    def _ring(self, signum: int, frame: FrameType | None) -> None:
        if self.armed:
            self.armed = False
            raise DeadlineExceeded

    def arm(self, seconds: float) -> None:
        self.armed = True
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def disarm(self) -> None:
        self.armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)


def serve(channel_fd: int, page_fd: int, parent: int) -> None:
    """Serves chunks from the channel until it closes. Called by the boot line in `harness/workers.py`."""
    _die_with(parent)
    os.set_inheritable(channel_fd, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    page = mmap.mmap(page_fd, PAGE)
    os.close(page_fd)
    INDEX.pack_into(page, 0, IDLE)
    with socket.socket(fileno=channel_fd) as channel:
        where, options, deadline, memory = receive(channel)
        _limit(memory)
        module, _, attribute = where.partition(":")
        function = getattr(importlib.import_module(module), attribute)
        timer = _Timer()
        send(channel, "ready")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # until here a traceback of a failed start goes to the parent
        with contextlib.suppress(EOFError):
            while True:
                for index, blob in receive(channel):
                    START.pack_into(page, 8, time.monotonic())
                    INDEX.pack_into(page, 0, index)
                    answer, exhausted = _run(function, blob, options, deadline, timer)
                    INDEX.pack_into(page, 0, IDLE)
                    send(channel, (index, *answer))
                    if exhausted:
                        os._exit(0)  # after a MemoryError the heap is not to be trusted; the parent starts another


def _run(
    function: Callable[..., Any], blob: bytes, options: Mapping[str, Any], deadline: float, timer: _Timer
) -> tuple[tuple[str, Any, float], bool]:
    """(kind, pickled value or cause, seconds) of one item, and whether memory ran out.

    Unpickling the item and pickling the value count towards the deadline: either can be made to take for ever.
    """
    start = time.perf_counter()
    try:
        try:
            timer.arm(deadline)
            value = pickle.dumps(function(pickle.loads(blob), **options), pickle.HIGHEST_PROTOCOL)
        except DeadlineExceeded:
            raise
        except BaseException as error:  # noqa: BLE001 - the process boundary: whatever an item raises is its answer
            cause, exhausted = _describe(error), isinstance(error, MemoryError)
            timer.disarm()
            return ("lost", cause, time.perf_counter() - start), exhausted
        timer.disarm()
    except DeadlineExceeded:
        return ("late", None, time.perf_counter() - start), False
    return ("done", value, time.perf_counter() - start), False


def _describe(error: BaseException, limit: int = 500) -> str:
    text = str(error)
    if len(text) > limit:
        text = f"{text[:limit]}… ({len(text)} characters)"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _die_with(parent: int) -> None:
    """Asks the kernel for SIGKILL when the parent's thread ends: an item in C code would not notice a closed pipe."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _limit(memory: int) -> None:
    """Bounds address space to `memory` bytes, writes no core files, and offers this process first to the OOM killer."""
    if sys.platform == "linux":  # elsewhere the kernel takes no such limit
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        soft = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")


def send(channel: socket.socket, value: Any) -> None:
    """Writes one frame."""
    payload = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    channel.sendall(HEADER.pack(len(payload)) + payload)


def receive(channel: socket.socket) -> Any:
    """Reads one frame. Raises `EOFError` when the other side is gone."""
    (length,) = HEADER.unpack(_exactly(channel, HEADER.size))
    return pickle.loads(_exactly(channel, length))


def _exactly(channel: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        try:
            count = channel.recv_into(view)
        except ConnectionResetError:
            count = 0
        if not count:
            raise EOFError
        view = view[count:]
    return data
