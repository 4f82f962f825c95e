"""The openai engine against a server that misbehaves on purpose: nothing invented, nothing lost, all bounded."""

import json
import socket
import subprocess
import sys
import threading
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.engines.base import Sampling
from harness.engines.openai_api import HOPELESS, OpenAIEngine, open_engine
from harness.engines.openai_request import Options
from harness.errors import ModelError
from harness.records import Message, Prompt, Response
from tests.fake_openai import MISBEHAVIOUR, Chooser, FakeOpenAI
from tests.harness.openai_client import PROMPTS, Naps, always, drawn, engine_at, failures, right_text


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as running:
        yield running


def test_with_every_fault_on_a_fifth_of_the_calls_nothing_is_invented_and_nothing_lost() -> None:
    sampling = Sampling(samples=3, temperature=0.7, seed=5)
    with FakeOpenAI(fault_share=0.2, seed=1) as server:
        engine = engine_at(server, timeout=0.4, concurrency=32)
        found = drawn(engine, sampling=sampling)
        met = server.stats()["faults"]
    assert set(met) == {*MISBEHAVIOUR, "none"}  # the test met them all
    assert set(found) == {(prompt.id, sample) for prompt in PROMPTS for sample in range(3)}
    assert not failures(found)
    for (prompt_id, sample), result in found.items():
        assert isinstance(result, Response)
        assert result.text == right_text(prompt_id, sample, sampling)
        assert result.finish_reason == "stop"
    retries = engine.describe()["retries"]
    assert retries == {
        "HTTP 429": met["429"],
        "HTTP 500": met["500"],
        "broken connection": met["cut"],
        "invalid reply": met["json"],
        "timeout": met["silence"],
    }


def test_faults_that_last_become_failures_with_their_cause_and_never_text() -> None:
    faults = ("400", "too_long", "empty", "null", "filter", "type", "429", "500")
    sampling = Sampling(samples=3, temperature=1.0)
    with FakeOpenAI(fault_share=0.4, faults=faults, seed=2) as server:
        found = drawn(engine_at(server, retries=1), sampling=sampling)
        met = server.stats()["faults"]
    assert set(met) == {*faults, "none"}
    failed = failures(found)
    assert len(failed) >= 20
    assert len(found) == 3 * len(PROMPTS)
    assert all(failure.cause for failure in failed)
    assert {failure.kind for failure in failed} == {"error", "refused"}
    for (prompt_id, sample), result in found.items():
        if isinstance(result, Response):
            assert result.text == right_text(prompt_id, sample, sampling)


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        ("500", "error", "HTTP 500: the server had an error; gave up after 3 attempts"),
        ("429", "error", "HTTP 429"),
        ("cut", "error", "the connection broke"),
        ("json", "error", "no JSON"),
        ("silence", "timeout", "no answer within 0.2 s"),
        ("error200", "error", "provider returned error"),
    ],
)
def test_retries_are_bounded_and_counted(fault: str, kind: str, said: str) -> None:
    naps = Naps()
    with FakeOpenAI(choose=always(fault)) as server:
        found = drawn(engine_at(server, naps, retries=2, timeout=0.2), PROMPTS[:3])
        assert Counter(Counter(call.key for call in server.calls).values()) == {3: 3}
    assert len(naps.taken) == 6
    assert [failure.kind for failure in failures(found)] == [kind] * 3
    assert all(said in failure.cause for failure in failures(found))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("400", "error"), ("too_long", "refused"), ("empty", "error"), ("null", "error"), ("filter", "refused")],
)
def test_what_asking_again_cannot_mend_is_asked_once(fault: str, kind: str) -> None:
    with FakeOpenAI(choose=always(fault)) as server:
        found = drawn(engine_at(server))
        assert len(server.calls) == len(PROMPTS)
    assert [failure.kind for failure in failures(found)] == [kind] * len(PROMPTS)


@pytest.mark.parametrize(("fault", "least"), [("429", 4.0), ("429date", 0.0)])
def test_retry_after_is_honoured(fault: str, least: float) -> None:
    naps = Naps()
    once: Chooser = lambda _body, attempt: None if attempt else fault  # noqa: E731 - shorter than a function
    with FakeOpenAI(choose=once, retry_after=4.0) as server:
        found = drawn(engine_at(server, naps), PROMPTS[:5])
    assert not failures(found)
    assert len(naps.taken) == 5
    assert all(least <= nap <= least + 1.5 for nap in naps.taken)


def test_the_same_run_waits_the_same_pauses() -> None:
    taken = []
    for _ in range(2):
        naps = Naps()
        with FakeOpenAI(choose=always("500")) as server:
            drawn(engine_at(server, naps, retries=3, concurrency=1), PROMPTS[:2])
        taken.append(naps.taken)
    assert taken[0] == taken[1]
    assert len(set(taken[0])) == 6  # and each its own


def test_open_requests_never_exceed_the_limit_also_with_two_readers() -> None:
    with FakeOpenAI(latency=0.02) as server:
        engine = engine_at(server, concurrency=4)
        readers = [
            threading.Thread(target=lambda part=part: list(engine.generate(part, Sampling())))
            for part in (PROMPTS[:20], PROMPTS[20:])
        ]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        engine.close()
        assert len(server.calls) == len(PROMPTS)
        assert server.max_in_flight == 4


def test_the_rate_limit_holds_for_every_attempt() -> None:
    now = [0.0]

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    with FakeOpenAI() as server:
        options = Options(requests_per_minute=60, concurrency=1)
        engine = OpenAIEngine(f"any@{server.base_url}", options, template_args={}, clock=lambda: now[0], sleep=sleep)
        drawn(engine, PROMPTS[:10])
    assert now[0] == pytest.approx(9.0)


def test_reserved_tokens_that_were_not_used_are_given_back() -> None:
    def waited(max_tokens: int) -> float:
        now = [0.0]

        async def sleep(seconds: float) -> None:
            now[0] += seconds

        with FakeOpenAI() as server:
            options = Options(tokens_per_minute=6000, concurrency=1)
            engine = OpenAIEngine(
                f"any@{server.base_url}", options, template_args={}, clock=lambda: now[0], sleep=sleep
            )
            drawn(engine, PROMPTS[:20], Sampling(max_tokens=max_tokens))
        return now[0]

    # about 6 + 10 tokens a call, 20 calls, 100 tokens a second, one second's worth at once
    assert 1.0 < waited(50) < 4.0
    assert waited(5000) == pytest.approx(waited(50), abs=1)  # and not the 1000 s that the reservations come to


@pytest.mark.parametrize(
    ("fault", "said"), [("401", "API key is wrong"), ("404", "no such model"), ("parameter", "omit=temperature")]
)
def test_what_every_row_would_meet_ends_the_run_at_once(fault: str, said: str) -> None:
    with FakeOpenAI(choose=always(fault), latency=0.01) as server:
        with pytest.raises(ModelError) as caught:
            drawn(engine_at(server, concurrency=4), PROMPTS * 10)
        assert said in str(caught.value)
        assert server.base_url in str(caught.value)
        assert len(server.calls) <= 8


def test_no_server_at_the_address_is_told_after_the_retries() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    engine = OpenAIEngine(f"any@{address}", Options(retries=1), template_args={}, sleep=Naps())
    with pytest.raises(ModelError, match="is the server running there"):
        drawn(engine)
    assert engine.describe()["retries"]


def test_once_something_was_answered_a_refusal_is_that_rows_own() -> None:
    def refuse(body: Mapping[str, Any], _attempt: int) -> str | None:
        number = int(body["messages"][-1]["content"].removeprefix("what is ").removesuffix("?"))
        return "401" if number % 3 else None

    with FakeOpenAI(choose=refuse) as server:
        found = drawn(engine_at(server, concurrency=1))
    assert len(failures(found)) == 26 > HOPELESS  # more than would end the run, had they come in a row


def test_a_key_revoked_in_mid_run_ends_it_and_what_was_answered_stays() -> None:
    prompts = [Prompt(f"q{i}", (Message("user", f"{i}"),)) for i in range(200)]
    with FakeOpenAI() as server:
        server.choose = lambda _body, _attempt: "401" if len(server.calls) >= 10 else None
        engine = engine_at(server, concurrency=1)
        drawing = engine.generate(prompts, Sampling())
        results = [next(drawing) for _ in range(10 + HOPELESS - 1)]
        with pytest.raises(ModelError):
            next(drawing)
        engine.close()
        assert len(server.calls) == 10 + HOPELESS
    assert [isinstance(result, Response) for result in results] == [True] * 10 + [False] * (HOPELESS - 1)


def test_each_sample_has_a_seed_of_its_own_that_no_batching_changes(server: FakeOpenAI) -> None:
    sampling = Sampling(samples=4, temperature=1.0, seed=3)
    whole = drawn(engine_at(server), sampling=sampling)
    assert len({call.body["seed"] for call in server.calls}) == 4 * len(PROMPTS)
    part = drawn(engine_at(server, concurrency=1), PROMPTS[::-1], sampling, {"p3": [2], "p7": [0, 3], "p1": []})
    assert set(part) == {("p3", 2), ("p7", 0), ("p7", 3)}
    for key, result in part.items():
        other = whole[key]
        assert isinstance(result, Response)
        assert isinstance(other, Response)
        assert result.text == other.text
    assert all(0 <= call.body["seed"] < 2**31 and "n" not in call.body for call in server.calls)


def test_cost_is_summed_from_the_prices_and_unknown_without(server: FakeOpenAI) -> None:
    engine = engine_at(server, prices={"any": {"input": 1.0, "output": 2.0}})
    assert engine.cost_usd == 0.0
    found = drawn(engine)
    total = sum(
        result.usage.prompt_tokens * 1.0 + result.usage.completion_tokens * 2.0
        for result in found.values()
        if isinstance(result, Response)
    )
    assert total > 0
    assert engine.cost_usd == pytest.approx(total / 1e6)
    other = engine_at(server)
    drawn(other)
    assert other.cost_usd is None
    assert "unknown" in str(other.describe()["prices_source"])


def test_replies_without_token_counts_are_estimated_and_counted() -> None:
    with FakeOpenAI(choose=always("no_usage")) as server:
        engine = engine_at(server, prices={"any": {"input": 1.0, "output": 2.0}})
        found = drawn(engine)
    assert not failures(found)
    assert engine.cost_usd is not None
    assert engine.cost_usd > 0
    assert engine.describe()["counts"] == {"requests": 40, "replies_without_usage": 40}


def test_the_description_shows_the_first_prompt_and_no_key(server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret")
    engine = engine_at(server, api_key_env="MY_KEY", concurrency=1)
    drawn(engine)
    assert server.calls[0].headers["authorization"] == "Bearer sk-secret"
    text = json.dumps(engine.describe())
    assert "sk-secret" not in text
    assert engine.describe()["first_prompt"] == server.calls[0].body
    assert engine.describe()["models_served"] == ["any-0001"]
    assert engine.describe()["base_url"] == server.base_url


def test_a_key_that_the_server_echoes_is_not_kept(server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "maximum context length")  # stands in the fault's words
    server.choose = always("too_long")
    found = drawn(engine_at(server), PROMPTS[:1])
    assert "[key] is 8 tokens" in failures(found)[0].cause


def test_a_proxy_is_not_asked_for_this_machine(server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert not failures(drawn(engine_at(server), PROMPTS[:2]))


def test_the_fake_server_runs_as_a_process() -> None:
    command = [sys.executable, "-m", "tests.fake_openai", "--port", "0", "--fault-share", "0.2", "--faults", "429,500"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            port = int(process.stdout.readline())
            engine = open_engine(f"any@http://127.0.0.1:{port}/v1", {"concurrency": 40})
            assert not failures(drawn(engine))
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                f"http://127.0.0.1:{port}/stats"
            ) as reply:
                stats = json.load(reply)
            assert stats["requests"] == len(PROMPTS)
            assert stats["calls"] > len(PROMPTS)
        finally:
            process.terminate()
