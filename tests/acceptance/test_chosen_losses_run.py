"""What a decision names runs on what the user has: loss, gradient, bias, serving, for every rule."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import nebula
from nebula import PredictionSpec
from tests.acceptance.witnesses import DEFAULT, SHIPPED, Case


def raw_output(case: Case) -> Tensor:
    """A model's raw output for the case, of the declared shape or the target's own."""
    if isinstance(case.prediction, Tensor):
        return case.prediction.clone()
    if isinstance(case.prediction, PredictionSpec):
        tail = [int(size or 1) for size in case.prediction.shape[1:]]
    elif case.target.unique().numel() <= 20 and not case.target.is_floating_point():
        tail = [int(case.target.max()) + 1]
    else:
        tail = list(case.target.shape[1:])
    return 0.1 * torch.randn(len(case.target), *tail, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize(("policy", "rule"), [(p, r) for p in ("default.yaml", "paper.yaml") for r in SHIPPED[p]])
def test_loss_gradient_and_serving(policy: str, rule: str, dtype: torch.dtype) -> None:
    case = SHIPPED[policy][rule](np.random.default_rng(5))
    decision = nebula.select(case.target, case.prediction, name=case.name, hints=case.hints, policy=policy)
    if decision.spec is None:
        with pytest.raises(nebula.errors.AmbiguousDecision):
            nebula.build(decision)
        return
    criterion = nebula.build(decision)
    raw = raw_output(case)
    if rule == "count-or-levels":
        raw = raw[:, :1]  # the guess was a count, so the model has one output
    raw = raw.to(dtype).requires_grad_()
    loss = criterion(raw, case.target)
    assert loss.shape == ()
    assert torch.isfinite(loss)
    loss.backward()
    assert raw.grad is not None
    assert torch.isfinite(raw.grad).all()
    assert raw.grad.abs().sum() > 0
    served = criterion.predict(raw.detach())
    assert len(served) == len(case.target)
    assert torch.isfinite(served.float()).all()


@pytest.mark.parametrize("rule", DEFAULT)
def test_the_output_bias_lowers_the_first_loss(rule: str) -> None:
    """The constant predictor is no worse than starting at zero, by the chosen loss itself."""
    case = DEFAULT[rule](np.random.default_rng(5))
    decision = nebula.select(case.target, case.prediction, name=case.name, hints=case.hints)
    if decision.spec is None or decision.spec.output_bias is None:
        assert decision.spec is None or not any("output bias" in note.text for note in decision.trace.notes)
        return
    criterion = nebula.build(decision)
    outputs = 1 if rule == "count-or-levels" else raw_output(case).shape[-1]
    layer = nn.Linear(2, outputs)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    rows = torch.ones(len(case.target), 2)
    before = float(criterion(layer(rows), case.target).detach())
    criterion.init_output_bias(layer)
    after = float(criterion(layer(rows), case.target).detach())
    assert after <= before + 1e-6


def test_a_whole_training_reaches_what_the_data_allow() -> None:
    """Counts with a known rate: the served mean converges to it."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(2000, 1, generator=generator)
    rate = 1 + 6 * x[:, 0]
    target = torch.poisson(rate, generator=generator).long()
    model = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
    criterion = nebula.Nebula.from_policy("default.yaml").fit((x, target), model)
    criterion.init_output_bias(model[-1])
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(300):
        optimiser.zero_grad()
        criterion(model(x), target).backward()
        optimiser.step()
    with torch.no_grad():
        error = (criterion.predict(model(x))[:, 0] - rate).abs().mean()
    assert criterion.decision is not None
    assert criterion.decision.task == "count"
    assert error < 0.25
