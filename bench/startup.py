"""How long `moj --help` and `moj list` take, against the interpreter's own start."""

import subprocess
import sys
import time
from pathlib import Path

RUNS = 9


def seconds(command: list[str]) -> float:
    """The median wall time of a command."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return sorted(times)[RUNS // 2]


def main() -> None:
    moj = str(Path(sys.executable).parent / "moj")
    bare = seconds([sys.executable, "-c", "pass"])
    print(f"python -c pass    {bare:.3f} s")
    for arguments in (["--help"], ["list"]):
        took = seconds([moj, *arguments])
        print(f"moj {arguments[0]:<12} {took:.3f} s   {took / bare:.1f} x the bare interpreter   (bound: 0.5 s)")
