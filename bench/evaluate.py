"""`moj eval` on 200 rows of a small model against our bare generation loop and lm-eval's, the model loaded in each."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.common import lm_eval_texts, median_ratios, small_model, use_data

ROWS, MAX_TOKENS, BATCH = 200, 128, 32


def main() -> None:
    import benchmarks.evaluate as evaluation
    from benchmarks.settings import Settings
    from benchmarks.tasks import prepare
    from harness.models import open_engine

    use_data()
    model = f"hf:{small_model()}"
    settings = Settings(limit=ROWS, gen={"max_tokens": MAX_TOKENS}, model_args={"threads": 2})
    engine = open_engine(model, settings.model_args)
    (task,) = prepare(["gsm8k"], settings)
    sampling = settings.sampling(task.benchmark)
    scratch = Path(tempfile.mkdtemp())
    evaluation.open_engine = lambda *_, **__: _Kept(engine)  # type: ignore[assignment]  # loaded once, for every run

    def ours() -> None:
        folder = scratch / str(time.monotonic_ns())
        (result,) = evaluation.evaluate([model], ["gsm8k"], settings, out=folder)
        assert result["n"] == ROWS

    def bare() -> None:
        assert sum(1 for _ in engine.generate(task.loaded.prompts, sampling)) == ROWS

    theirs = lm_eval_texts(
        small_model(), [prompt.metadata["plain"] for prompt in task.loaded.prompts], max_tokens=MAX_TOKENS, batch=BATCH
    )
    runs: dict[str, Callable[[], None]] = {"moj eval": ours, "bare loop": bare, "lm-eval": theirs}
    seconds = median_ratios(runs, rounds=3)
    for name, took in seconds.items():
        print(f"{name:<10} {took:7.2f} s   {ROWS / took:6.1f} rows/s")
    print(f"moj eval / bare loop {seconds['moj eval'] / seconds['bare loop']:.3f}   (bound: 1.05)")
    print(f"moj eval / lm-eval   {seconds['moj eval'] / seconds['lm-eval']:.3f}   (bound: 0.6)")
    shutil.rmtree(scratch)


class _Kept:
    """An engine that stays open."""

    def __init__(self, engine: object) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)

    def close(self) -> None:
        pass
