"""Errors: what they say to a person."""

import pytest

from harness import errors


@pytest.mark.parametrize(
    ("name", "known", "message"),
    [
        ("gsm8", ["gsm8k", "mbpp"], "unknown benchmark 'gsm8'; did you mean gsm8k?"),
        ("math", ["math_a", "math_b"], "unknown benchmark 'math'; did you mean math_b or math_a?"),
        ("xyz", ["mbpp", "gsm8k"], "unknown benchmark 'xyz'; known: gsm8k, mbpp"),
        ("xyz", [], "unknown benchmark 'xyz'; known: none"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name: str, known: list[str], message: str) -> None:
    assert str(errors.unknown("benchmark", name, known)) == message


def test_a_missing_extra_names_the_command_that_adds_it() -> None:
    assert str(errors.MissingExtraError("vllm", "vllm")) == (
        "vllm is not installed: pip install 'mixture-of-judges[vllm]'"
    )


def test_every_error_for_users_is_a_moj_error() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(kinds) >= 8
    assert all(issubclass(kind, errors.MojError) for kind in kinds)
