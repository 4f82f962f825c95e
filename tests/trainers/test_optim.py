import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainers import tiny
from trainers.runtime.optim import FLOOR, adamw, cosine


@pytest.mark.parametrize(
    ("step", "share"), [(0, 0.25), (3, 1.0), (4, 1.0), (9, 0.1), (20, 0.1)]
)  # fmt: skip
def test_the_schedule_by_hand(step: int, share: float) -> None:
    assert cosine(step, steps=10, warmup=4) == pytest.approx(share)


def test_half_way_down_is_half_way_between_peak_and_floor() -> None:
    assert cosine(50, steps=101, warmup=0) == pytest.approx((1 + FLOOR) / 2)


@settings(deadline=None)  # the first call of a torch operation is slow
@given(st.integers(1, 200), st.integers(0, 50))
def test_it_rises_then_falls_and_stays_in_its_range(steps: int, warmup: int) -> None:
    shares = [cosine(step, steps=steps, warmup=warmup) for step in range(steps)]
    assert all(0 < share <= 1 for share in shares)
    up, down = shares[: min(warmup, steps)], shares[warmup:]
    assert up == sorted(up)
    assert down == sorted(down, reverse=True)


def test_only_matrices_decay() -> None:
    model = tiny.model()
    optimizer = adamw(model, weight_decay=0.5, betas=(0.9, 0.99))
    decayed = {id(p) for group in optimizer.param_groups if group["weight_decay"] for p in group["params"]}
    assert decayed == {id(p) for p in model.parameters() if p.ndim == 2}
    everything = [p for group in optimizer.param_groups for p in group["params"]]
    assert len(everything) == len(list(model.parameters()))
    assert all(isinstance(p, torch.nn.Parameter) for p in everything)
