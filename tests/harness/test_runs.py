"""The run folder: nothing lost, nothing twice, nothing half."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from harness.environment import environment, source_commit
from harness.errors import DataError, RunFolderError
from harness.runs import RunFolder, differences, saved_config, saved_rows

ROOT = Path(__file__).parent.parent.parent
CONFIG = {"model": "scripted:", "limit": 100, "gen": {"temperature": 0.0, "stop": ["\n"]}, "shots": None}


def row(number: int, *, benchmark: str = "gsm8k", sample: int = 0, **more: Any) -> dict[str, Any]:
    return {"benchmark": benchmark, "prompt_id": str(number), "sample": sample, **more}


def test_rows_come_back_in_order_and_their_keys_are_finished(tmp_path: Path) -> None:
    rows = [row(1, response="é\n\ud800"), row(1, sample=1), row(0, benchmark="mbpp")]
    with RunFolder.open(tmp_path / "a" / "b", CONFIG) as folder:
        for each in rows:
            folder.append(each)
        assert list(folder.rows()) == rows
        assert folder.finished("gsm8k") == {("1", 0), ("1", 1)}
    with RunFolder.open(tmp_path / "a" / "b", CONFIG) as folder:
        assert list(folder.rows()) == rows
        assert folder.finished("gsm8k") == {("1", 0), ("1", 1)}
        assert folder.finished("mbpp") == {("0", 0)}
        assert folder.finished("ifeval") == set()


def test_a_key_is_finished_once(tmp_path: Path) -> None:
    for _ in range(2):
        with RunFolder.open(tmp_path, CONFIG) as folder:
            if not folder.finished("gsm8k"):
                folder.append(row(1))
            with pytest.raises(ValueError, match="prompt '1', sample 0 is finished already"):
                folder.append(row(1, response="another"))
            assert len(list(folder.rows())) == 1


def test_the_config_is_written_resolved_and_the_same_config_resumes(tmp_path: Path) -> None:
    RunFolder.open(tmp_path, CONFIG).close()
    assert yaml.safe_load((tmp_path / "config.yaml").read_text()) == CONFIG
    assert saved_config(tmp_path) == CONFIG
    before = (tmp_path / "config.yaml").stat()
    RunFolder.open(tmp_path, dict(reversed(CONFIG.items()))).close()
    assert (tmp_path / "config.yaml").stat().st_mtime_ns == before.st_mtime_ns


@example({"stop": "\x85", "\x85": "\ud800\x00"})
@given(st.dictionaries(st.text(max_size=8), st.text(st.characters(codec=None, categories=None)), max_size=4))
def test_any_text_in_a_config_is_the_same_when_it_comes_back(tmp_path_factory: Any, config: dict[str, str]) -> None:
    path = tmp_path_factory.mktemp("run")
    RunFolder.open(path, config).close()
    assert saved_config(path) == config
    RunFolder.open(path, config).close()


def test_another_config_is_refused_with_the_keys_that_differ(tmp_path: Path) -> None:
    with RunFolder.open(tmp_path, CONFIG) as folder:
        folder.append(row(1))
    other = {"model": "scripted:", "limit": 200, "gen": {"temperature": 0.5, "stop": ["\n"], "top_p": 0.9}}
    with pytest.raises(RunFolderError) as caught:
        RunFolder.open(tmp_path, other)
    message = str(caught.value)
    assert "limit: 100 there, 200 now" in message
    assert "gen.temperature: 0.0 there, 0.5 now" in message
    assert "gen.top_p: not set there, 0.9 now" in message
    assert "shots: null there, not set now" in message
    assert "model" not in message
    assert "--overwrite" in message
    assert saved_config(tmp_path) == CONFIG
    assert len(list(saved_rows(tmp_path))) == 1


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": True}, ["a: 1 there, true now"]),
        ({"a": 1}, {"a": 1.0}, ["a: 1 there, 1.0 now"]),
        ({"a": {"b": {"c": [1]}}}, {"a": {"b": {"c": [2]}}}, ["a.b.c: [1] there, [2] now"]),
        ({"a": {"b": 1}}, {"a": 2}, ['a: {"b": 1} there, 2 now']),
        ({"a": "x" * 200}, {}, [f'a: "{"x" * 79}… (202 characters) there, not set now']),
    ],
)
def test_differences_are_named_by_dotted_key(old: Any, new: Any, lines: list[str]) -> None:
    assert differences(old, new) == lines


def test_overwrite_removes_the_earlier_run_and_nothing_else(tmp_path: Path) -> None:
    with RunFolder.open(tmp_path, CONFIG) as folder:
        folder.append(row(1))
        folder.fail(row(2, cause="down"))
        folder.write_results({"n": 1})
    (tmp_path / "checkpoints" / "10").mkdir(parents=True)
    (tmp_path / "notes.txt").write_text("mine")
    with RunFolder.open(tmp_path, {"model": "other"}, overwrite=True) as folder:
        assert folder.finished("gsm8k") == set()
        assert list(folder.failures()) == []
    assert sorted(os.listdir(tmp_path)) == [".lock", "config.yaml", "notes.txt"]
    assert saved_config(tmp_path) == {"model": "other"}


def test_files_of_unknown_origin_are_not_taken_for_a_run(tmp_path: Path) -> None:
    (tmp_path / "samples.jsonl").write_text('{"mine": 1}\n')
    with pytest.raises(RunFolderError, match=r"holds samples\.jsonl but no config\.yaml"):
        RunFolder.open(tmp_path, CONFIG)
    assert (tmp_path / "samples.jsonl").read_text() == '{"mine": 1}\n'
    assert not (tmp_path / "config.yaml").exists()


@pytest.mark.parametrize("torn", [b'{"benchmark": "gsm8k", "prom', b"{", b"\x00" * 70_000, b'{"a": "' + b"x" * 200_000])
@pytest.mark.parametrize("complete", [0, 2])
def test_a_torn_last_line_is_cut_off(tmp_path: Path, torn: bytes, complete: int) -> None:
    with RunFolder.open(tmp_path, CONFIG) as folder:
        for number in range(complete):
            folder.append(row(number))
    for name in ("samples.jsonl", "errors.jsonl", "metrics.jsonl"):
        with (tmp_path / name).open("ab") as file:
            file.write(torn)
    assert len(list(saved_rows(tmp_path))) == complete  # a reader beside a writer sees no torn line either
    with RunFolder.open(tmp_path, CONFIG) as folder:
        assert len(folder.finished("gsm8k")) == complete
        folder.append(row(complete))
        folder.fail(row(9, cause="x"))
        assert len(list(folder.rows())) == complete + 1
        assert len(list(folder.failures())) == 1
    assert (tmp_path / "metrics.jsonl").read_bytes() == b""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{broken", r"samples\.jsonl:2: not valid JSON"),
        ("[1]", r"samples\.jsonl:2: an object"),
        ('{"benchmark": "gsm8k", "sample": 0}', r"samples\.jsonl: row 2: prompt_id is None, not str"),
        ('{"benchmark": "gsm8k", "prompt_id": "1", "sample": "0"}', "row 2: sample is '0', not int"),
    ],
)
def test_a_broken_line_in_the_middle_is_named(tmp_path: Path, line: str, message: str) -> None:
    with RunFolder.open(tmp_path, CONFIG) as folder:
        folder.append(row(1))
    good = (tmp_path / "samples.jsonl").read_text()
    (tmp_path / "samples.jsonl").write_text(good + line + "\n" + good)
    for _ in range(2):  # and the refusal leaves the folder unlocked
        with pytest.raises(DataError, match=message):
            RunFolder.open(tmp_path, CONFIG)


def test_two_runs_do_not_write_one_folder(tmp_path: Path) -> None:
    with RunFolder.open(tmp_path, CONFIG), pytest.raises(RunFolderError, match="being written by another process"):
        RunFolder.open(tmp_path, CONFIG, overwrite=True)
    RunFolder.open(tmp_path, CONFIG).close()


def test_a_closed_folder_refuses_rows(tmp_path: Path) -> None:
    folder = RunFolder.open(tmp_path, CONFIG)
    folder.close()
    folder.close()
    for write in (folder.append, folder.fail, folder.log_metrics, folder.write_results, folder.write_manifest):
        with pytest.raises(ValueError, match="closed"):
            write(row(1))
    assert sorted(os.listdir(tmp_path)) == [".lock", "config.yaml"]


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "run", Path("/proc/run")):
        with pytest.raises(RunFolderError, match=r"cannot be written: .*; choose another with --out"):
            RunFolder.open(path, CONFIG)
    assert os.listdir(tmp_path) == ["file"]


def test_a_row_that_does_not_fit_on_the_disk_leaves_no_trace(tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys\nfrom harness.errors import RunFolderError\nfrom harness.runs import RunFolder\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "folder = RunFolder.open(sys.argv[1], {})\n"
        "row = {'benchmark': 'b', 'prompt_id': '1', 'sample': 0, 'text': 'x' * 600}\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "folder.append(row)\n"
        "try:\n    folder.append({**row, 'prompt_id': '2'})\n"
        "except RunFolderError as error:\n    print(error)\n"
        "print(folder.finished('b'), len(list(folder.rows())))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "samples.jsonl cannot be written: the disk took" in done.stdout
    assert done.stdout.splitlines()[-1] == "{('1', 0)} 1"
    assert (tmp_path / "samples.jsonl").read_bytes().count(b"\n") == 1
    assert (tmp_path / "samples.jsonl").read_bytes().endswith(b"\n")


def test_sigkill_loses_no_row_that_was_reported_finished(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom harness.runs import RunFolder\n"
        "folder = RunFolder.open(sys.argv[1], {})\n"
        "for number in range(10**6):\n"
        "    folder.append({'benchmark': 'b', 'prompt_id': str(number), 'sample': 0, 'text': 'x' * 5000})\n"
        "    print(number, flush=True)\n"
    )
    for attempt in range(3):
        path = tmp_path / str(attempt)
        with subprocess.Popen(
            [sys.executable, "-c", script, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            for _ in range(20 + attempt):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
            reported = 20 + attempt + len(process.stdout.readlines())
        with RunFolder.open(path, {}) as folder:  # the lock went with the process
            finished = folder.finished("b")
            assert {(str(number), 0) for number in range(reported)} <= finished
            assert len(list(folder.rows())) == len(finished) <= reported + 1


def test_threads_do_not_mix_their_rows(tmp_path: Path) -> None:
    with RunFolder.open(tmp_path, CONFIG) as folder:

        def write(thread: int) -> None:
            for number in range(100):
                folder.append(row(number, sample=thread, text="x" * (number * 37)))
                folder.fail(row(number, sample=thread))

        threads = [threading.Thread(target=write, args=(thread,)) for thread in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(list(folder.rows())) == len(folder.finished("gsm8k")) == 400
        assert len(list(folder.failures())) == 400


def test_the_same_results_are_the_same_bytes_in_the_order_given(tmp_path: Path) -> None:
    results = {"z": {"value": 1 / 3, "ci95": [0.1, 0.5]}, "a": None, "text": "é"}
    with RunFolder.open(tmp_path, CONFIG) as folder:
        folder.write_results(results)
        first = (tmp_path / "results.json").read_bytes()
        folder.write_results(json.loads(first))
        assert (tmp_path / "results.json").read_bytes() == first
        assert list(json.loads(first)) == ["z", "a", "text"]
        with pytest.raises(ValueError, match="JSON"):
            folder.write_results({"value": float("nan")})
        assert (tmp_path / "results.json").read_bytes() == first
        folder.write_manifest({"seed": 0})
        folder.log_metrics({"step": 1, "loss": 0.5})
    assert sorted(os.listdir(tmp_path)) == [".lock", "config.yaml", "manifest.json", "metrics.jsonl", "results.json"]


def test_a_config_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"is no run folder: config\.yaml: No such file"):
        saved_config(tmp_path)
    for text, message in (("a: [", "not valid YAML"), ("- a", "no table of keys")):
        (tmp_path / "config.yaml").write_text(text)
        with pytest.raises(RunFolderError, match=message):
            RunFolder.open(tmp_path, CONFIG)


def test_the_environment_names_versions_without_importing_them() -> None:
    found = environment()
    assert found["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"moj", "torch", "transformers", "datasets"} <= set(found["versions"])
    assert json.loads(json.dumps(found)) == found


def test_the_commit_is_that_of_the_source_and_of_no_repository_around_it(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        command = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    (tmp_path / "file").write_text("1")
    (tmp_path / "below").mkdir()
    git("add", "file")
    git("commit", "-q", "-m", "one")
    git("tag", "-a", "v1", "-m", "v1")
    assert source_commit(tmp_path) == git("rev-parse", "HEAD")
    (tmp_path / "file").write_text("2")
    assert source_commit(tmp_path) == git("rev-parse", "HEAD") + "-dirty"
    assert source_commit(tmp_path / "below") is None
