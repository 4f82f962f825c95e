import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ConfigError, DataError, UnknownNameError
from harness.records import Case, Prompt, Response
from judges import get_judge
from judges.extract import last_boxed

GOLDEN_FILE = Path(__file__).parent.parent / "golden" / "math.jsonl"
GOLDEN = [json.loads(line) for line in GOLDEN_FILE.read_text(encoding="utf-8").splitlines()]
JUDGE = get_judge("math")  # for cases that need no worker
MODELS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")

# math-verify's own cases on which its expectation is not mathematics, by what is wrong with it.
WRONG = {
    ("$9$", "Answer \\( \n 9 \n \\)"): "the answer is 9; that its formula spans lines is no reason to refuse it",
    ("$x = 11$", "$x = 5+5+1 = 7 =11$"): "7 is not 11: a chain that asserts two values is a hedge",
    ("$z = 1 + 1 = 2$", "$z = 3+3 = 2$"): "6 is not 2: the same",
    ("$1/3$", "$x=1/3\\approx1.3$"): "1.3 is no rounding of 1/3: the same",
}


def case(target, text, rules=None, name="1"):
    metadata = {"math": rules} if rules else {}
    return Case(
        Prompt(id=name, messages=(), target=target, metadata=metadata), Response(prompt_id=name, sample=0, text=text)
    )


def rows(folder, name):
    with (folder / name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def judge():
    return get_judge("math", workers=2)


def test_golden_cases(judge):
    verdicts = judge([case(row["target"], row["response"], row.get("rules")) for row in GOLDEN])
    wrong = [
        (row, verdict.outcome, verdict.reason)
        for row, verdict in zip(GOLDEN, verdicts, strict=True)
        if verdict.outcome != row["outcome"]
    ]
    assert wrong == []


def test_hard_cases_all_come_out_as_expected(judge, shared_data):
    hard = rows(shared_data, "math/hard_cases.jsonl")
    verdicts = judge([case(row["gold"], row["response"]) for row in hard])
    assert [row for row, verdict in zip(hard, verdicts, strict=True) if verdict.passed != row["expected"]] == []


def test_math_verifys_own_cases_come_out_as_expected_but_for_the_wrong_ones(judge, shared_data):
    table = rows(shared_data, "math/math_verify_cases_even.jsonl")
    cases = [
        case(
            row["gold"],
            row["pred"],
            {
                "precision": row["precision"],
                "strict": row.get("strict", True),
                "set_relations": row.get("allow_set_relation_comp", False),
            },
        )
        for row in table
    ]
    different = {
        (row["gold"], row["pred"])
        for row, verdict in zip(table, judge(cases), strict=True)
        if verdict.passed != row["expected"]
    }
    assert different == set(WRONG)


def test_reference_solutions_pass_their_own_judge_and_empty_responses_none(judge, shared_data):
    table = [(row["answer"], row["solution"]) for row in rows(shared_data, "math/math500_even.jsonl")]
    assert sum(verdict.passed for verdict in judge([case(*pair) for pair in table])) == len(table) == 252
    assert not any(verdict.passed for verdict in judge([case(target, "") for target, _ in table]))


def test_every_math_solution_passes_against_its_own_box(judge, shared_data):
    table = rows(shared_data, "math/math_test_even.jsonl")
    cases = [case(last_boxed(row["solution"]).text, row["solution"]) for row in table]
    assert [item.prompt.target for item, verdict in zip(cases, judge(cases), strict=True) if not verdict.passed] == []


def test_qwen_samples_agree_with_three_of_four_verifiers(judge, shared_data):
    """The twelve rows on which the verifiers disagree equal the target; hendrycks_is_equiv compares strings."""
    table = rows(shared_data, "math/qwen25math_samples_even.jsonl")
    recorded = rows(shared_data, "math/qwen25math_verdicts_even.jsonl")
    verdicts = judge([case(row["gold"], row["response"]) for row in table])
    assert sum(verdict.passed for verdict in verdicts) == 320
    names = ("qwen", "math_verify", "prm800k_grader")
    for verdict, others in zip(verdicts, recorded, strict=True):
        assert [verdict.passed] * 3 == [others[name] for name in names]
    split = [
        verdict.passed
        for verdict, others in zip(verdicts, recorded, strict=True)
        if not others["hendrycks_is_equiv"] and others["qwen"]
    ]
    assert split == [True] * 12


@pytest.mark.parametrize("regime", ["strict", "flexible", "auto"])
def test_gsm8k_solutions_give_the_recorded_labels(shared_data, regime):
    judge = get_judge("math", extract=regime)
    table = rows(shared_data, "gsm8k/example_model_solutions_0000_0659.jsonl")
    for model in MODELS:
        cases = [case(row["ground_truth"].rpartition("A:")[2].strip(), row[model]["solution"]) for row in table]
        assert [verdict.passed for verdict in judge(cases)] == [row[model]["is_correct"] for row in table]


def test_tora_predictions_give_the_recorded_verdicts(judge, shared_data):
    """No row of this half is one that only x/100 or 100x would accept."""
    table = rows(shared_data, "gsm8k/tora-70b-v1.0_predictions_0000_0659.jsonl")
    verdicts = judge([case(str(row["gold"]), str(row["pred"])) for row in table])
    assert [verdict.passed for verdict in verdicts] == [row["tora_correct"] for row in table]


def test_a_verifier_out_of_time_is_a_timeout_and_delays_no_other():
    judge = get_judge("math", workers=1, deadline=0.001)
    hard, easy = judge([case(r"\sqrt{2}+\sqrt3", r"\boxed{\sqrt{5+2\sqrt6}}"), case("4", "4")])
    assert (hard.outcome, hard.score, easy.outcome) == ("timeout", None, "pass")


@pytest.mark.parametrize(
    "expression",
    [
        "9^{9^{9^9}}", "2^{2^{2^{2^{2^2}}}}", "9" * 10_000, "{" * 1_000_000, "(" * 500,
        r"\sqrt{2+" * 55 + "2" + "}" * 55,
        "3" + "!" * 5000, "1" + "/2" * 3000, "10000!", r"e^{e^{e^{e^e}}}", "-" * 9000 + "1", r"\%" * 5000, "x_" * 5000,
        ",".join(map(str, range(1000))), r"\sin(10^{1000})", "x^{99999}", r"\text{" * 900, "1+" * 9000 + "1", "'" * 999,
    ],
)  # fmt: skip
def test_pathological_answers_fail(judge, expression):
    (verdict,) = judge([case("3", "\\boxed{" + expression + "}")])
    assert verdict.outcome == "fail"


def test_the_verdict_says_what_was_found_and_why(judge):
    (verdict,) = judge([case(r"\frac12", r"so \boxed{0.5}.")])
    assert verdict.extracted == "0.5"
    assert verdict.reason == r"0.5 equals \frac12: the same value"
    assert verdict.evidence == {"found": "box"}


def test_unknown_rules_and_missing_targets_are_named(judge):
    with pytest.raises(UnknownNameError, match="precision"):
        judge([case("1", "1", {"precison": 6})])
    with pytest.raises(ConfigError, match="precision is -1"):
        get_judge("math", precision=-1)
    with pytest.raises(UnknownNameError, match="flexible"):
        get_judge("math", extract="flexibel")
    with pytest.raises(DataError, match="prompt 7"):
        judge([case(None, "1", name="7")])
    with pytest.raises(DataError, match="empty"):
        judge([case(" ", "1")])


def fraction_forms(top, bottom):
    yield rf"\frac{{{top}}}{{{bottom}}}"
    yield f"{top}/{bottom}"
    yield rf"\dfrac{{{3 * top}}}{{{3 * bottom}}}"
    yield rf"-\tfrac{{{-top}}}{{{bottom}}}" if top < 0 else rf"\tfrac{{{top}}}{{{bottom}}}"


def integer_forms(value):
    yield f"{value}"
    yield f"{value:,}"
    yield f"{value:,}".replace(",", "{,}")
    yield f"{value:,}".replace(",", r",\!")
    yield f"{value}.0"
    yield rf"\frac{{{7 * value}}}{{7}}"
    yield rf"{value}\text{{ cm}}"


def wrappings(answer):
    yield rf"\boxed{{{answer}}}"
    yield rf"So it is $\boxed{{ {answer} }}$."
    yield f"The answer is ${answer}$."
    yield f"**Final Answer:** \\( {answer} \\)\n"
    yield f"work 12 + 1\n#### {answer}"


@settings(deadline=None, max_examples=60)
@given(value=st.integers(-(10**12), 10**12), other=st.integers(-(10**12), 10**12))
def test_an_integer_equals_itself_in_every_notation_and_no_other(value, other):
    verdicts = JUDGE([case(str(value), text) for form in integer_forms(value) for text in wrappings(form)])
    assert all(verdict.passed for verdict in verdicts), [v.reason for v in verdicts if not v.passed]
    if value != other:
        assert not any(verdict.passed for verdict in JUDGE([case(str(other), text) for text in wrappings(str(value))]))


@settings(deadline=None, max_examples=60)
@given(top=st.integers(-999, 999).filter(bool), bottom=st.integers(2, 999), step=st.sampled_from([-1, 1]))
def test_a_fraction_equals_itself_in_every_notation_and_not_its_neighbour(top, bottom, step):
    target = rf"\frac{{{top}}}{{{bottom}}}"
    assert all(verdict.passed for verdict in JUDGE([case(target, form) for form in fraction_forms(top, bottom)]))
    neighbours = JUDGE([case(target, form) for form in fraction_forms(top * 10**9 + step, bottom * 10**9)])
    assert not any(verdict.passed for verdict in neighbours)


@settings(deadline=None, max_examples=60)
@given(digits=st.text("0123456789", min_size=1, max_size=30), whole=st.integers(-999, 999))
def test_a_decimal_equals_its_fraction_and_not_a_rounding(digits, whole):
    decimal = f"{whole}.{digits}"
    top = int(f"{whole}{digits}")
    same, longer, rounded = JUDGE(
        [
            case(decimal, rf"\boxed{{\frac{{{top}}}{{{10 ** len(digits)}}}}}"),
            case(decimal, rf"\boxed{{{decimal}00}}"),
            case(decimal, rf"\boxed{{{decimal}01}}"),
        ]
    )
    assert same.passed
    assert longer.passed
    assert not rounded.passed


@settings(deadline=None, max_examples=20)
@given(order=st.permutations(range(30)))
def test_the_order_of_cases_does_not_matter_and_verdicts_repeat(order):
    quick = [case(row["target"], row["response"]) for row in GOLDEN if row["target"] in ("4", "5", "8", "42")]
    quick = [each for each in quick if "\\int" not in each.response.text][:30]
    outcomes = [verdict.outcome for verdict in JUDGE(quick)]
    assert [verdict.outcome for verdict in JUDGE([quick[at] for at in order])] == [outcomes[at] for at in order]
