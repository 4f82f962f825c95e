"""Requests in a thread of their own: under a running loop, broken off, interrupted, held back."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from harness.engines.base import Sampling
from harness.engines.openai_api import open_engine
from tests.fake_openai import FakeOpenAI
from tests.harness.openai_client import PROMPTS, always, drawn, engine_at, settled


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as running:
        yield running


def test_it_works_under_a_running_event_loop(server: FakeOpenAI) -> None:
    async def main() -> int:
        return len(drawn(engine_at(server)))

    assert asyncio.run(main()) == len(PROMPTS)


def test_closing_the_generator_cancels_what_is_under_way() -> None:
    with FakeOpenAI(
        choose=lambda body, _: None if body["messages"][-1]["content"].endswith(" 0?") else "silence"
    ) as server:
        engine = engine_at(server, concurrency=4)
        results = engine.generate(PROMPTS, Sampling())
        next(results)
        results.close()
        assert settled(server)
        before = len(server.calls)
        server.choose = None
        assert len(drawn(engine, PROMPTS[:3])) == 3  # and the engine goes on
        assert len(server.calls) == before + 3


def test_closing_the_engine_ends_a_generation_under_way() -> None:
    with FakeOpenAI(choose=always("silence")) as server:
        engine = engine_at(server)
        ended: list[BaseException] = []

        def read() -> None:
            try:
                list(engine.generate(PROMPTS, Sampling()))
            except RuntimeError as error:
                ended.append(error)

        reader = threading.Thread(target=read)
        reader.start()
        while not server.calls:
            time.sleep(0.01)
        engine.close()
        reader.join(20)
        assert "closed" in str(ended[0])
        assert settled(server)
    with pytest.raises(RuntimeError, match="closed"):
        next(engine.generate(PROMPTS, Sampling()))
    engine.close()


def test_an_engine_never_used_closes_quietly() -> None:
    engine = open_engine("any@http://127.0.0.1:9/v1", {})
    engine.close()
    assert not any(thread.name == engine.name for thread in threading.enumerate())


def test_an_interrupt_ends_the_wait_and_cancels_the_requests() -> None:
    with FakeOpenAI() as server:

        def choose(_body: Mapping[str, Any], _attempt: int) -> str:
            if len(server.calls) == 3:
                os.kill(os.getpid(), signal.SIGINT)
            return "silence"

        server.choose = choose
        engine = engine_at(server, concurrency=4)
        with pytest.raises(KeyboardInterrupt):
            list(engine.generate(PROMPTS, Sampling()))
        assert settled(server)
        engine.close()


def test_a_reader_that_pauses_holds_the_requests_back(server: FakeOpenAI) -> None:
    engine = engine_at(server, concurrency=3)
    results = engine.generate(PROMPTS, Sampling())
    next(results)
    time.sleep(0.3)
    assert len(server.calls) <= 1 + 3 + 3 + 1  # taken, queued, waiting to be queued, begun by the first one's leaving
    assert len(list(results)) == len(PROMPTS) - 1
    engine.close()
