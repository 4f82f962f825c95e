"""Ask models, judge what they say, sum up. Writes a run folder row by row, and resumes it.

A finished row is never asked or judged again, a row whose engine or judge failed is, and results are computed from the
folder alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.settings import Settings, run_path
from benchmarks.tasks import Key, OnNotice, OnProgress, Task, judging, prepare, provenance, results, run_folder
from harness.engines.base import Engine, Failure
from harness.errors import ConfigError
from harness.models import label, open_engine
from harness.records import Response, from_dict
from harness.runs import RunFolder, environment


def evaluate(
    models: Sequence[str],
    benchmarks: Sequence[str],
    settings: Settings | None = None,
    *,
    out: Path | None = None,
    overwrite: bool = False,
    budget_usd: float | None = None,
    on_progress: OnProgress = lambda _: None,
    on_notice: OnNotice = lambda _: None,
) -> list[dict[str, Any]]:
    """Every model on every benchmark; one result each, as `moj eval --json` prints them, and a run folder a model.

    `out` is the run folder of a single model, the parent of one folder each for several; by default a name under
    `runs/` that follows from the configuration, so that the same call resumes. Raises `MojError` for a user's mistake.
    """
    settings = settings or Settings()
    models, benchmarks = list(dict.fromkeys(models)), list(dict.fromkeys(benchmarks))
    if not models or not benchmarks:
        raise ConfigError("name at least one model and one benchmark")
    tasks = prepare(benchmarks, settings)
    for task in tasks:
        settings.sampling(task.benchmark)  # a wrong value is refused before a model is loaded
        for notice in task.loaded.notices:
            on_notice(notice)
    found: list[dict[str, Any]] = []
    spent = 0.0
    for model in models:
        config = {"command": "eval", "model": model, "benchmarks": benchmarks, **settings.plain()}
        path = run_path(out, model, config, several=len(models) > 1)
        with run_folder(path, config, overwrite=overwrite) as folder:
            left = None if budget_usd is None else budget_usd - spent
            own, cost = _one_model(model, tasks, settings, folder, left, on_progress, on_notice)
            spent += cost
        found += [{**result, "run": str(path)} for result in own]
    return found


def _one_model(
    model: str,
    tasks: Sequence[Task],
    settings: Settings,
    folder: RunFolder,
    budget_usd: float | None,
    on_progress: OnProgress,
    on_notice: OnNotice,
) -> tuple[list[dict[str, Any]], float]:
    """One model on every task, in one folder, with one engine that is opened only if a row is missing; and its cost."""
    cost = 0.0
    manifest = {**environment(), "seed": settings.seed, "datasets": provenance(tasks)}
    missing = [_wanted(task, settings.samples, folder) for task in tasks]
    if any(missing):
        engine = open_engine(
            model, options=settings.model_args, chat=settings.chat, template_args=settings.template_args
        )
        try:
            _check_budget(engine, model, budget_usd)
            folder.write_manifest({**manifest, "engine": engine.describe()})
            for task in tasks:
                _ask(task, engine, model, settings, folder, budget_usd, on_progress, on_notice)
            folder.write_manifest({**manifest, "engine": engine.describe()})
            cost = getattr(engine, "cost_usd", None) or 0.0
        finally:
            engine.close()
    own = [results(task, label(model), _keys(task, settings.samples), folder) for task in tasks]
    folder.write_results(own[0] if len(own) == 1 else {"results": own})
    return own, cost


def _check_budget(engine: Engine, model: str, budget_usd: float | None) -> None:
    """A budget cannot be kept where nobody knows what a token costs."""
    if budget_usd is not None and getattr(engine, "cost_usd", 0.0) is None:
        raise ConfigError(
            f"{label(model)}: a budget needs its price; give it with --model-arg "
            'prices=\'{"NAME": {"input": USD, "output": USD}}\' (per million tokens) or a YAML file'
        )


def _ask(
    task: Task,
    engine: Engine,
    model: str,
    settings: Settings,
    folder: RunFolder,
    budget_usd: float | None,
    on_progress: OnProgress,
    on_notice: OnNotice,
) -> None:
    """Draws, judges and writes the rows of one benchmark that the folder does not hold yet."""
    name = task.benchmark.name
    by_id = {prompt.id: prompt for prompt in task.loaded.prompts}
    wanted = _wanted(task, settings.samples, folder)
    total = len(by_id) * settings.samples
    with judging(task, folder, settings, label(model), total, on_progress) as (judge, tally):
        for response in _unjudged(folder, name):
            if response.sample in wanted.get(response.prompt_id, ()):
                wanted[response.prompt_id].remove(response.sample)
                judge.put(by_id[response.prompt_id], response)
        if not any(wanted.values()):
            return
        for drawn in engine.generate(task.loaded.prompts, settings.sampling(task.benchmark), wanted=wanted):
            tally.cost_usd = getattr(engine, "cost_usd", None)
            if isinstance(drawn, Failure):
                folder.fail({"benchmark": name, **asdict(drawn)})
                tally.failure()
            else:
                judge.put(by_id[drawn.prompt_id], drawn)
            if budget_usd is not None and tally.cost_usd is not None and tally.cost_usd >= budget_usd:
                on_notice(f"the budget of {budget_usd} USD is spent; the same command with a larger one goes on")
                return


def _keys(task: Task, samples: int) -> list[Key]:
    return [(prompt.id, sample) for prompt in task.loaded.prompts for sample in range(samples)]


def _wanted(task: Task, samples: int, folder: RunFolder) -> dict[str, list[int]]:
    """The samples that the folder does not hold yet, by prompt."""
    done = folder.finished(task.benchmark.name)
    wanted: dict[str, list[int]] = {}
    for prompt_id, sample in _keys(task, samples):
        if (prompt_id, sample) not in done:
            wanted.setdefault(prompt_id, []).append(sample)
    return wanted


def _unjudged(folder: RunFolder, name: str) -> Iterator[Response]:
    """Responses of earlier attempts whose judge failed: they are judged again, not asked again."""
    for row in folder.failures():
        if row["benchmark"] == name and row.get("response") is not None:
            yield from_dict(Response, row["response"])
