"""What people import stands, and what the README shows runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import moj
from moj.options import parser

README = Path(__file__).parent.parent.parent / "README.md"


def test_every_exported_name_imports() -> None:
    for name in moj.__all__:
        assert getattr(moj, name) is not None
    with pytest.raises(AttributeError, match="get_judge"):
        moj.get_juge  # noqa: B018  # the look-up itself is what is tested


@pytest.mark.parametrize("name", moj.__all__)
def test_every_export_is_itself_in_a_fresh_process_and_stays_so(name: str) -> None:
    code = (
        f"from moj import {name} as first\nimport moj\nassert callable(first), first\n"
        f"assert moj.{name} is first is getattr(moj, {name!r})"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_readmes_python_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})


def test_the_readmes_commands_exist() -> None:
    blocks = re.findall(r"```\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    lines = re.findall(r"^moj (\w+)", "\n".join(blocks), re.MULTILINE)
    (commands,) = [action for action in parser()._actions if action.dest == "command"]
    assert lines
    assert set(lines) <= set(commands.choices or ())


def test_the_judge_of_the_contract_takes_its_options() -> None:
    judge = moj.get_judge("math", precision=None, strict=True, set_relations=False)
    case = moj.Case(moj.Prompt("1", (), "70000"), moj.Response("1", 0, "#### 70,000"))
    assert judge.name == "math"
    assert [verdict.outcome for verdict in judge([case])] == ["pass"]
    assert judge([]) == []
