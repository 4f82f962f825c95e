"""The worker pool under everything an item can do to it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.errors import MojError
from harness.worker_process import START, DeadlineExceeded, _Timer
from harness.workers import Done, Late, Lost, WorkerPool, usable_cores

ROOT = Path(__file__).parent.parent.parent
OBEY = "tests.harness.worker_functions:obey"
DEADLINE = 0.3


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(OBEY, workers=2, deadline=DEADLINE) as pool:
        yield pool


def values(results: list[Any]) -> list[Any]:
    return [result.value if isinstance(result, Done) else result for result in results]


def pids(pool: WorkerPool) -> set[int]:
    return {worker.process.pid for worker in pool._crew.workers}


def gone(pid: int) -> bool:
    """Whether the process has ended (a zombie has); waits up to ten seconds for it."""
    for _ in range(1000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def test_results_come_in_the_order_of_the_items(pool: WorkerPool) -> None:
    assert values(pool.map(list(range(1000)))) == list(range(1000))


def test_no_items_give_no_results(pool: WorkerPool) -> None:
    assert pool.map([]) == []


def test_options_reach_the_function() -> None:
    with WorkerPool("tests.harness.worker_functions:double", workers=1, deadline=5, options={"offset": 1}) as doubles:
        assert values(doubles.map([1, 2])) == [3, 5]


@pytest.mark.parametrize("verb", ["loop", "hang", "stubborn", "sleep"])
def test_an_item_that_does_not_end_is_late_and_costs_no_other(pool: WorkerPool, verb: str) -> None:
    results = pool.map([1, 2, (verb, 60), *range(3, 90)])
    late = results.pop(2)
    assert isinstance(late, Late)
    assert late.seconds >= DEADLINE
    assert values(results) == [1, 2, *range(3, 90)]


def test_python_code_is_interrupted_without_losing_the_worker(pool: WorkerPool) -> None:
    pool.map([0] * 8)
    before = pids(pool)
    assert isinstance(pool.map([("loop", 0)])[0], Late)
    assert pids(pool) == before


def test_c_code_is_killed_and_its_worker_replaced() -> None:
    with WorkerPool(OBEY, workers=1, deadline=DEADLINE) as one:
        (first,) = values(one.map([("pid", 0)]))
        late, second = one.map([("hang", 0), ("pid", 0)])
        assert isinstance(late, Late)
        assert isinstance(second, Done)
        assert second.value != first
        assert gone(first)


@pytest.mark.parametrize(
    ("item", "cause"),
    [
        (("raise", "not today"), "ValueError: not today"),
        (("raise", "x" * 10_000), "10000 characters"),
        (("leave", 1), "SystemExit: 1"),
        (("segfault", 0), "worker killed by SIGSEGV"),
        (("exit", 3), "worker exited with status 3"),
        (("exit", 0), "worker exited with status 0"),
        (("kill", "SIGKILL"), "worker killed by SIGKILL"),
        (("recurse", 0), "RecursionError"),
        (("thread", 0), "TypeError: cannot pickle"),
        (("unreadable", 0), "the result cannot be read here: ValueError: not to be read"),
        (("close", 0), "worker exited"),
    ],
)
def test_an_item_that_fails_is_lost_with_its_cause_and_costs_no_other(
    pool: WorkerPool, item: tuple[str, Any], cause: str
) -> None:
    results = pool.map([*range(40), item, *range(40)])
    lost = results.pop(40)
    assert isinstance(lost, Lost)
    assert cause in lost.cause
    assert len(lost.cause) < 1000
    assert values(results) == [*range(40), *range(40)]


def test_memory_is_bounded_and_a_worker_that_ran_out_is_replaced() -> None:
    with WorkerPool(OBEY, workers=1, deadline=10, memory=1 << 30) as small:
        first, lost, second = small.map([("pid", 0), ("grab", 2 << 30), ("pid", 0)])
        assert isinstance(lost, Lost)
        assert "MemoryError" in lost.cause
        assert isinstance(first, Done)
        assert isinstance(second, Done)
        assert first.value != second.value
        assert isinstance(small.map([("grab", 1 << 20)])[0], Done)


def test_an_item_too_big_for_its_worker_is_lost_alone() -> None:
    with WorkerPool(OBEY, workers=1, deadline=10, memory=80 << 20) as small:
        lost, kept = small.map([b"x" * (60 << 20), 1])
        assert isinstance(lost, Lost)
        assert kept == Done(1, kept.seconds)


def test_a_worker_killed_from_outside_loses_its_item_only(tmp_path: Path) -> None:
    with WorkerPool(OBEY, workers=1, deadline=30) as one:
        (pid,) = values(one.map([("pid", 0)]))
        found: list[Any] = []
        started = tmp_path / "started"
        thread = threading.Thread(target=lambda: found.extend(one.map([1, ("file_then_sleep", str(started)), 2])))
        thread.start()
        while not started.exists():
            time.sleep(0.005)
        os.kill(pid, signal.SIGKILL)
        thread.join()
        assert values([found[0], found[2]]) == [1, 2]
        assert isinstance(found[1], Lost)
        assert found[1].cause == "worker killed by SIGKILL"


def test_a_worker_killed_between_items_loses_none() -> None:
    with WorkerPool(OBEY, workers=1, deadline=5) as one:
        (pid,) = values(one.map([("pid", 0)]))
        os.kill(pid, signal.SIGKILL)
        assert values(one.map([1, 2, 3])) == [1, 2, 3]


def test_waiting_for_a_worker_does_not_count_towards_the_deadline() -> None:
    with WorkerPool(OBEY, workers=1, deadline=0.5) as one:
        results = one.map([("sleep", 0.1)] * 8)  # the last starts 0.7 s after it was handed in
        assert all(isinstance(result, Done) for result in results)


def test_the_start_of_an_item_is_measured_in_its_worker() -> None:
    with WorkerPool(OBEY, workers=1, deadline=5) as one:
        one.map([0])
        (worker,) = one._crew.workers
        before = time.monotonic()
        one.map([1])
        assert before <= START.unpack_from(worker.page, 8)[0] <= time.monotonic()


def test_a_kill_takes_along_what_the_item_started() -> None:
    with WorkerPool(OBEY, workers=1, deadline=5) as one:
        (child,) = values(one.map([("spawn", 60)]))
    assert gone(child)


def test_sets_are_ordered_alike_in_every_worker() -> None:
    with WorkerPool(OBEY, workers=1, deadline=5) as one, WorkerPool(OBEY, workers=1, deadline=5) as other:
        assert values(one.map([("hash", "x")])) == values(other.map([("hash", "x")]))


def test_start_up_does_not_count_towards_the_deadline() -> None:
    with WorkerPool("tests.harness.slow_import:echo", workers=1, deadline=0.2) as slow:
        assert values(slow.map([1])) == [1]


def test_several_threads_share_a_pool(pool: WorkerPool) -> None:
    found: dict[int, list[Any]] = {}

    def ask(number: int) -> None:
        found[number] = values(pool.map([number * 1000 + i for i in range(200)]))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: [number * 1000 + i for i in range(200)] for number in range(6)}


def test_a_short_map_does_not_wait_for_a_long_one() -> None:
    with WorkerPool(OBEY, workers=1, deadline=5) as one:
        one.map([0])
        order: list[str] = []
        long = threading.Thread(target=lambda: (one.map([("sleep", 0.01)] * 60), order.append("long")))
        long.start()
        time.sleep(0.02)
        one.map([1])
        order.append("short")
        long.join()
        assert order == ["short", "long"]


def test_nothing_a_worker_writes_reaches_the_user(capfd: pytest.CaptureFixture[str]) -> None:
    with WorkerPool(OBEY, workers=1, deadline=5) as one:
        assert values(one.map([("say", "a loud worker")])) == ["a loud worker"]
        (worker,) = one._crew.workers
        assert os.fstat(worker.complaints.fileno()).st_size == 0  # nor does it fill the disk
    out, err = capfd.readouterr()
    assert "loud" not in out + err


def test_workers_import_neither_the_callers_main_nor_more_than_their_function(tmp_path: Path) -> None:
    script = tmp_path / "caller.py"
    script.write_text(
        "import json, sys\n"
        "print('main runs')\n"
        "from harness.workers import WorkerPool\n"
        f"print(json.dumps(WorkerPool({OBEY!r}, workers=1, deadline=5).map([('modules', 0)])[0].value))\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout.count("main runs") == 1
    assert done.stderr == ""  # not even a warning for the pool that nobody closed
    modules = json.loads(done.stdout.splitlines()[1])
    assert not {"torch", "numpy", "harness.workers"} & set(modules)


def test_workers_find_what_the_parent_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "only_here.py").write_text("def echo(item):\n    return item\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with WorkerPool("only_here:echo", workers=1, deadline=5) as here:
        assert values(here.map(["found"])) == ["found"]


@pytest.mark.parametrize(
    ("function", "cause"),
    [
        ("no_such_module:f", "No module named 'no_such_module'"),
        ("tests.harness.worker_functions:nothing", "has no attribute 'nothing'"),
    ],
)
def test_a_function_that_cannot_be_imported_is_one_clear_error(function: str, cause: str) -> None:
    with WorkerPool(function, workers=2, deadline=1) as none, pytest.raises(MojError, match=cause):
        none.map([1, 2, 3])


@pytest.mark.parametrize(
    ("function", "options"),
    [
        ("no_attribute", {"deadline": 1}),
        ("__main__:f", {"deadline": 1}),
        (OBEY, {"deadline": 0}),
        (OBEY, {"deadline": float("inf")}),
        (OBEY, {"deadline": 1, "workers": 0}),
    ],
)
def test_a_pool_refuses_what_cannot_work(function: str, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"function|deadline|workers"):
        WorkerPool(function, **options)


def test_workers_start_with_the_first_map_and_only_as_many_as_it_needs() -> None:
    with WorkerPool(OBEY, workers=3, deadline=5) as three:
        assert pids(three) == set()
        three.map([1])
        assert len(pids(three)) == 1
        assert len(set(values(three.map([("pid", 0)] * 30))) | pids(three)) <= 3


def test_a_closed_pool_has_no_workers_and_refuses_work() -> None:
    one = WorkerPool(OBEY, workers=1, deadline=5)
    (pid,) = values(one.map([("pid", 0)]))
    one.close()
    one.close()
    assert gone(pid)
    with pytest.raises(ValueError, match="closed"):
        one.map([1])


def test_closing_from_another_thread_ends_a_map_under_way() -> None:
    one = WorkerPool(OBEY, workers=1, deadline=30)
    one.map([0])
    threading.Timer(0.1, one.close).start()
    with pytest.raises(ValueError, match="closed"):
        one.map([("sleep", 20), ("sleep", 20)])


def test_a_pool_without_references_takes_its_workers_along() -> None:
    one = WorkerPool(OBEY, workers=1, deadline=5)
    (pid,) = values(one.map([("pid", 0)]))
    del one
    assert gone(pid)


@contextmanager
def _caller(body: str) -> Iterator[subprocess.Popen[str]]:
    """A parent process with a pool of one worker, whose process id is the first line it prints."""
    script = (
        "import os, signal, sys, time\nfrom harness.workers import WorkerPool\n"
        f"pool = WorkerPool({OBEY!r}, workers=1, deadline=60)\n"
        "print(pool.map([('pid', 0)])[0].value, flush=True)\n" + body
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True) as parent:
        try:
            yield parent
        finally:
            with suppress(ProcessLookupError):
                os.killpg(parent.pid, signal.SIGKILL)  # its forks too: none may outlive a test that fails


@pytest.mark.parametrize("item", ["('loop', 0)", "('hang', 0)"])
def test_workers_die_with_a_parent_that_is_killed(item: str) -> None:
    with _caller(f"pool.map([{item}])") as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        assert gone(pid)


def test_ctrl_c_leaves_no_worker_and_a_pool_that_can_go_on() -> None:
    body = (
        "try:\n    print('mapping', flush=True)\n    pool.map([('hang', 0)] * 5)\n"
        "except KeyboardInterrupt:\n    print(pool.map([7])[0].value, flush=True)\n"
    )
    with _caller(body) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert parent.stdout.readline() == "mapping\n"
        time.sleep(0.1)
        parent.send_signal(signal.SIGINT)
        assert parent.stdout.readline() == "7\n"
        assert parent.wait() == 0
        assert gone(pid)


def test_a_fork_of_the_parent_gets_workers_of_its_own_and_leaves_the_others() -> None:
    body = (
        "child = os.fork()\n"
        "if child == 0:\n    print(pool.map([('pid', 0)])[0].value, flush=True)\n    sys.exit()\n"
        "os.waitpid(child, 0)\nprint(pool.map([('pid', 0)])[0].value, flush=True)\n"
    )
    with _caller(body) as parent:
        assert parent.stdout is not None
        first, forked, again = (int(parent.stdout.readline()) for _ in range(3))
        assert parent.wait() == 0
    assert forked != first
    assert again == first


def test_a_fork_that_asks_for_nothing_leaves_the_workers_when_it_ends() -> None:
    body = (
        "child = os.fork()\n"
        "if child == 0:\n    sys.exit()\n"
        "os.waitpid(child, 0)\nprint(pool.map([('pid', 0)])[0].value, flush=True)\n"
    )
    with _caller(body) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == parent.stdout.readline()
        assert parent.wait() == 0


def test_a_pool_works_after_torch_has_started_its_threads(pool: WorkerPool) -> None:
    assert torch.ones(256, 256).mm(torch.ones(256, 256)).sum().item() == 256**3
    with WorkerPool(OBEY, workers=1, deadline=5) as one:
        assert values(one.map([1])) == [1]


def test_the_timer_does_not_raise_once_disarmed() -> None:
    before = signal.getsignal(signal.SIGALRM)
    try:
        timer = _Timer()
        timer.arm(60)
        timer.disarm()
        signal.raise_signal(signal.SIGALRM)
        timer.arm(60)
        with pytest.raises(DeadlineExceeded):
            signal.raise_signal(signal.SIGALRM)
        signal.raise_signal(signal.SIGALRM)
    finally:
        timer.disarm()
        signal.signal(signal.SIGALRM, before)


def test_the_number_of_workers_follows_the_usable_cores() -> None:
    assert 1 <= usable_cores() <= len(os.sched_getaffinity(0))


def test_the_hang_of_these_tests_is_one_that_no_signal_handler_can_end() -> None:
    """Otherwise the tests above would prove nothing about code that never looks up."""
    body = (
        "import os, signal\nfrom tests.harness import worker_functions\n"
        "signal.signal(signal.SIGALRM, lambda *_: os._exit(0))\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.05)\n"
        "print('hanging', flush=True)\nworker_functions.obey(('hang', 0))\n"
    )
    with subprocess.Popen([sys.executable, "-c", body], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.kill()
