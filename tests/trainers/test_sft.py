import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from harness.errors import ConfigError, DataError, ModelError, MojError, RunFolderError
from tests.trainers import tiny
from trainers.sft import train


class Stop(Exception):
    """Stands for whatever ends a process in the middle."""


def stop_after(step: int) -> Any:
    def on_step(metrics: Mapping[str, Any]) -> None:
        if metrics["step"] == step:
            raise Stop

    return on_step


def metrics(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("sft") / "whole"
    train(tiny.config(), out=run)
    return run


def test_a_run_writes_what_any_tool_loads(whole: Path) -> None:
    last = whole / "checkpoints" / "6"
    tokenizer, model = AutoTokenizer.from_pretrained(last), AutoModelForCausalLM.from_pretrained(last)
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hello"}], tokenize=False, add_generation_prompt=True
    )
    assert text == "<|user|>Hello<|end|><|assistant|>"
    assert tokenizer.decode(model.generation_config.eos_token_id) == "<|end|>" == tokenizer.eos_token
    assert model.config.hidden_size // model.config.num_attention_heads >= 32
    assert sorted(path.name for path in (whole / "checkpoints").iterdir()) == ["2", "4", "6"]
    manifest = json.loads((whole / "manifest.json").read_text())
    assert manifest["data"]["rows"] == manifest["data"]["kept"] == 30
    assert manifest["parameters"] == sum(p.numel() for p in model.parameters())


def test_a_run_logs_each_step_and_learns(whole: Path) -> None:
    rows = metrics(whole)
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[-1]["loss"] < rows[0]["loss"] - 0.5
    assert (rows[0]["lr"], rows[-1]["lr"]) == (pytest.approx(1e-2), pytest.approx(1e-3))
    assert all({"loss", "grad_norm", "lr", "tokens", "tokens_per_second", "epoch"} <= row.keys() for row in rows)


@pytest.mark.parametrize("broken_at", [1, 3, 4, 5])
def test_a_broken_run_goes_on_to_the_bit(whole: Path, tmp_path: Path, broken_at: int) -> None:
    run = tmp_path / "run"
    with pytest.raises(Stop):
        train(tiny.config(), out=run, on_step=stop_after(broken_at))
    said: list[str] = []
    train(tiny.config(), out=run, on_notice=said.append)
    assert said == ([f"going on from step {broken_at // 2 * 2} of 6"] if broken_at > 1 else [])
    assert same(tiny.weights(run, 6), tiny.weights(whole, 6))
    kept = ("step", "loss", "grad_norm", "lr", "tokens")
    assert [[row[k] for k in kept] for row in metrics(run)] == [[row[k] for k in kept] for row in metrics(whole)]


def test_a_killed_process_goes_on_to_the_bit(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from tests.trainers import tiny\n"
        "from trainers.sft import train\n"
        "kill = lambda m: os.kill(os.getpid(), signal.SIGKILL) if m['step'] == 5 else None\n"
        f"train(tiny.config(), out=Path({str(run)!r}), on_step=kill)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], env=dict(os.environ), check=False
    )
    assert done.returncode == -signal.SIGKILL
    train(tiny.config(), out=run)
    assert same(tiny.weights(run, 6), tiny.weights(whole, 6))


def test_a_finished_run_answers_without_training(whole: Path) -> None:
    before = (whole / "metrics.jsonl").read_bytes()
    answer = train(tiny.config(), out=whole, on_step=stop_after(1))
    assert answer["model"] == str(whole / "checkpoints" / "6")
    assert answer["loss"] == metrics(whole)[-1]["loss"]
    assert (whole / "metrics.jsonl").read_bytes() == before


def test_a_torn_checkpoint_is_passed_over(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(Stop):
        train(tiny.config(), out=run, on_step=stop_after(5))
    torn = run / "checkpoints" / ".6.part"  # what a kill while saving leaves behind
    torn.mkdir()
    (torn / "model.safetensors").write_bytes(b"half")
    train(tiny.config(), out=run)
    assert not torn.exists()
    assert same(tiny.weights(run, 6), tiny.weights(whole, 6))


@pytest.mark.parametrize("shape", [{"row_tokens": 64}, {"rows_at_once": 1}, {"row_tokens": 512, "rows_at_once": 2}])
def test_packing_and_accumulation_alter_nothing_but_rounding(
    whole: Path, tmp_path: Path, shape: dict[str, int]
) -> None:
    run = tmp_path / "run"
    train(tiny.config(steps=1, **shape), out=run)
    one, other = metrics(run)[0], metrics(whole)[0]
    assert one["loss"] == pytest.approx(other["loss"], abs=1e-5)
    assert one["grad_norm"] == pytest.approx(other["grad_norm"], rel=1e-4)


def test_the_number_of_threads_changes_no_bit(tmp_path: Path) -> None:
    for threads in (1, 3):
        train(tiny.config(rows_at_once=1, threads=threads), out=tmp_path / str(threads))
    assert same(tiny.weights(tmp_path / "1", 6), tiny.weights(tmp_path / "3", 6))


def test_two_seeds_give_two_models_and_one_seed_one(whole: Path, tmp_path: Path) -> None:
    train(tiny.config(), out=tmp_path / "again")
    assert same(tiny.weights(tmp_path / "again", 6), tiny.weights(whole, 6))
    train(tiny.config(seed=1), out=tmp_path / "other")
    assert not same(tiny.weights(tmp_path / "other", 6), tiny.weights(whole, 6))


def test_epochs_see_each_row_that_often(tmp_path: Path) -> None:
    changes = {"rows": 10, "epochs": 1.5, "batch": 4, "steps": None}
    train(tiny.config(**changes), out=tmp_path / "run")
    assert [row["step"] for row in metrics(tmp_path / "run")] == [1, 2, 3, 4]  # 15 examples, 4 a step
    assert metrics(tmp_path / "run")[-1]["epoch"] == pytest.approx(1.5)


def rows_file(folder: Path, *responses: str) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps({"prompt": "Say it.", "response": text}) + "\n" for text in responses))
    return path


def on_file(path: Path, **changes: Any) -> dict[str, Any]:
    return tiny.config(data=str(path), mix={}, rows=None, batch=2, **changes)


def test_a_model_goes_on_from_a_file_of_rows(whole: Path, tmp_path: Path) -> None:
    path = rows_file(tmp_path, "I say hello.", "I say hello.")
    policy = {"model": f"hf:{whole / 'checkpoints' / '6'}"}
    train({**on_file(path, steps=60, lr=1e-2), "policy": policy}, out=tmp_path / "run")
    rows = metrics(tmp_path / "run")
    assert rows[-1]["loss"] < 0.5 < rows[0]["loss"]


def test_rows_that_are_too_long_stop_the_run_or_are_dropped_aloud(tmp_path: Path) -> None:
    path = rows_file(tmp_path, "Short.", "A much longer answer than that " * 5)
    with pytest.raises(DataError, match=r"1 of 2 rows are longer than max_length 20 tokens: .*rows.jsonl:2 \(\d+\)"):
        train(on_file(path, max_length=20), out=tmp_path / "a")
    said: list[str] = []
    train(on_file(path, max_length=20, too_long="drop"), out=tmp_path / "b", on_notice=said.append)
    assert "1 of 2 rows" in said[0]
    assert json.loads((tmp_path / "b" / "manifest.json").read_text())["data"]["kept"] == 1
    with pytest.raises(DataError, match="2 of 2 rows"):
        train(on_file(path, max_length=3, too_long="drop"), out=tmp_path / "c")


def test_data_that_changed_under_a_run_is_refused(tmp_path: Path) -> None:
    path = rows_file(tmp_path, "One.", "Two.")
    with pytest.raises(Stop):
        train(on_file(path), out=tmp_path / "run", on_step=stop_after(3))
    rows_file(tmp_path, "One.", "Three.")
    with pytest.raises(RunFolderError, match="no longer the data"):
        train(on_file(path), out=tmp_path / "run")


def test_a_run_that_diverges_stops_and_names_its_rows(tmp_path: Path) -> None:
    with pytest.raises(MojError, match=r"step \d+: .*not finite|the gradient's norm"):
        train(tiny.config(lr=1e20, clip=1e9, steps=20, warmup=0.0), out=tmp_path / "run")


def test_an_unknown_key_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"job.yaml: stepz: unknown key; did you mean steps\?"):
        train(tiny.config(stepz=3), out=tmp_path / "run", where="job.yaml")
    assert not (tmp_path / "run").exists()


def test_a_mistake_in_the_data_leaves_no_folder_and_a_broken_run_keeps_its_own(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.jsonl: cannot be read"):
        train(on_file(tmp_path / "none.jsonl"), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    with pytest.raises(MojError, match="step"):
        train(tiny.config(lr=1e20, clip=1e9, steps=20, warmup=0.0), out=tmp_path / "run")
    assert metrics(tmp_path / "run")[0]["step"] == 1


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("hf:no/such/folder", "no/such/folder"),
        ("openai:a@http://localhost:1/v1", "cannot be trained: its weights are not at hand"),
        ("runs/base", "does not name a model"),
    ],
)
def test_a_model_that_cannot_be_trained_is_one_line(tmp_path: Path, model: str, said: str) -> None:
    path = rows_file(tmp_path, "One.")
    with pytest.raises(ModelError, match=said) as caught:
        train({**on_file(path), "policy": {"model": model}}, out=tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_the_number_of_threads_is_given_back(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    train(tiny.config(steps=1, threads=before + 1), out=tmp_path / "run")
    assert torch.get_num_threads() == before
