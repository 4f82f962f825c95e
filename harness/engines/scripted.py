"""A fake engine whose answers are given: for tests, examples and rehearsals, with no model behind it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from harness.engines.base import Failure, LogLikelihood, Preview, Sampling, Wanted, pairs
from harness.engines.options import parse
from harness.records import Prompt, Response, Usage, to_dict

Answer = str | Response | Failure | Exception
Texts = str | Sequence[str]
Script = Texts | Mapping[str, Texts] | Callable[[Prompt, int], Answer]


class Options(BaseModel):
    """It takes none."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def open_engine(
    target: str, options: Mapping[str, Any], *, chat: bool = False, template_args: Mapping[str, Any] | None = None
) -> ScriptedEngine:
    """`scripted:TEXT` always answers TEXT, `scripted:` the empty text, `scripted:target` each prompt's own target.

    The last one rehearses a benchmark: where the target is a text or a number, its judge should pass it. Any other
    target is a refused `Failure`. Raises `ConfigError` for any option.
    """
    parse(Options, "scripted", options)
    return ScriptedEngine(_target if target == "target" else target, name=f"scripted:{target}")


def _target(prompt: Prompt, sample: int) -> Answer:
    if isinstance(prompt.target, (str, int, float)) and not isinstance(prompt.target, bool):
        return str(prompt.target)
    kind = type(prompt.target).__name__
    return Failure(prompt.id, sample, "refused", f"the target is {kind}, neither text nor number: it cannot be said")


class ScriptedEngine:
    """Answers from a script, at once and in order.

    The script is a text; a list of texts, one for each sample of every prompt; a mapping from prompt id to either; or
    a function of prompt and sample. Where it has no answer, or holds a `Failure`, the sample fails; an exception that
    the function returns is raised, as a crash in mid-run would be. Tokens are counted as words.

    `logp(prompt, continuation)` gives log-likelihoods in nats; by default minus the continuation's length.
    """

    def __init__(
        self, script: Script = "", *, name: str = "scripted:", logp: Callable[[Prompt, str], float] | None = None
    ) -> None:
        self.name = name
        self._script = script
        self._logp = logp or (lambda _, continuation: -float(len(continuation)))
        self._first: dict[str, Any] | None = None

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, *, wanted: Wanted | None = None
    ) -> Iterator[Response | Failure]:
        """In the order asked, each drawn only when it is taken."""
        for prompt, samples in pairs(prompts, sampling.samples, wanted):
            self._first = self._first or to_dict(prompt)
            for sample in samples:
                answer = self._answer(prompt, sample)
                if isinstance(answer, Exception):
                    raise answer
                if isinstance(answer, str):
                    read = sum(len(message.content.split()) for message in prompt.messages)
                    usage = Usage(read, len(answer.split()))
                    answer = Response(prompt.id, sample, answer, usage=usage, engine=self.name)
                yield answer

    def loglikelihood(
        self, prompts: Sequence[Prompt], continuations: Sequence[Sequence[str]]
    ) -> list[list[LogLikelihood]]:
        """The given log-likelihoods; the best continuation of each prompt counts as the greedy one."""
        rows = []
        for prompt, texts in zip(prompts, continuations, strict=True):
            values = [self._logp(prompt, text) for text in texts]
            best = max(values, default=0.0)
            pairs_ = zip(values, texts, strict=True)
            rows.append([LogLikelihood(value, max(1, len(text.split())), value == best) for value, text in pairs_])
        return rows

    def preview(self, prompt: Prompt) -> Preview:
        """The prompt's own text: nothing is sent anywhere."""
        text = "\n\n".join(message.content for message in prompt.messages)
        return Preview(text, None, len(text.split()), exact=False)

    def describe(self) -> dict[str, object]:
        """Its name, a hash of the script where that is data, and the first prompt asked."""
        script = None if callable(self._script) else hashlib.sha256(repr(self._script).encode()).hexdigest()
        return {"engine": "scripted", "model": self.name, "script_sha256": script, "first_prompt": self._first}

    def close(self) -> None:
        """Nothing is open."""

    def _answer(self, prompt: Prompt, sample: int) -> Answer:
        script = self._script
        if callable(script):
            return script(prompt, sample)
        if isinstance(script, Mapping):
            if prompt.id not in script:
                return Failure(prompt.id, sample, "refused", f"the script has no answer to prompt {prompt.id!r}")
            script = script[prompt.id]
        if isinstance(script, str):
            return script
        if sample >= len(script):
            return Failure(prompt.id, sample, "refused", f"the script has {len(script)} answers, none for {sample}")
        return script[sample]
