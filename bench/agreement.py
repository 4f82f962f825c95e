"""Where our math judge differs from recorded verdicts on real outputs, and each row on which verifiers disagree."""

from __future__ import annotations

from collections import Counter
from typing import Any

from bench.generate import ROOT

MODELS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")


def main() -> None:
    data = ROOT.parent / "shared" / "data"
    if not data.exists():
        print(f"agreement: skipped, {data} is not there")
        return
    gsm8k(data / "gsm8k")
    qwen(data / "math")


def judged(rows: list[tuple[str, str]]) -> list[Any]:
    """Verdicts on (target, response) pairs."""
    from harness.records import Case, Prompt, Response
    from judges import get_judge

    cases = [Case(Prompt(str(i), (), target), Response(str(i), 0, text)) for i, (target, text) in enumerate(rows)]
    return get_judge("math", extract="flexible")(cases)


def gsm8k(folder: Any) -> None:
    from benchmarks.gsm8k import gold
    from harness.jsonl import read_jsonl

    rows = read_jsonl(folder / "example_model_solutions_0000_0659.jsonl")
    for model in MODELS:
        verdicts = judged([(gold(row["ground_truth"], "here"), row[model]["solution"]) for row in rows])
        differ = [
            i for i, (v, row) in enumerate(zip(verdicts, rows, strict=True)) if v.passed != row[model]["is_correct"]
        ]
        print(f"gsm8k {model}: {sum(v.passed for v in verdicts)} of {len(rows)} correct, rows that differ: {differ}")
    rows = read_jsonl(folder / "tora-70b-v1.0_predictions_0000_0659.jsonl")
    verdicts = judged([(row["gold"], f"#### {row['pred']}") for row in rows])
    differ = [(row, v.reason) for v, row in zip(verdicts, rows, strict=True) if v.passed != row["tora_correct"]]
    print(f"gsm8k ToRA-70B: {sum(v.passed for v in verdicts)} of {len(rows)} correct, rows that differ: {differ}")


def qwen(folder: Any) -> None:
    from harness.jsonl import read_jsonl

    samples = read_jsonl(folder / "qwen25math_samples_even.jsonl")
    recorded = read_jsonl(folder / "qwen25math_verdicts_even.jsonl")
    verdicts = judged([(row["gold"], row["response"]) for row in samples])
    print(f"qwen2.5-math: {Counter(verdict.outcome for verdict in verdicts)} of {len(samples)}")
    for row, other, verdict in zip(samples, recorded, verdicts, strict=True):
        said = {name: value for name, value in other.items() if name not in ("problem_idx", "sample")}
        if len(set(said.values())) > 1:
            yes = ", ".join(name for name, value in said.items() if value)
            no = ", ".join(name for name, value in said.items() if not value)
            where = f"problem {row['problem_idx']} sample {row['sample']}"
            print(f"  {where}: we say {verdict.outcome} ({verdict.reason}); right by {yes}; wrong by {no}")
