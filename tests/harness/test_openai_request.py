"""What is sent, to whom, and what is refused before anything is sent."""

from collections.abc import Iterator
from typing import Any

import pytest

from harness.engines.base import Sampling
from harness.engines.openai_api import open_engine
from harness.engines.openai_request import is_local
from harness.errors import ConfigError
from harness.records import Message, Prompt
from tests.fake_openai import FakeOpenAI
from tests.harness.openai_client import PROMPTS, drawn, engine_at, failures


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as running:
        yield running


def test_sampling_is_sent_as_it_was_asked(server: FakeOpenAI) -> None:
    sampling = Sampling(temperature=0.5, top_p=0.9, top_k=7, max_tokens=11, stop=("\n", "Q:"))
    drawn(engine_at(server), PROMPTS[:1], sampling)
    sent = dict(server.calls[0].body)
    assert isinstance(sent.pop("seed"), int)
    assert sent == {
        "model": "any",
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "what is 0?"}],
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 7,
        "max_tokens": 11,
        "stop": ["\n", "Q:"],
    }


def test_fields_that_a_model_refuses_can_be_renamed_and_left_out(server: FakeOpenAI) -> None:
    options = {"max_tokens_field": "max_completion_tokens", "omit": "temperature, seed", "concurrency": "2"}
    engine = open_engine(f"any@{server.base_url}", options, template_args={"enable_thinking": False})
    drawn(engine, PROMPTS[:1])
    assert set(server.calls[0].body) == {
        "model", "messages", "top_p", "max_completion_tokens", "chat_template_kwargs"
    }  # fmt: skip
    assert server.calls[0].body["chat_template_kwargs"] == {"enable_thinking": False}


def test_a_prompt_that_cannot_be_sent_is_refused_and_costs_no_call(server: FakeOpenAI) -> None:
    prompts = [
        Prompt("plain", (), metadata={"plain": "once upon"}),
        Prompt("nothing", ()),
        Prompt("surrogate", (Message("user", "a\ud800"),)),
    ]
    found = drawn(engine_at(server), prompts)
    assert {failure.prompt_id: failure.kind for failure in failures(found)} == {
        "nothing": "refused",
        "surrogate": "refused",
    }
    assert [call.body["messages"] for call in server.calls] == [[{"role": "user", "content": "once upon"}]]


@pytest.mark.parametrize(
    ("target", "options", "said"),
    [
        ("", {}, "names no model"),
        ("@http://127.0.0.1:1/v1", {}, "names no model"),
        ("any@127.0.0.1:8000/v1", {}, "http://"),
        ("any@localhost", {}, "http://"),
        ("any@http://", {}, "names no host"),
        ("any@http://127.0.0.1:99999/v1", {}, "no URL"),
        ("any@http://me:secret@127.0.0.1/v1", {}, "no credentials"),
        ("gpt-4o", {}, "set the environment variable OPENAI_API_KEY"),
        ("gpt-4o", {"api_key_env": "NOT_SET_HERE"}, "NOT_SET_HERE"),
        ("any@https://api.example.com/v1", {}, "needs a key"),
        ("any@http://127.0.0.1:1/v1", {"concurency": 3}, "did you mean concurrency?"),
        ("any@http://127.0.0.1:1/v1", {"qqqq": 3}, "known: api_key_env"),
        ("any@http://127.0.0.1:1/v1", {"concurrency": 0}, "option concurrency"),
        ("any@http://127.0.0.1:1/v1", {"timeout": "soon"}, "option timeout"),
        ("any@http://127.0.0.1:1/v1", {"omit": "temprature"}, "option omit"),
        ("any@http://127.0.0.1:1/v1", {"prices": {"any": 3}}, "expected the keys input and output"),
        ("any@http://127.0.0.1:1/v1", {"prices": "nowhere.yaml"}, "cannot be read"),
    ],
)
def test_a_wrong_target_or_option_is_told(target: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_engine(target, options)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_without_an_address_the_clients_own_default_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    engine = open_engine("gpt-4o", {})
    assert engine.describe()["base_url"] == "https://api.openai.com/v1"
    assert engine.cost_usd == 0.0  # its list price is known
    monkeypatch.setenv("OPENAI_BASE_URL", "https://gateway.example.com/v1")
    assert open_engine("gpt-4o", {}).describe()["base_url"] == "https://gateway.example.com/v1"
    assert open_engine("name@with-at@https://a.example.com/v1", {}).model == "name@with-at"


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:8000/v1", True),
        ("http://127.0.0.1:8000/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://10.1.2.3/v1", True),
        ("http://gpu-box:8000/v1", True),
        ("https://api.openai.com/v1", False),
        ("http://8.8.8.8/v1", False),
    ],
)
def test_only_servers_nearby_need_no_key(url: str, local: bool) -> None:
    assert is_local(url) is local
