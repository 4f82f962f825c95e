"""The math judge against math-verify 0.9 called serially on the same answers: throughput, agreement, algebra alone."""

from __future__ import annotations

import json
import logging
import os
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from harness.records import Case, Prompt, Response, Verdict
from judges import get_judge
from judges.extract import last_boxed
from judges.math.decide import decide
from judges.math.tree import Rules

DATA = Path(os.environ.get("MOJ_DATA") or Path(__file__).parent.parent.parent / "shared" / "data")
STRIDE = 4  # every fourth row: math-verify needs about a minute for all of them
MODELS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")


def main() -> None:
    """Prints both parts."""
    logging.disable(logging.WARNING)  # math-verify says again and again that its time-out is off
    real_mix()
    algebra()


def case(target: str, text: str) -> Case:
    return Case(Prompt(id="0", messages=(), target=target), Response(prompt_id="0", sample=0, text=text))


def rows(name: str) -> list[dict[str, Any]]:
    with (DATA / name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def mix() -> list[Case]:
    """Every `STRIDE`-th answer of the GSM8K solutions, the Qwen2.5-Math samples and the MATH solutions."""
    cases = [
        case(row["ground_truth"].rpartition("A:")[2].strip(), row[model]["solution"])
        for row in rows("gsm8k/example_model_solutions_0000_0659.jsonl")
        for model in MODELS
    ]
    cases += [case(row["gold"], row["response"]) for row in rows("math/qwen25math_samples_even.jsonl")]
    cases += [case(row["answer"], row["solution"]) for row in rows("math/math500_even.jsonl")]
    for row in rows("math/math_test_even.jsonl"):
        box = last_boxed(row["solution"])
        if box:
            cases.append(case(box.text, row["solution"]))
    return cases[::STRIDE]


def math_verify(cases: Sequence[Case]) -> list[bool]:
    """Its documented use: parse the target, parse the whole response, verify."""
    import math_verify as peer

    out = []
    for each in cases:
        target = peer.parse(f"${each.prompt.target}$")
        out.append(bool(peer.verify(target, peer.parse(each.response.text))))
    return out


def timed(work: Callable[[Sequence[Case]], Any], cases: Sequence[Case]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = work(cases)
    return result, time.perf_counter() - start


def real_mix() -> None:
    cases = mix()
    judge = get_judge("math", workers=2)
    warm, cold = timed(judge, [case("(x+1)^2", "x^2+2x+1")])  # starts the workers
    math_verify(cases[:20])
    ours, our_time = timed(judge, cases)
    theirs, their_time = timed(math_verify, cases)
    print(f"real mix: {len(cases)} answers; workers start and first proof {cold:.2f} s ({warm[0].outcome})")
    print(f"  ours         {len(cases) / our_time:9.0f} a second")
    print(f"  math-verify  {len(cases) / their_time:9.0f} a second, serial")
    print(f"  ratio        {their_time / our_time:9.1f}  (at least 30)")
    report(cases, ours, theirs)


def report(cases: Sequence[Case], ours: Sequence[Verdict], theirs: Sequence[bool]) -> None:
    differences = [(a, b, c) for a, b, c in zip(cases, ours, theirs, strict=True) if b.passed != c]
    print(f"  same verdict on {len(cases) - len(differences)} of {len(cases)}; different:")
    for each, verdict, other in differences:
        ending = " ".join(each.response.text[-60:].split())
        print(f"    math-verify {'accepts' if other else 'refuses'}; ours: {verdict.reason[:150]}  …{ending}")


def algebra() -> None:
    """Answers that only algebra decides, which all go to the workers. The best of three rounds of new pairs counts."""
    judges = {workers: get_judge("math", workers=workers) for workers in (1, 2)}
    for judge in judges.values():
        judge([each for each in generated(random.Random(0)) if _hard(each)][:64])  # starts the workers
    rates: dict[str, list[float]] = {"math-verify": [], "1 worker": [], "2 workers": []}
    for seed in (1, 2, 3):
        cases = [each for each in generated(random.Random(seed)) if _hard(each)]
        for name, work in (("math-verify", math_verify), ("1 worker", judges[1]), ("2 workers", judges[2])):
            results, seconds = timed(work, cases)
            rates[name].append(len(cases) / seconds)
            accepted = sum(each if isinstance(each, bool) else each.passed for each in results)
            print(f"  {len(cases)} equal pairs, {name}: accepts {accepted}, {rates[name][-1]:.0f} a second")
    peer, single, double = (max(rates[name]) for name in ("math-verify", "1 worker", "2 workers"))
    print(f"  one worker against math-verify {single / peer:.2f} (at least 1), two against one {double / single:.2f}")
    print(f"  two workers against math-verify {double / peer:.2f} (at least 1.8)")


def _hard(each: Case) -> bool:
    return decide(each.prompt.target, each.response.text, Rules()) is None


def generated(draw: random.Random) -> list[Case]:
    """Pairs that are equal and look different: polynomials, radicals, trigonometry, logarithms, scaled equations."""
    cases = []
    for _ in range(60):
        a, b, c, d = (draw.randint(2, 9) for _ in range(4))
        cases += [
            case(f"{a * c}x^2+{a * d + b * c}x+{b * d}", f"({a}x+{b})({c}x+{d})"),
            case(rf"\frac{{1}}{{x+{a}}}+\frac{{1}}{{x+{a + b}}}", rf"\frac{{2x+{2 * a + b}}}{{(x+{a})(x+{a + b})}}"),
            case(rf"\frac{{{a}}}{{\sqrt{{{c * c + 1}}}-{c}}}", rf"{a}\sqrt{{{c * c + 1}}}+{a * c}"),
            case(rf"{a}\sin^2 x+{a + b}\cos^2 x", rf"{a}+{b}\cos^2 x"),
            case(rf"{a}\ln 2+\ln {b}", rf"\ln {b * 2**a}"),
            case(f"{a}x+{b}y={c}", rf"y=\frac{{{c}-{a}x}}{{{b}}}"),
        ]
    unique = {(each.prompt.target, each.response.text): each for each in cases}.values()
    return [case(each.prompt.target, f"${each.response.text}$") for each in unique]


if __name__ == "__main__":
    main()
