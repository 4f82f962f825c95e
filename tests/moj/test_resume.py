"""A kill at any moment loses no finished row, the same command goes on, and results do not tell that it happened."""

import json
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.jsonl import read_jsonl
from tests.fake_openai import FakeOpenAI, answer
from tests.moj.running import moj, start

SMALL = [{"question": f"What is {i} + {i}?", "answer": f"so\n#### {2 * i}"} for i in range(1, 41)]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in SMALL))
    return tmp_path


def rows_of(run: Path) -> list[dict[str, Any]]:
    """The whole rows of a run that may still be writing."""
    path = run / "samples.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]


def wait_for_rows(run: Path, count: int, process: Any, seconds: float = 200) -> None:
    end = time.monotonic() + seconds
    while len(rows_of(run)) < count:
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < end, f"only {len(rows_of(run))} rows after {seconds} s"
        time.sleep(0.02)


def keys(rows: list[dict[str, Any]]) -> Counter[tuple[str, int]]:
    return Counter((row["prompt_id"], row["sample"]) for row in rows)


def test_a_killed_run_goes_on_where_it_was_and_tells_nobody(work: Path) -> None:
    with FakeOpenAI(latency=0.05) as server:
        common = (
            "eval", f"openai:any@{server.base_url}", "-b", "gsm8k", "--data", "gsm8k=test.jsonl", "--samples", "2",
            "--model-arg", "concurrency=4", "--json",
        )  # fmt: skip
        whole = moj(*common, "--out", "whole", cwd=work)
        assert whole.code == 0, whole.err
        process = start(*common, "--out", "torn", cwd=work)
        wait_for_rows(work / "torn", 20, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = rows_of(work / "torn")
        assert 0 < len(before) < 80
        with (work / "torn" / "samples.jsonl").open("ab") as file:
            file.write(b'{"benchmark": "gsm8k", "prompt_id": "39", "sam')
        resumed = moj(*common, "--out", "torn", cwd=work)
        assert resumed.code == 0, resumed.err
    after = rows_of(work / "torn")
    assert after[: len(before)] == before, "finished rows stay as they are"
    assert set(keys(after).values()) == {1}
    assert len(after) == 80
    assert (work / "torn" / "results.json").read_bytes() == (work / "whole" / "results.json").read_bytes()


def test_ctrl_c_exits_130_says_how_to_go_on_and_keeps_what_is_done(work: Path) -> None:
    with FakeOpenAI(latency=0.05) as server:
        common = (
            "eval", f"openai:any@{server.base_url}", "-b", "gsm8k", "--data", "gsm8k=test.jsonl",
            "--model-arg", "concurrency=2", "--out", "run", "--json",
        )  # fmt: skip
        process = start(*common, cwd=work)
        wait_for_rows(work / "run", 5, process)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
        assert 5 <= len(rows_of(work / "run")) < 40
        assert moj(*common, cwd=work).json["decided"] == 40


@pytest.mark.slow
def test_a_misbehaving_server_invents_and_loses_nothing(work: Path) -> None:
    """429 with Retry-After, 500, cut connections, invalid JSON and silence on a fifth of the calls."""
    with FakeOpenAI(fault_share=0.2, silence=30.0, seed=3) as server:
        common = (
            "eval", f"openai:any@{server.base_url}", "-b", "gsm8k", "--data", "gsm8k=test.jsonl", "--samples", "3",
            "--model-arg", "timeout=2", "--model-arg", "retries=1", "--out", "run", "--json",
        )  # fmt: skip
        first = moj(*common, cwd=work)
        assert first.code == 0, first.err
        unfinished = 120 - first.json["decided"]
        assert first.json["undecided"]["error"] == unfinished
        causes = read_jsonl(work / "run" / "errors.jsonl")
        assert len(causes) == unfinished > 0, "with one retry some calls meet two faults"
        assert all(row["cause"] for row in causes)
        assert "asks the failed ones again" in first.err
        for _ in range(6):
            done = moj(*common, cwd=work)
        assert done.json["decided"] == 120, done.err
        asked = {json.dumps([call.body["messages"], call.body["seed"]]): answer(call.body) for call in server.calls}
    rows = rows_of(work / "run")
    assert len(rows) == 120
    assert set(keys(rows).values()) == {1}
    assert {row["response"]["text"] for row in rows} <= set(asked.values()), "every text is the server's own"


@pytest.mark.slow
def test_a_real_small_model_is_killed_and_resumed(shared_models: Path, shared_data: Path, tmp_path: Path) -> None:
    model = os.path.relpath(shared_models / "stories260k", tmp_path)
    common = ("eval", f"hf:{model}", "-b", "gsm8k", "--limit", "100", "--samples", "2", "--json")
    env = {"MOJ_DATA": str(shared_data)}
    whole = moj(*common, "--out", "whole", cwd=tmp_path, env=env, timeout=900)
    assert whole.code == 0, whole.err
    process = start(*common, "--out", "torn", cwd=tmp_path, env=env)
    wait_for_rows(tmp_path / "torn", 100, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = rows_of(tmp_path / "torn")
    assert 100 <= len(before) < 200
    resumed = moj(*common, "--out", "torn", cwd=tmp_path, env=env, timeout=900)
    assert resumed.code == 0, resumed.err
    after = rows_of(tmp_path / "torn")
    assert after[: len(before)] == before
    assert set(keys(after).values()) == {1}
    assert len(after) == 200
    assert (tmp_path / "torn" / "results.json").read_bytes() == (tmp_path / "whole" / "results.json").read_bytes()
