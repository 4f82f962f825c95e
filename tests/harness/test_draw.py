import math

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from harness.engines.draw import PREFIX, greedy, sample, uniforms

VECTOR = torch.tensor([[0.5, 0.25, 0.125, 0.0625, 0.0625]]).log()


def shares(logits: torch.Tensor, count: int = 20_000, **how: float) -> np.ndarray:
    """How often each token comes, over uniforms spread evenly: exact to 1 / count."""
    u = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    tokens, _ = sample(logits.expand(count, -1), u, **{"temperature": 1.0, **how})
    return np.bincount(tokens.numpy(), minlength=logits.shape[-1]) / count


def test_greedy_takes_the_likeliest_token_and_gives_its_log_probability() -> None:
    tokens, logps = greedy(VECTOR + 3.0)
    assert tokens.tolist() == [0]
    assert logps.item() == pytest.approx(math.log(0.5))


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, [0.5, 0.25, 0.125, 0.0625, 0.0625]),
        ({"top_k": 2}, [2 / 3, 1 / 3, 0, 0, 0]),
        ({"top_k": 1}, [1, 0, 0, 0, 0]),
        ({"top_k": 99}, [0.5, 0.25, 0.125, 0.0625, 0.0625]),
        ({"top_p": 0.5}, [1, 0, 0, 0, 0]),
        ({"top_p": 0.51}, [2 / 3, 1 / 3, 0, 0, 0]),
        ({"top_p": 0.75}, [2 / 3, 1 / 3, 0, 0, 0]),
        ({"top_p": 0.8}, [4 / 7, 2 / 7, 1 / 7, 0, 0]),
        ({"top_p": 1e-9}, [1, 0, 0, 0, 0]),
        # top_p counts what top_k left: 0.5 of 0.75 is two thirds
        ({"top_k": 2, "top_p": 0.6}, [1, 0, 0, 0, 0]),
        ({"top_k": 2, "top_p": 0.7}, [2 / 3, 1 / 3, 0, 0, 0]),
        # probabilities squared
        ({"temperature": 0.5}, [64 / 86, 16 / 86, 4 / 86, 1 / 86, 1 / 86]),
        ({"temperature": 0.5, "top_p": 0.9}, [64 / 80, 16 / 80, 0, 0, 0]),
    ],
)
def test_temperature_top_k_and_top_p_are_exact_on_a_small_vector(how: dict[str, float], expected: list[float]) -> None:
    assert shares(VECTOR, **how) == pytest.approx(expected, abs=2e-4)


def test_log_probabilities_are_those_of_the_untouched_distribution() -> None:
    tokens, logps = sample(VECTOR, torch.tensor([0.9], dtype=torch.float64), temperature=0.3, top_k=2, top_p=0.99)
    assert logps.item() == pytest.approx(VECTOR[0, tokens.item()].item())


def test_samples_follow_the_softmax() -> None:
    torch.manual_seed(0)
    logits = torch.randn(1, 40) * 2
    draws = np.concatenate([uniforms(seed, 50) for seed in range(400)])
    tokens, _ = sample(logits.expand(len(draws), -1), torch.from_numpy(draws), temperature=0.7)
    expected = torch.softmax(logits[0].double() / 0.7, -1).numpy() * len(draws)
    common = expected >= 5
    seen = np.bincount(tokens.numpy(), minlength=40)
    seen = np.append(seen[common], seen[~common].sum())
    expected = np.append(expected[common], expected[~common].sum())
    assert chisquare(seen, expected * seen.sum() / expected.sum()).pvalue > 0.001


@pytest.mark.parametrize("flat", [False, True])
def test_top_p_over_a_large_vocabulary_equals_the_full_sort(flat: bool) -> None:
    torch.manual_seed(1)
    logits = torch.randn(3, 4 * PREFIX) * (0.1 if flat else 3.0)  # a flat nucleus is larger than the prefix
    u = torch.tensor([0.1, 0.5, 0.999], dtype=torch.float64)
    tokens, _ = sample(logits, u, temperature=1.0, top_p=0.9)
    for row, number, token in zip(torch.softmax(logits, -1).double(), u, tokens, strict=True):
        order = row.argsort(descending=True)
        kept = order[: int((row[order].cumsum(0) < 0.9).sum()) + 1]
        edges = row[kept].cumsum(0) / row[kept].sum()
        assert token == kept[int((edges <= number).sum())]


def test_a_token_of_probability_zero_never_comes() -> None:
    logits = torch.tensor([[-math.inf, 0.0, -math.inf, 0.0, -math.inf]])
    for u in (0.0, 0.5, 1 - 2**-53):
        token, logp = sample(logits, torch.tensor([u], dtype=torch.float64), temperature=1.0)
        assert token.item() in (1, 3)
        assert logp.item() == pytest.approx(math.log(0.5))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_row_with_a_number_that_is_none_has_no_log_probability(bad: float) -> None:
    logits = torch.tensor([[0.0, bad, 1.0], [0.0, 1.0, 2.0]])
    half = torch.tensor([0.5, 0.5], dtype=torch.float64)
    for _, logps in (
        greedy(logits),
        sample(logits, half, temperature=1.0),
        sample(logits, half, temperature=1, top_p=0.5),
    ):
        assert not logps[0] > -math.inf
        assert logps[1] > -math.inf


def test_uniforms_depend_on_the_seed_alone_and_on_nothing_drawn_before() -> None:
    assert uniforms(7, 5).tolist() == uniforms(7, 9)[:5].tolist()
    assert uniforms(7, 5).tolist() != uniforms(8, 5).tolist()
    assert all(0 <= number < 1 for number in uniforms(2**63 - 1, 1000))
