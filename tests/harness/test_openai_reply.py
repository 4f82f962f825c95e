"""A server's replies, row by row: what is a response, what is a fault, and which faults are worth another attempt."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.engines.limits import Fault
from harness.engines.openai_reply import Reply, read_json, read_reply, short, status_fault, usage_of
from harness.records import Usage


def body(message: Any, finish: Any = "stop", **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish}], **more}


@pytest.mark.parametrize(
    ("reply", "text", "finish"),
    [
        (body({"content": "yes"}), "yes", "stop"),
        (body({"content": ""}), "", "stop"),
        (body({"content": "cut"}, "length"), "cut", "length"),
        (body({"content": None}, "length"), "", "length"),
        (body({"content": None, "reasoning_content": "hm"}), "", "stop"),
        (body({"content": None, "refusal": "I will not."}), "I will not.", "refusal"),
        (body({"content": "yes", "refusal": None}, "eos"), "yes", "eos"),
        (body({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}), "ab", "stop"),
        (body({"content": "yes"}, None), "yes", "unknown"),
        (body({"content": "yes"}, 7), "yes", "unknown"),
    ],
)
def test_what_the_model_said_is_the_response(reply: Any, text: str, finish: str) -> None:
    assert read_reply(reply) == Reply(text, finish, None, "")


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        ([], "error", "a JSON list"),
        ("Internal Server Error", "error", "a JSON str"),
        (None, "error", "a JSON NoneType"),
        ({}, "error", "no choices"),
        ({"choices": []}, "error", "no choices"),
        ({"choices": None}, "error", "no choices"),
        ({"choices": {"0": 1}}, "error", "no choices"),
        ({"choices": ["text"]}, "error", "without a message"),
        ({"choices": [{"text": "old"}]}, "error", "without a message"),
        (body({"content": None}), "error", "null content"),
        (body({}), "error", "null content"),
        (body({"content": 7}), "error", "content of type int"),
        (body({"content": {"text": "x"}}), "error", "content of type dict"),
        (body({"content": [{"type": "image_url"}]}), "error", "parts that are not text"),
        (body({"content": [{"type": "text", "text": 7}]}), "error", "parts that are not text"),
        (body({"content": None, "tool_calls": [{}]}), "error", "tool call"),
        (body({"content": "half"}, "content_filter"), "refused", "content filter"),
    ],
)
def test_what_holds_no_response_is_a_fault_and_not_retried(reply: Any, kind: str, said: str) -> None:
    with pytest.raises(Fault) as caught:
        read_reply(reply)
    assert (caught.value.kind, caught.value.retry) == (kind, False)
    assert said in caught.value.cause


def test_an_error_under_status_200_is_read_by_its_code() -> None:
    with pytest.raises(Fault) as caught:
        read_reply({"error": {"message": "provider down", "code": 502}})
    assert caught.value.retry
    with pytest.raises(Fault) as caught:
        read_reply({"error": "ERROR: failed"})
    assert not caught.value.retry
    assert "ERROR: failed" in caught.value.cause


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "error", "usage", "finish_reason", "refusal", "code"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_no_json_at_all_breaks_the_reader(value: Any) -> None:
    with contextlib.suppress(Fault):  # anything else that it raises fails the test
        assert isinstance(read_reply(value).text, str)
    usage_of(value)


@pytest.mark.parametrize("raw", [b"", b"{", b'{"a": "\xff"}', b"<html>", b"[" * 200_000, b'{"choices": [}}'])
def test_a_body_that_is_no_json_is_worth_a_retry(raw: bytes) -> None:
    with pytest.raises(Fault) as caught:
        read_json(raw, "text/html")
    assert caught.value.retry
    assert len(caught.value.cause) < 300


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 4}, Usage(3, 4)),
        ({"prompt_tokens": 3}, None),
        ({"prompt_tokens": 3, "completion_tokens": -4}, None),
        ({"prompt_tokens": 3, "completion_tokens": "4"}, None),
        ({"prompt_tokens": True, "completion_tokens": 4}, None),
        (None, None),
        ([], None),
    ],
)
def test_usage_is_taken_only_where_it_is_whole(usage: Any, expected: Usage | None) -> None:
    assert usage_of({"usage": usage}) == expected


@pytest.mark.parametrize(
    ("status", "error", "kind", "retry", "run_wide"),
    [
        (408, {}, "error", True, False),
        (409, {}, "error", True, False),
        (429, {"message": "slow down"}, "error", True, False),
        (500, {}, "error", True, False),
        (503, "upstream", "error", True, False),
        (529, {}, "error", True, False),
        (429, {"message": "exceeded your current quota", "code": "insufficient_quota"}, "error", False, True),
        (402, {}, "error", False, True),
        (401, {}, "error", False, True),
        (404, {"message": "no such model"}, "error", False, True),
        (400, {"message": "bad"}, "error", False, False),
        (403, {"message": "your country is not supported"}, "error", False, False),
        (403, {"message": "your input was flagged"}, "refused", False, False),
        (400, {"message": "x", "code": "content_filter"}, "refused", False, False),
        (400, {"message": "x", "code": "context_length_exceeded", "param": "messages"}, "refused", False, False),
        (400, {"message": "This model's maximum context length is 8 tokens"}, "refused", False, False),
        (413, {}, "refused", False, False),
        (400, {"message": "Unsupported value", "param": "temperature"}, "error", False, True),
        (400, {"message": "Unsupported parameter: 'max_tokens' is not supported"}, "error", False, True),
        (422, {"message": "extra field top_k"}, "error", False, True),
    ],
)
def test_a_status_says_whose_fault_it_was(status: int, error: Any, kind: str, retry: bool, run_wide: bool) -> None:
    fault = status_fault(status, {}, {"error": error}, now=0)
    assert (fault.kind, fault.retry, fault.run_wide) == (kind, retry, run_wide)
    assert f"HTTP {status}" in fault.cause


@pytest.mark.parametrize(
    ("param", "mend"),
    [
        ("max_tokens", "max_tokens_field=max_completion_tokens"),
        ("temperature", "omit=temperature"),
        ("top_k", "no top_k"),
    ],
)
def test_a_refused_parameter_is_named_with_what_to_do(param: str, mend: str) -> None:
    fault = status_fault(400, {}, {"error": {"message": f"Unsupported parameter: '{param}'", "param": param}}, now=0)
    assert mend in fault.cause


@pytest.mark.parametrize(
    "error_body",
    [
        {"error": {"message": "too hot"}},
        {"error": "too hot"},
        {"message": "too hot"},
        {"detail": [{"loc": ["body", "x"], "msg": "too hot"}]},
        "too hot",
    ],
)
def test_the_servers_words_are_found_in_every_shape(error_body: Any) -> None:
    assert "too hot" in status_fault(400, {}, error_body, now=0).cause


@given(json_values, st.integers(400, 599))
def test_no_error_body_breaks_the_reader(value: Any, status: int) -> None:
    assert status_fault(status, {}, value, now=0).cause


def test_foreign_text_stays_on_one_short_line() -> None:
    assert short("a\n b\t c") == "a b c"
    assert len(short("x" * 10_000)) == 300
    assert "\n" not in status_fault(400, {}, json.loads('{"error": {"message": "a\\nb"}}'), now=0).cause
