"""`moj eval --dry-run`: what would be asked, down to the token ids, and what it may cost; nothing is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.settings import Settings
from benchmarks.tasks import prepare
from harness.models import label, open_engine
from moj.show import Show


def dry_run(models: Sequence[str], names: Sequence[str], settings: Settings, show: Show) -> dict[str, Any]:
    """For every model and benchmark: counts, the first prompt as it would be sent, tokens, cost and time at most."""
    plans = []
    tasks = prepare(names, settings)
    for model in models:
        engine = open_engine(
            model, options=settings.model_args, chat=settings.chat, template_args=settings.template_args
        )
        try:
            for task in tasks:
                preview = engine.preview(task.loaded.prompts, settings.sampling(task.benchmark))
                plan = {
                    "benchmark": task.benchmark.name,
                    "model": label(model),
                    "prompts": len(task.loaded.prompts),
                    "rows": len(task.loaded.prompts) * settings.samples,
                    "notices": list(task.loaded.notices),
                    **preview,
                }
                plans.append(plan)
                show.plan(plan)
        finally:
            engine.close()
    return plans[0] if len(plans) == 1 else {"results": plans}
