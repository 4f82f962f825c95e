"""Runs `moj` as a user does: another process, its streams and its exit code."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOJ = str(Path(sys.executable).parent / "moj")


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout; fails if anything else stands there."""
        answer: dict[str, Any] = json.loads(self.out)
        return answer


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without data folders or keys, offline, one torch thread."""
    kept = {k: v for k, v in os.environ.items() if k not in ("MOJ_DATA", "OPENAI_API_KEY", "OPENAI_BASE_URL")}
    return {**kept, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "COLUMNS": "160", **(extra or {})}


def moj(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 240) -> Done:
    """Runs the command to its end."""
    done = subprocess.run(
        [MOJ, *arguments], cwd=cwd, env=environment(env), capture_output=True, text=True, timeout=timeout, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


def start(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Starts the command and leaves it running."""
    return subprocess.Popen(
        [MOJ, *arguments],
        cwd=cwd, env=environment(env), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
