"""What the worker tests run in worker processes: ordinary, slow, stuck, crashing and greedy functions."""

import ctypes
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any


def double(item: int, offset: int = 0) -> int:
    return 2 * item + offset


def obey(item: Any) -> Any:
    """Does what the item says: a (verb, argument) pair, or returns it unchanged."""
    if not isinstance(item, tuple):
        return item
    verb, argument = item
    return VERBS[verb](argument)


def _loop(_: Any) -> None:
    while True:
        pass


def _stubborn(_: Any) -> None:
    while True:
        try:
            while True:
                pass
        except BaseException:  # noqa: BLE001 - the case under test
            pass


def _hang(_: Any) -> int:
    return sum(itertools.repeat(1))  # never leaves C, never gives up the GIL, never runs a signal handler


def _recurse(depth: int) -> int:
    return _recurse(depth + 1) + 1


def _file_then_sleep(name: Any) -> None:
    open(name, "w").close()
    time.sleep(60)


def _raise(message: Any) -> None:
    raise ValueError(message)


def _grab(size: Any) -> int:
    return len(bytearray(size))


def _segfault(_: Any) -> None:
    ctypes.string_at(0)


def _say(text: Any) -> str:
    sys.stdout.write(f"{text}\n")
    sys.stderr.write(f"{text}\n")
    os.write(1, str(text).encode())
    os.write(2, str(text).encode())
    return str(text)


class Unreadable:
    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return _raise, ("not to be read",)


VERBS: dict[str, Any] = {
    "loop": _loop,
    "hang": _hang,
    "recurse": _recurse,
    "file_then_sleep": _file_then_sleep,
    "stubborn": _stubborn,
    "raise": _raise,
    "grab": _grab,
    "segfault": _segfault,
    "exit": os._exit,
    "leave": sys.exit,
    "kill": lambda name: os.kill(os.getpid(), getattr(signal, name)),
    "sleep": time.sleep,
    "say": _say,
    "pid": lambda _: os.getpid(),
    "thread": lambda _: threading.Lock(),
    "unreadable": lambda _: Unreadable(),
    "spawn": lambda seconds: subprocess.Popen(["sleep", str(seconds)]).pid,
    "hash": hash,
    "modules": lambda _: sorted(sys.modules),
    "close": lambda _: os.closerange(3, 64),
}
