import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainers.objectives.likelihood import sft_loss


def test_two_responses_by_hand() -> None:
    # Response 0 has probabilities 1/2 and 1/4: loss log 8. Response 1 has 1/10: loss log 10.
    logps = torch.tensor([0.5, 0.25, 0.1]).log()
    found = sft_loss(logps, torch.tensor([0, 0, 1]), 2)
    assert found.tolist() == pytest.approx([math.log(8), math.log(10)])


def test_its_mean_over_tokens_is_cross_entropy() -> None:
    logits, targets = torch.randn(7, 5, dtype=torch.float64), torch.randint(5, (7,))
    logps = logits.log_softmax(-1).gather(-1, targets[:, None]).squeeze(-1)
    found = sft_loss(logps, torch.tensor([0, 0, 1, 1, 1, 2, 2]), 3).sum() / 7
    assert found.item() == pytest.approx(torch.nn.functional.cross_entropy(logits, targets).item())


def test_a_response_without_tokens_has_no_loss() -> None:
    assert sft_loss(torch.tensor([-1.0]), torch.tensor([1]), 3).tolist() == [0, 1, 0]


def test_its_gradient_is_right() -> None:
    logps = torch.randn(6, dtype=torch.float64, requires_grad=True)
    owner = torch.tensor([0, 1, 1, 0, 2, 1])
    assert torch.autograd.gradcheck(lambda x: sft_loss(x, owner, 3), logps)


@settings(deadline=None)  # the first call of a torch operation is slow
@given(st.lists(st.tuples(st.floats(-20, 0), st.integers(0, 3)), max_size=30))
def test_the_order_of_tokens_does_not_matter_and_nothing_is_lost(tokens: list[tuple[float, int]]) -> None:
    def loss(rows: list[tuple[float, int]]) -> torch.Tensor:
        logps = torch.tensor([value for value, _ in rows], dtype=torch.float64)
        return sft_loss(logps, torch.tensor([owner for _, owner in rows], dtype=torch.long), 4)

    assert torch.allclose(loss(tokens), loss(tokens[::-1]))
    assert loss(tokens).sum().item() == pytest.approx(-sum(value for value, _ in tokens))


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="must both be of shape"):
        sft_loss(torch.zeros(2, 3), torch.zeros(2, dtype=torch.long), 2)
    with pytest.raises(ValueError, match="must both be of shape"):
        sft_loss(torch.zeros(3), torch.zeros(2, dtype=torch.long), 2)
