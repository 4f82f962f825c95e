"""What the tests of the openai engine share: prompts, an engine at the fake server, and what it gave."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from harness.engines.base import Failure, Sampling
from harness.engines.openai_api import OpenAIEngine
from harness.engines.openai_request import Options, request_body
from harness.records import Message, Prompt, Response
from tests.fake_openai import Chooser, FakeOpenAI, answer

PROMPTS = [Prompt(f"p{i}", (Message("system", "be brief"), Message("user", f"what is {i}?"))) for i in range(40)]


class Naps:
    """A sleep that only notes what was asked of it."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        await asyncio.sleep(0)


def engine_at(server: FakeOpenAI, naps: Naps | None = None, **options: Any) -> OpenAIEngine:
    return OpenAIEngine(f"any@{server.base_url}", Options(**options), template_args={}, sleep=naps or Naps())


def drawn(
    engine: OpenAIEngine,
    prompts: Sequence[Prompt] = PROMPTS,
    sampling: Sampling | None = None,
    wanted: Mapping[str, Sequence[int]] | None = None,
) -> dict[tuple[str, int], Response | Failure]:
    """What the engine gave for each (prompt, sample); checks that it gave each once. Closes the engine."""
    try:
        results = list(engine.generate(prompts, sampling or Sampling(), wanted=wanted))
    finally:
        engine.close()
    found = {(result.prompt_id, result.sample): result for result in results}
    assert len(found) == len(results)
    return found


def right_text(prompt_id: str, sample: int, sampling: Sampling) -> str:
    """What the server answers to that sample, computed without it."""
    prompt = next(prompt for prompt in PROMPTS if prompt.id == prompt_id)
    return answer(request_body("any", prompt, sample, sampling, Options(), {}))


def always(fault: str | None) -> Chooser:
    return lambda _body, _attempt: fault


def failures(found: Mapping[Any, Response | Failure]) -> list[Failure]:
    return [result for result in found.values() if isinstance(result, Failure)]


def settled(server: FakeOpenAI) -> bool:
    """Whether no request is open, or soon none is."""
    for _ in range(200):
        if server.stats()["calls"] and not server._in_flight:
            return True
        time.sleep(0.02)
    return False
