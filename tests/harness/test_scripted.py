"""The fake engine says exactly what its script says."""

import json
from typing import Any

import pytest

from harness.engines.base import Failure, Sampling, Scores
from harness.engines.scripted import Answer, ScriptedEngine, open_engine
from harness.errors import ConfigError
from harness.records import Message, Prompt, Response, dumps

PROMPTS = [Prompt(name, (Message("user", f"say {name}"),), target=name.upper()) for name in ("a", "b")]


def said(engine: ScriptedEngine, samples: int = 2, wanted: Any = None) -> list[str]:
    return [
        one.text if isinstance(one, Response) else f"{one.kind}: {one.cause}"
        for one in engine.generate(PROMPTS, Sampling(samples=samples), wanted=wanted)
    ]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("x", ["x", "x", "x", "x"]),
        (["x", "y"], ["x", "y", "x", "y"]),
        ({"a": "x", "b": ["y", "z"]}, ["x", "x", "y", "z"]),
        (lambda prompt, sample: f"{prompt.id}{sample}", ["a0", "a1", "b0", "b1"]),
    ],
)
def test_a_script_is_a_text_a_list_a_mapping_or_a_function(script: Any, expected: list[str]) -> None:
    assert said(ScriptedEngine(script)) == expected


def test_what_the_script_does_not_hold_is_refused() -> None:
    found = said(ScriptedEngine({"a": ["x"]}))
    assert found[0] == "x"
    assert all(one.startswith("refused: the script has") for one in found[1:])
    assert "'b'" in found[2]


def test_failures_pass_and_exceptions_crash_where_they_stand() -> None:
    def script(prompt: Prompt, sample: int) -> Answer:
        if prompt.id == "b":
            return OSError("power cut")
        return Failure(prompt.id, sample, "timeout", "too slow") if sample else "x"

    drawing = ScriptedEngine(script).generate(PROMPTS, Sampling(samples=2))
    assert isinstance(next(drawing), Response)
    assert next(drawing) == Failure("a", 1, "timeout", "too slow")
    with pytest.raises(OSError, match="power cut"):
        next(drawing)


@pytest.mark.parametrize(
    ("target", "expected"), [("", ["", ""]), ("four words in all", ["four words in all"] * 2), ("target", ["A", "B"])]
)
def test_a_model_string_names_a_script(target: str, expected: list[str]) -> None:
    engine = open_engine(target, {})
    assert engine.name == f"scripted:{target}"
    assert said(engine, samples=1) == expected


def test_a_target_that_cannot_be_said_is_refused() -> None:
    prompts = [Prompt("n", (), target=4), Prompt("d", (), target={"a": 1}), Prompt("0", ())]
    found = list(open_engine("target", {}).generate(prompts, Sampling()))
    assert isinstance(found[0], Response)
    assert found[0].text == "4"
    assert [one.kind for one in found[1:] if isinstance(one, Failure)] == ["refused", "refused"]


def test_only_what_is_wanted_is_said() -> None:
    engine = ScriptedEngine(lambda prompt, sample: f"{prompt.id}{sample}")
    assert said(engine, samples=4, wanted={"b": [3, 1]}) == ["b3", "b1"]


def test_tokens_are_words() -> None:
    (one,) = ScriptedEngine("three words here").generate(PROMPTS[:1], Sampling())
    assert isinstance(one, Response)
    assert (one.usage.prompt_tokens, one.usage.completion_tokens, one.engine) == (2, 3, "scripted:")


def test_it_scores_continuations() -> None:
    engine = ScriptedEngine(logp=lambda prompt, text: -1.0 if text == prompt.target else -9.0)
    assert isinstance(engine, Scores)
    rows = engine.loglikelihood(PROMPTS, [["A", "B c"], ["A", "B"]])
    assert [[one.logp for one in row] for row in rows] == [[-1.0, -9.0], [-9.0, -1.0]]
    assert [[one.greedy for one in row] for row in rows] == [[True, False], [False, True]]
    assert rows[0][1].tokens == 2
    with pytest.raises(ValueError, match="shorter"):
        engine.loglikelihood(PROMPTS, [["A"]])


def test_it_takes_no_options_and_describes_itself() -> None:
    with pytest.raises(ConfigError, match="scripted has no option 'x'"):
        open_engine("", {"x": 1})
    engine = ScriptedEngine({"a": "x", "b": "y"})
    said(engine)
    described = engine.describe()
    assert json.loads(dumps(described)) == described
    assert described["script_sha256"] != ScriptedEngine("z").describe()["script_sha256"]
    engine.close()
