"""Evaluating: every model on every benchmark, unfinished rows asked or judged again, finished ones never."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks import BENCHMARKS
from benchmarks.base import Benchmark, Loaded, Request
from benchmarks.evaluate import evaluate
from benchmarks.progress import Progress
from benchmarks.settings import Settings
from harness.errors import ConfigError, JudgeError, ModelError, RunFolderError
from harness.jsonl import read_jsonl
from harness.records import Case, Message, Prompt, Verdict
from judges.base import decided
from tests.fake_openai import FakeOpenAI

SEEN: list[str] = []
BROKEN: set[str] = set()


class Flaky:
    """Passes a response equal to its target, unless it is broken for that prompt; remembers what it judged."""

    name = "flaky"

    def __call__(self, cases: Sequence[Case]) -> list[Verdict]:
        return [self._one(case) for case in cases]

    def _one(self, case: Case) -> Verdict:
        SEEN.append(case.prompt.id)
        if "raise" in BROKEN:
            raise JudgeError("the judge cannot work")
        if case.prompt.id in BROKEN:
            return Verdict("flaky", "error", reason="out of order")
        return decided("flaky", case.response.text == case.prompt.target, reason="compared")


def load(request: Request) -> Loaded:
    prompts = tuple(Prompt(str(i), (Message("user", f"say {i}"),), str(i)) for i in range(request.limit or 4))
    return Loaded(prompts, "made here", "0" * 64, 4, ("a notice",))


BENCHMARKS.register("flaky_test")(Benchmark("flaky_test", "a test", load, lambda: {"flaky_test/m": Flaky()}))


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    SEEN.clear()
    BROKEN.clear()
    monkeypatch.chdir(tmp_path)


def write(path: str, rows: list[dict[str, Any]]) -> None:
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows))


def model(server: FakeOpenAI) -> str:
    return f"openai:any@{server.base_url}"


def test_a_response_whose_judge_failed_is_judged_again_and_not_asked_again() -> None:
    with FakeOpenAI() as server:
        BROKEN.update({"1", "2"})
        (first,) = evaluate([model(server)], ["flaky_test"], out=Path("run"))
        assert (first["decided"], first["undecided"]["error"]) == (2, 2)
        assert first["metrics"]["flaky_test/m"]["bounds"] == [0.0, 0.5]
        BROKEN.clear()
        SEEN.clear()
        (second,) = evaluate([model(server)], ["flaky_test"], out=Path("run"))
        assert second["decided"] == 4
        assert sorted(SEEN) == ["1", "2"]
        assert len(server.calls) == 4


def test_a_judge_that_raises_keeps_every_response_for_the_next_run() -> None:
    with FakeOpenAI() as server:
        BROKEN.add("raise")
        with pytest.raises(JudgeError, match="cannot work"):
            evaluate([model(server)], ["flaky_test"], Settings(samples=5), out=Path("run"))
        paid = len(server.calls)
        BROKEN.clear()
        (second,) = evaluate([model(server)], ["flaky_test"], Settings(samples=5), out=Path("run"))
        assert second["decided"] == 20
        assert len(server.calls) - paid <= 20 - len(read_jsonl(Path("run/errors.jsonl")))


def test_a_row_whose_engine_failed_is_asked_again() -> None:
    down = {"say 2", "say 3"}
    with FakeOpenAI(choose=lambda body, _: "500" if body["messages"][-1]["content"] in down else None) as server:
        settings = Settings(model_args={"retries": 0})
        (first,) = evaluate([model(server)], ["flaky_test"], settings, out=Path("run"))
        assert (first["n"], first["decided"]) == (4, 2)
        assert {row["prompt_id"] for row in read_jsonl(Path("run/errors.jsonl"))} == {"2", "3"}
        down.clear()
        (second,) = evaluate([model(server)], ["flaky_test"], settings, out=Path("run"))
    assert second["decided"] == 4
    assert len(read_jsonl(Path("run/samples.jsonl"))) == 4


def test_a_finished_run_asks_nobody_and_engine_options_may_change() -> None:
    with FakeOpenAI() as server:
        (first,) = evaluate([model(server)], ["flaky_test"], out=Path("run"))
    (second,) = evaluate([model(server)], ["flaky_test"], Settings(model_args={"concurrency": 1}), out=Path("run"))
    assert first == second


def test_a_recording_or_a_benchmark_that_changed_is_another_run() -> None:
    write("said.jsonl", [{"prompt_id": i, "response": str(i)} for i in range(4)])
    evaluate(["replay:said.jsonl"], ["flaky_test"], out=Path("run"))
    write("said.jsonl", [{"prompt_id": i, "response": "x"} for i in range(4)])
    with pytest.raises(RunFolderError, match="model_sha256"):
        evaluate(["replay:said.jsonl"], ["flaky_test"], out=Path("run"))
    with pytest.raises(RunFolderError, match=r"prompts_sha256\.flaky_test"):
        evaluate(["replay:said.jsonl"], ["flaky_test"], Settings(system="Be brief."), out=Path("run"))


def test_a_mistake_changes_nothing_in_a_folder_to_be_overwritten() -> None:
    evaluate(["scripted:1"], ["flaky_test"], out=Path("run"))
    before = Path("run/samples.jsonl").read_bytes()
    with pytest.raises(ModelError):
        evaluate(["hf:absent"], ["flaky_test"], out=Path("run"), overwrite=True)
    assert Path("run/samples.jsonl").read_bytes() == before
    with pytest.raises(ModelError):
        evaluate(["hf:absent"], ["flaky_test"], out=Path("new"))
    assert not Path("new").exists()
    evaluate(["scripted:1"], ["flaky_test"], out=Path("run"), overwrite=True)
    assert Path("run/samples.jsonl").read_bytes() == before, "the same run goes on"
    evaluate(["scripted:2"], ["flaky_test"], out=Path("run"), overwrite=True)
    assert Path("run/samples.jsonl").read_bytes() != before


def test_a_spent_budget_stops_every_benchmark_and_model_and_keeps_what_was_paid() -> None:
    with FakeOpenAI(latency=0.02) as server:
        price = {"any": {"input": 1000, "output": 1000}}
        notices: list[str] = []
        results = evaluate(
            [model(server), f"openai:other@{server.base_url}"],
            ["flaky_test"],
            Settings(samples=10, model_args={"concurrency": 4, "prices": {**price, "other": price["any"]}}),
            out=Path("runs"),
            budget_usd=0.05,
            on_notice=notices.append,
        )
        assert sum(result["decided"] for result in results) == len(server.calls) < 40, "every paid reply is a row"
        assert results[1]["decided"] == 0
        assert sum("budget" in notice for notice in notices) == 2


def test_the_default_folder_follows_from_the_configuration() -> None:
    (first,) = evaluate(["scripted:1"], ["flaky_test"])
    (again,) = evaluate(["scripted:1"], ["flaky_test"])
    (other,) = evaluate(["scripted:1"], ["flaky_test"], Settings(seed=1))
    assert first["run"] == again["run"] != other["run"]
    assert Path(first["run"]).parent == Path("runs")


def test_results_are_the_answer_without_the_run() -> None:
    found = evaluate(["scripted:1", "scripted:2"], ["flaky_test"], out=Path("runs"))
    assert len({result["run"] for result in found}) == 2
    for result in found:
        saved = json.loads((Path(result["run"]) / "results.json").read_text())
        assert saved == {key: value for key, value in result.items() if key != "run"}


def test_progress_and_notices_reach_the_caller() -> None:
    places: list[Progress] = []
    notices: list[str] = []
    evaluate(["scripted:1"], ["flaky_test"], out=Path("run"), on_progress=places.append, on_notice=notices.append)
    assert (places[0].done, places[-1].done, places[-1].total) == (0, 4, 4)
    assert places[-1].score == 0.25
    assert notices == ["a notice"]


def test_samples_are_drawn_at_temperature_one_unless_told_otherwise() -> None:
    benchmark = BENCHMARKS.get("flaky_test")
    assert Settings().sampling(benchmark).temperature == 0
    assert Settings(samples=4).sampling(benchmark).temperature == 1
    assert Settings(samples=4, gen={"temperature": 0.3, "stop": "x"}).sampling(benchmark).temperature == 0.3
    assert Settings(gen={"stop": "x"}).sampling(benchmark).stop == ("x",)


@pytest.mark.parametrize(
    "settings",
    [
        lambda: Settings(limit=0),
        lambda: Settings(samples=0),
        lambda: Settings(gen={"temperature": "hot"}).sampling(BENCHMARKS.get("flaky_test")),
        lambda: evaluate([], ["flaky_test"]),
        lambda: evaluate(["scripted:1"], ["flaky_test"], Settings(data={"gsm8k": "x"})),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: Any) -> None:
    with pytest.raises(ConfigError):
        settings()


def test_a_system_message_stands_first_in_chat_and_in_plain_text() -> None:
    evaluate(["scripted:1"], ["flaky_test"], Settings(system="Be brief."), out=Path("run"))
    row = read_jsonl(Path("run/samples.jsonl"))[0]
    assert row["prompt"]["messages"][0] == {"role": "system", "content": "Be brief."}


def test_another_config_is_refused_by_its_keys() -> None:
    evaluate(["scripted:1"], ["flaky_test"], out=Path("run"))
    with pytest.raises(RunFolderError, match="limit: null there, 2 now"):
        evaluate(["scripted:1"], ["flaky_test"], Settings(limit=2), out=Path("run"))
