"""A row is written when its verdicts are there; a judge that failed leaves it unfinished; nothing is lost."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.judging import Judged, Judging, visible
from harness.errors import JudgeError
from harness.records import Case, Prompt, Response, Verdict
from harness.runs import RunFolder
from judges.base import Judge, PerCase, decided


def exact() -> Judge:
    """Passes a response equal to the target; its judge breaks on `break`."""

    def decide(case: Case) -> Verdict:
        if case.response.text == "break":
            return Verdict("exact", "error", reason="the judge broke")
        return decided("exact", case.response.text == case.prompt.target, reason="compared")

    return PerCase("exact", decide)


def run(folder: RunFolder, texts: Sequence[str], judge: Judge | None = None) -> list[Judged]:
    seen: list[Judged] = []
    with Judging("b", {"b/exact": judge or exact()}, folder, reasoning="strip", on_rows=seen.extend) as judging:
        for index, text in enumerate(texts):
            judging.put(Prompt(str(index), (), "right"), Response(str(index), 0, text))
    return seen


def test_every_response_is_judged_and_written_once(tmp_path: Path) -> None:
    texts = ["right", "wrong", "<think>hm</think> right"] * 200
    with RunFolder.open(tmp_path, {}) as folder:
        assert len(run(folder, texts)) == 600
        rows = {row["prompt_id"]: row for row in folder.rows()}
    assert len(rows) == 600
    assert [rows[str(i)]["verdicts"]["b/exact"]["outcome"] for i in range(3)] == ["pass", "fail", "pass"]
    assert rows["2"]["response"]["text"].startswith("<think>"), "the row keeps what the model said"


def test_a_failed_judge_leaves_the_row_unfinished_with_its_response_kept(tmp_path: Path) -> None:
    with RunFolder.open(tmp_path, {}) as folder:
        run(folder, ["right", "break"])
        assert folder.finished("b") == {("0", 0)}
        (attempt,) = folder.failures()
    assert attempt["cause"] == "exact: the judge broke"
    assert attempt["response"]["text"] == "break"


def test_a_judge_that_raises_stops_the_run(tmp_path: Path) -> None:
    class Raises:
        name = "raises"

        def __call__(self, cases: Sequence[Case]) -> list[Verdict]:
            raise JudgeError("no such judge here")

    with RunFolder.open(tmp_path, {}) as folder, pytest.raises(JudgeError, match="no such judge"):
        run(folder, ["right"] * 50, Raises())


def test_what_was_put_before_an_interrupt_is_still_judged(tmp_path: Path) -> None:
    with RunFolder.open(tmp_path, {}) as folder:

        def interrupted() -> None:
            with Judging("b", {"b/exact": exact()}, folder, reasoning="keep", on_rows=lambda _: None) as judging:
                judging.put(Prompt("1", (), "right"), Response("1", 0, "right"))
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert folder.finished("b") == {("1", 0)}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("<think>3 or 4</think>\n\n4", "4"),
        ("opened by the template</think>4", "4"),
        ("<think>a</think>b<think>c</think>d", "d"),
        ("  <think>never closed 4", ""),
        ("the tag <think> in a sentence", "the tag <think> in a sentence"),
    ],
)
def test_think_blocks_are_hidden_from_judges(text: str, shown: str) -> None:
    assert visible(text, "strip") == shown
    assert visible(text, "keep") == text
