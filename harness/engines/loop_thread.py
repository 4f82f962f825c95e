"""An event loop in a thread of its own, so that plain code, and code under another loop, can use async clients."""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
Work = Callable[[], Coroutine[Any, Any, T]]

CLOSING = 5.0  # seconds that cancelled work gets to let go of its connections


class LoopThread:
    """Starts with its first use; daemon, so that it never keeps the process alive."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def start(self, work: Work[T]) -> asyncio.Task[T]:
        """Begins `work` in the loop and returns at once."""

        async def begin() -> asyncio.Task[T]:
            return asyncio.create_task(work())

        return self.wait(begin)

    def wait(self, work: Work[T]) -> T:
        """The result of `work`, done in the loop while this thread waits; cancelled where the wait is broken off.

        Raises `RuntimeError` where the loop is closed, before or meanwhile.
        """
        with self._lock:
            loop = self._running()
            future = asyncio.run_coroutine_threadsafe(work(), loop)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise RuntimeError(f"{self._name} was closed while it was in use") from None
        finally:
            future.cancel()

    def cancel(self, task: asyncio.Task[Any]) -> None:
        """Cancels the task and waits, briefly, until it has let go. Does nothing once closed."""

        async def stop() -> None:
            task.cancel()
            await asyncio.wait([task], timeout=CLOSING)

        if threading.current_thread() is self._thread:  # a generator collected as garbage there: waiting would deadlock
            task.cancel()
        elif not self._closed and not sys.is_finalizing():  # at the interpreter's end daemon threads stand still
            self.wait(stop)

    def close(self, last: Work[None]) -> None:
        """Cancels every task, does `last`, ends the thread. May be called twice, and before any use."""

        async def stop() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            if others:
                await asyncio.wait(others, timeout=CLOSING)
            await last()

        with self._lock:
            loop, thread, done = self._loop, self._thread, self._closed
            self._closed = True
        if done or loop is None or thread is None:
            return
        try:
            asyncio.run_coroutine_threadsafe(stop(), loop).result()
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(CLOSING)

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._closed:
            raise RuntimeError(f"{self._name} is closed")
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=_run, args=(self._loop,), name=self._name, daemon=True)
            self._thread.start()
        return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()
