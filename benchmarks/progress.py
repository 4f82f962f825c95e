"""Where a run is: rows done, rows failed, the running score. Counts only; how it is shown is the caller's business."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from benchmarks.judging import Judged


@dataclass(frozen=True, slots=True)
class Progress:
    """Told after every batch of rows. `score` is the running mean of the headline metric over decided rows, `cost_usd`
    what the engine spent so far where it knows prices."""

    benchmark: str
    model: str
    done: int
    total: int
    failed: int
    score: float | None
    cost_usd: float | None


class Tally:
    """The running counts of one benchmark and one model; rows arrive from the judging thread."""

    def __init__(
        self, benchmark: str, headline: str, model: str, *, total: int, tell: Callable[[Progress], None]
    ) -> None:
        self._who = (benchmark, model)
        self._headline = headline
        self._total = total
        self._tell = tell
        self._lock = threading.Lock()
        self._done = 0
        self._failed = 0
        self._sum = 0.0
        self._decided = 0
        self.cost_usd: float | None = None

    def resume(self, scores: Iterable[float | None]) -> None:
        """Counts the rows that an earlier run finished, by their headline scores."""
        with self._lock:
            for score in scores:
                self._count(score)
        self._report()

    def rows(self, rows: list[Judged]) -> None:
        """Counts rows just judged."""
        with self._lock:
            for row in rows:
                if row.finished:
                    self._count(row.verdicts[self._headline].score)
                else:
                    self._failed += 1
        self._report()

    def failure(self) -> None:
        """Counts a sample that the engine could not draw."""
        with self._lock:
            self._failed += 1
        self._report()

    def _count(self, score: float | None) -> None:
        self._done += 1
        if score is not None:
            self._sum += score
            self._decided += 1

    def _report(self) -> None:
        mean = self._sum / self._decided if self._decided else None
        self._tell(Progress(*self._who, self._done, self._total, self._failed, mean, self.cost_usd))
