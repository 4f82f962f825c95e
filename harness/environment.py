"""What a result depends on besides its config: versions, source commit, platform. For the manifest."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "transformers", "datasets", "tokenizers", "openai", "math-verify", "sympy", "numpy", "vllm")


def environment() -> dict[str, Any]:
    """Versions (`None` where not installed), commit of the source where this is a checkout, platform and cores.

    Reads package metadata only: nothing of all that is imported.
    """
    return {
        "versions": {
            "python": platform.python_version(),
            "moj": version("mixture-of-judges"),
            **{name: version(name) for name in PACKAGES},
        },
        "git_commit": source_commit(Path(__file__).resolve().parent.parent),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
    }


def version(package: str) -> str | None:
    """The installed version of a distribution."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def source_commit(root: Path) -> str | None:
    """The commit checked out in `root`, with `-dirty` where tracked files differ from it; `None` where it is none.

    `.git` must lie in `root` itself: a package installed somewhere below a user's own repository is not its commit.
    """
    if not (root / ".git").exists():
        return None
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            capture_output=True, text=True, timeout=10, check=True, env=plain,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
