from functools import partial

import pytest
import torch
from torch import nn

from harness.errors import MojError
from trainers.runtime.loop import Metrics, Part, fit


def line() -> nn.Linear:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 1.0)
    return layer


def run(layer: nn.Linear, losses: list[float], *, max_norm: float = 1e9, workers: int = 1) -> list[Metrics]:
    """One part per factor: the step's loss is the sum of factor times weight, whose gradient is the factors' sum."""

    def part(n: int, factor: float) -> Part:
        terms = (layer.weight * factor).view(1)
        return Part(terms.sum(), {"loss": terms}, [f"row {n}"], tokens=3, metrics={"seen": 1.0})

    rows: list[Metrics] = []
    fit(
        layer, torch.optim.SGD(layer.parameters(), lr=0.0),
        lambda _: [partial(part, n, factor) for n, factor in enumerate(losses)],
        first=0, steps=2, lr=lambda _: 0.1, max_norm=max_norm, workers=workers,
        on_step=lambda _, metrics: rows.append(metrics),
    )  # fmt: skip
    return rows


@pytest.mark.parametrize("workers", [1, 3])
def test_parts_add_up_to_one_step(workers: int) -> None:
    layer = line()
    first, second = run(layer, [1.0, 2.0], workers=workers)
    assert first["loss"] == pytest.approx(3.0)
    assert first["grad_norm"] == pytest.approx(3.0)
    assert first["tokens"] == 6
    assert first["seen"] == 2
    assert second["loss"] == pytest.approx(3 * 0.7)
    assert layer.weight.item() == pytest.approx(1 - 2 * 0.1 * 3)


def test_a_long_gradient_is_clipped_and_its_norm_told() -> None:
    layer = line()
    rows = run(layer, [30.0], max_norm=1.0)
    assert rows[0]["grad_norm"] == pytest.approx(30)
    assert layer.weight.item() == pytest.approx(1 - 2 * 0.1 * 1)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_before_the_step_and_names_its_rows(bad: float, workers: int) -> None:
    layer = line()
    with pytest.raises(MojError, match=r"step 1: the loss is not finite for row 1 \((nan|inf)\)"):
        run(layer, [1.0, bad], workers=workers)
    assert layer.weight.item() == 1.0


def test_a_gradient_that_is_not_finite_stops_before_the_step() -> None:
    layer = line()

    def part() -> Part:
        zero = (layer.weight - 1.0).view(1)
        value = torch.sqrt(zero.clamp(min=0) + zero * 0)  # 0, with an infinite slope
        return Part(value.sum(), {"loss": value}, ["row 0"], tokens=1)

    with pytest.raises(MojError, match="step 1: the gradient's norm is"):
        fit(
            layer, torch.optim.SGD(layer.parameters(), lr=0.0), lambda _: [part], first=0, steps=1, lr=lambda _: 0.1,
            max_norm=1.0, workers=1, on_step=lambda *_: None,
        )  # fmt: skip
    assert layer.weight.item() == 1.0
