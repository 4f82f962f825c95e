import pytest

from judges.extract import after_thinking, answer_line, auto, flexible, from_target, last_boxed, strict


def text_of(found):
    return found.text if found else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\boxed{42}", "42"),
        (r"first \boxed{1}, and much later \boxed{\frac{1}{2}} end", r"\frac{1}{2}"),
        (r"\boxed{\boxed{7}}", r"\boxed{7}"),
        (r"\boxed{3, \boxed{4}}", r"3, \boxed{4}"),
        (r"\boxed{\left\{ 1,2 \right\}}", r"\left\{ 1,2 \right\}"),
        (r"\fbox{5}", "5"),
        (r"\boxed 7$ is it", "7"),
        (r"\boxed{28}\%", r"28\%"),
        (r"\boxed{28} percent of it", r"28\%"),
        (r"$\boxed{1}$ and $\boxed{-2}$.", "1 , -2"),
        (r"\boxed{1},\boxed{2},\boxed{3}", "1 , 2 , 3"),
        (r"\boxed{6} \times \boxed{7} = \boxed{42}", "42"),
        (r"\boxed{41}. Or maybe \boxed{42}", "42"),
        (r"\boxed{41} ... \boxed{42", ""),
        ("no box", None),
    ],
)
def test_the_last_outermost_box_counts(text, expected):
    assert text_of(last_boxed(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("work\n#### 70,000", "70,000"),
        ("work\nA: 18\n", "18"),
        (
            r"\boxed{255} so in all $10,200 + $255 = $10,455. Final Answer: The final answer is $10,455$. I hope",
            "10,455",
        ),
        (r"\boxed{20}. We check the answer: it is 3 correct.", "20"),
        ("**Final Answer: **73**", "73"),
        ("Final Answer:\n\n72", "72"),
        ("The answer is Evelyn.", "Evelyn"),
        ("The answer is $x = 3$ or so they say in 1999", "x = 3"),
        ("She makes 9 * 2 = $18 every day.", "$18"),
        ("It costs $5 and sells for $8 today.", "$8"),
        (r"so $x=1$, and thus $y=2$ and $z=3$", "y=2 , z=3"),
        (r"\[ x \] and 12 distinct sequences", "12"),
        ("It is 3 or 4.", "3 , 4"),
        ("It is 5, 3 or 4.", "5 , 3 , 4"),
        ("It is not 4", "It is not 4"),
        ("AZYUK2A", "AZYUK2A"),
        ("<think>\\boxed{1}</think> so \\boxed{2}", "2"),
        ("<think>\\boxed{1}", None),
        ("", None),
        ("   \n", None),
        ("#### Step one: think\nthe rest has no numeral at all, only words\n" * 3, None),
    ],
)
def test_auto_takes_the_last_commitment(text, expected):
    assert text_of(auto(text)) == expected


def test_strict_wants_the_format_and_flexible_falls_back_to_the_last_number():
    text = "He has 3 apples, then 12."
    assert strict(text) is None
    assert text_of(flexible(text)) == "12"
    assert text_of(strict(text + "\n#### 15")) == text_of(flexible(text + "\n#### 15")) == "15"
    assert text_of(flexible("A: 7\nno more")) == "7"


def test_an_answer_line_starts_its_line():
    assert answer_line("Q: what\nB A: 5") is None
    assert text_of(answer_line("x\n  A: 5 \nA: 6")) == "6"


def test_thinking_is_not_part_of_the_answer():
    assert after_thinking("<think>a</think>b</think>c") == "c"
    assert after_thinking("plain") == "plain"


def test_a_target_may_be_bare_or_a_whole_solution():
    assert from_target(r"12\text{ and }13") == r"12\text{ and }13"
    assert from_target(r"Thus it is $\boxed{3}$.") == "3"
    assert from_target("He has 2.\n#### 18") == "18"
    assert from_target(r"\$32") == r"\$32"


@pytest.mark.parametrize(
    "piece",
    [
        "{", "}", r"\boxed{", r"\boxed{1}", "$", "$1 ", r"\(", "A:", " A: x", "\nA:", "#### ", "answer is ", "1,111",
        " ", r"\text{", "\\", "3 or ", "not 4 ", "<think>", "aa bb ", "*", r"\boxed{1} and ",
    ],
)  # fmt: skip
def test_hostile_text_of_a_megabyte_is_read_to_its_end(piece):
    text = piece * (1_000_000 // len(piece))
    for find in (auto, strict, flexible):
        found = find(text)  # returns: a quadratic step would meet the test's own time limit
        assert found is None or len(found.text) <= len(text)
