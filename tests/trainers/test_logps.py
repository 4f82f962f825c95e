import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from harness.errors import ModelError
from tests.trainers import tiny
from trainers.runtime.batch import Example, micro_batches, pack
from trainers.runtime.logps import check_head, token_logps


def one_by_one(model: object, example: Example) -> torch.Tensor:
    """Straight from the model's own logits, with the shift written out."""
    logits = model(torch.tensor([example.ids])).logits[0].log_softmax(-1)  # type: ignore[operator]  # a torch module
    return torch.stack([logits[t - 1, example.ids[t]] for t in range(example.prompt, len(example.ids))])


shapes = st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), min_size=1, max_size=8)


@settings(max_examples=25, deadline=None)
@given(shapes, st.integers(1, 60), st.integers(1, 3))
def test_packing_changes_no_log_probability(sizes: list[tuple[int, int]], row_tokens: int, rows_at_once: int) -> None:
    model = tiny.model().eval()
    generator = torch.Generator().manual_seed(1)
    examples = [
        Example(tuple(torch.randint(50, (p + r,), generator=generator).tolist()), p, f"row {n}")
        for n, (p, r) in enumerate(sizes)
    ]
    with torch.no_grad():
        for batch in micro_batches(examples, row_tokens=row_tokens, rows_at_once=rows_at_once):
            found = token_logps(model, batch)
            for index, example in enumerate(batch.examples):
                assert torch.allclose(found[batch.owner == index], one_by_one(model, example), atol=1e-5)


def test_a_token_is_scored_by_the_position_before_it() -> None:
    """Fails where the logits at t are read with the token at t: these weights make the two differ."""
    model, example = tiny.model().eval(), Example((3, 9, 4, 7), 2, "x")
    with torch.no_grad():
        found = token_logps(model, pack([[example]]))
        logits = model(torch.tensor([example.ids])).logits[0].log_softmax(-1)
    assert found.tolist() == pytest.approx([logits[1, 4].item(), logits[2, 7].item()], abs=1e-5)
    assert found.tolist() != pytest.approx([logits[2, 4].item(), logits[3, 7].item()], abs=1e-2)


def test_no_gradient_crosses_from_one_packed_sequence_to_another() -> None:
    model = tiny.model()
    first, second = Example((3, 9, 4, 7), 2, "a"), Example((11, 12, 13), 1, "b")
    batch = pack([[first, second]])
    token_logps(model, batch)[batch.owner == 1].sum().backward()
    grad = model.get_input_embeddings().weight.grad
    model.zero_grad()
    alone = pack([[second]])
    token_logps(model, alone).sum().backward()
    assert torch.allclose(grad, model.get_input_embeddings().weight.grad, atol=1e-5)


def test_a_model_that_changes_its_logits_after_the_head_is_refused() -> None:
    model = tiny.model()
    check_head(model)
    own = model.forward

    def scaled(*args: object, **kwargs: object) -> object:
        out = own(*args, **kwargs)
        out.logits = out.logits * 2
        return out

    model.forward = scaled
    with pytest.raises(ModelError, match="changes its logits"):
        check_head(model)
    with pytest.raises(ModelError, match="no trunk"):
        check_head(Headless())


class Headless(nn.Module):
    @property
    def base_model(self) -> nn.Module:
        return self

    def get_output_embeddings(self) -> None:
        return None
