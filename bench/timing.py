"""Ways of doing the same thing, timed in turns, so that a machine whose speed drifts is unfair to none of them."""

import time
from collections.abc import Callable, Mapping


def best_of(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The shortest wall time of each way in seconds, over `rounds` rounds in which they take turns."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - start)
    return {name: min(seen) for name, seen in times.items()}
