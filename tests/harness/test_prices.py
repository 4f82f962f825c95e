"""Costs: hand-worked numbers, the order of sources, and refusal of what is no price."""

from pathlib import Path

import pytest

from harness.engines.prices import LISTED, Price, find, read
from harness.errors import ConfigError
from harness.records import Usage


def test_cost_is_per_million_tokens() -> None:
    # 1000 * 2.5 / 1e6 + 200 * 10 / 1e6
    assert Price(2.5, 10.0).cost(Usage(1000, 200)) == pytest.approx(0.0045)


def test_own_prices_come_before_the_list_and_the_unknown_is_unknown() -> None:
    own = {"gpt-4o": Price(1.0, 1.0)}
    assert find("gpt-4o", own, listed=True)[0] == Price(1.0, 1.0)
    assert find("gpt-4o", {}, listed=True)[0] == LISTED["gpt-4o"]
    assert find("gpt-4o", {}, listed=False)[0] is None
    price, source = find("mystery", {}, listed=True)
    assert price is None
    assert "unknown" in source


def test_a_dated_snapshot_has_its_models_price_unless_listed_itself() -> None:
    assert find("gpt-4o-2024-11-20", {}, listed=True)[0] == LISTED["gpt-4o"]
    assert find("gpt-4o-2024-05-13", {}, listed=True)[0] == Price(5.0, 15.0)
    assert find("gpt-4o-audio", {}, listed=True)[0] is None


def test_prices_are_read_from_yaml(tmp_path: Path) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text("any: {input: 1, output: 2.5}\n")
    assert read(str(file)) == {"any": Price(1.0, 2.5)}
    assert read({"any": {"input": 0, "output": 0}}) == {"any": Price(0.0, 0.0)}
    assert read(None) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- 1", "expected model"),
        ("any: 3", "any: expected the keys"),
        ("any: {input: 1}", "any: expected the keys"),
        ("any: {input: 1, output: -2}", "output is -2"),
        ("any: {input: true, output: 2}", "input is True"),
        ("any: {input: .inf, output: 2}", "input is inf"),
        ("any: {input: '1', output: 2}", "input is '1'"),
        ("any: [", "not YAML"),
    ],
)
def test_what_is_no_price_is_refused_with_file_and_key(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"prices\.yaml") as caught:
        read(str(file))
    assert said in str(caught.value)


def test_a_missing_prices_file_is_named() -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        read("nowhere.yaml")
