"""The composite: its value, weights over time, weightings against their papers, penalties, life as a module."""

from __future__ import annotations

import copy
import math
import pickle
import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn
from torchjd import aggregation, autojac

from nebula.errors import ContractError, MissingExtraError
from nebula.losses.composite import CompositeCriterion
from nebula.losses.factory import build_criterion
from nebula.losses.modules.penalty import penalised
from nebula.losses.schedule import Schedule, weight_at
from nebula.losses.spec import AdaptStep, LossSpec, Penalty, Serve, Term

SCHEDULE: TypeAdapter[Any] = TypeAdapter(Schedule)


def term(loss: str, weight: Any = 1.0, name: str | None = None, **extra: Any) -> Term:
    spec = LossSpec(loss=loss, serve=Serve(functional="mean"), **extra)
    return Term.model_validate({"name": name or loss.lower(), "weight": weight, "spec": spec})


def composite(*terms: Term, penalties: tuple[Penalty, ...] = (), **params: Any) -> CompositeCriterion:
    spec = LossSpec(
        loss="CompositeLoss", params=params, serve=Serve(functional="mean"), terms=terms, penalties=penalties
    )
    built = build_criterion(LossSpec.model_validate_json(spec.model_dump_json()))
    assert isinstance(built, CompositeCriterion)
    return built


def batch(seed: int = 0) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(8, 1, generator=rng), torch.randn(8, 1, generator=rng)


@given(st.lists(st.floats(0, 1e3), min_size=2, max_size=2))
def test_the_total_is_the_weighted_sum(weights: list[float]) -> None:
    z, y = batch()
    criterion = composite(term("MSELoss", weights[0]), term("L1Loss", weights[1]))
    expected = weights[0] * (z - y).square().mean() + weights[1] * (z - y).abs().mean()
    torch.testing.assert_close(criterion(z, y), expected)
    torch.testing.assert_close(criterion.components["mseloss"], (z - y).square().mean())
    assert not criterion.components["l1loss"].requires_grad


def test_each_term_has_its_own_steps() -> None:
    logits, labels = torch.randn(6, 3), torch.tensor([1, 2, 3, 1, 2, 3])
    shift = AdaptStep(on="target", step="shift_labels", params={"by": -1}, reason="labels start at 1")
    criterion = composite(
        term("CrossEntropyLoss", name="shifted", adapt=(shift,)),
        term("CrossEntropyLoss", name="cleaned", adapt=(shift,), params={"label_smoothing": 0.1}),
    )
    plain = nn.functional.cross_entropy(logits, labels - 1)
    smooth = nn.functional.cross_entropy(logits, labels - 1, label_smoothing=0.1)
    torch.testing.assert_close(criterion(logits, labels), plain + smooth)


def test_heads_are_found_by_the_terms_names() -> None:
    z, y = batch()
    other, label = torch.randn(8, 2), torch.randint(0, 2, (8,))
    criterion = composite(term("MSELoss", name="price"), term("CrossEntropyLoss", name="kind"))
    found = criterion({"price": z, "kind": other}, {"price": y, "kind": label})
    torch.testing.assert_close(found, (z - y).square().mean() + nn.functional.cross_entropy(other, label))
    with pytest.raises(ContractError, match="a target for the term `kind`"):
        criterion({"price": z, "kind": other}, {"price": y})


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"schedule": "linear", "from": 0, "to": 1, "over": 10}, {0: 0, 5: 0.5, 10: 1, 99: 1}),
        ({"schedule": "linear", "from": 1, "to": 0, "over": 10, "delay": 5}, {5: 1, 10: 0.5, 15: 0}),
        ({"schedule": "cosine", "from": 0, "to": 2, "over": 4}, {0: 0, 2: 1, 4: 2, 1: 1 - math.cos(math.pi / 4)}),
        ({"schedule": "exponential", "from": 1, "to": 0.01, "over": 4}, {0: 1, 2: 0.1, 4: 0.01}),
        (
            {"schedule": "step", "from": 1, "factor": 0.5, "every": 3, "least": 0.2},
            {0: 1, 2: 1, 3: 0.5, 6: 0.25, 9: 0.2},
        ),
        ({"schedule": "cyclical", "low": 1, "high": 3, "period": 4}, {0: 1, 1: 2, 2: 3, 3: 2, 4: 1}),
        (
            {"schedule": "phases", "phases": [{"until": 2, "weight": 1}, {"until": 4, "weight": 0}, {"weight": 5}]},
            {0: 1, 1: 1, 2: 0, 3: 0, 4: 5, 9: 5},
        ),
    ],
    ids=lambda value: value.get("schedule") if isinstance(value, dict) and "schedule" in value else "",
)
def test_weights_follow_their_schedule(schedule: dict[str, Any], expected: dict[int, float]) -> None:
    parsed = SCHEDULE.validate_python(schedule)
    assert SCHEDULE.validate_json(SCHEDULE.dump_json(parsed, by_alias=True)) == parsed
    z, y = batch()
    criterion, at = composite(term("MSELoss", schedule)), 0
    for step in sorted(expected):
        criterion.advance(step - at)
        at = step
        assert weight_at(parsed, step) == pytest.approx(expected[step])
        assert criterion(z, y).item() == pytest.approx(expected[step] * (z - y).square().mean().item(), rel=1e-5)


@given(st.integers(0, 10**12), st.floats(0, 1e6), st.floats(0, 1e6), st.integers(1, 10**9))
def test_ramps_stay_between_their_ends(step: int, start: float, stop: float, over: int) -> None:
    for kind in ("linear", "cosine"):
        weight = weight_at(SCHEDULE.validate_python({"schedule": kind, "from": start, "to": stop, "over": over}), step)
        assert min(start, stop) - 1e-9 <= weight <= max(start, stop) + 1e-9
    growing = SCHEDULE.validate_python({"schedule": "step", "from": 1, "factor": 10, "every": 1})
    assert math.isfinite(weight_at(growing, step))


@pytest.mark.parametrize(
    "schedule",
    [
        {"schedule": "exponential", "from": 0, "to": 1, "over": 3},
        {"schedule": "linear", "from": -1, "to": 1, "over": 3},
        {"schedule": "linear", "from": 0, "to": 1, "over": 0},
        {"schedule": "wave", "from": 0, "to": 1, "over": 3},
        {"schedule": "phases", "phases": [{"weight": 1}, {"weight": 2}]},
        {"schedule": "phases", "phases": [{"until": 5, "weight": 1}, {"until": 2, "weight": 2}, {"weight": 1}]},
        {"schedule": "phases", "phases": [{"until": 5, "weight": 1}]},
    ],
    ids=str,
)
def test_a_schedule_without_meaning_is_refused(schedule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SCHEDULE.validate_python(schedule)


def test_the_state_dict_brings_scheduled_weights_back() -> None:
    ramp = {"schedule": "linear", "from": 0, "to": 1, "over": 10}
    criterion, other = composite(term("MSELoss", ramp)), composite(term("MSELoss", ramp))
    criterion.advance(7)
    other.load_state_dict(criterion.state_dict())
    z, y = batch()
    assert torch.equal(other(z, y), criterion(z, y))
    assert other.weights.item() == pytest.approx(0.7)


def test_uncertainty_is_minimal_where_the_paper_says() -> None:
    """For a constant L the optimum is s = log L, where the term is (1 + log L) / 2."""
    criterion = composite(term("MSELoss"), weighting="uncertainty")
    z, y = batch()
    optimiser = torch.optim.SGD(criterion.parameters(), lr=0.5)
    for _ in range(300):
        optimiser.zero_grad()
        criterion(z, y).backward()
        optimiser.step()
    size = math.log((z - y).square().mean().item())
    assert criterion.weighting.log_variances.item() == pytest.approx(size, abs=1e-4)
    assert criterion(z, y).item() == pytest.approx((1 + size) / 2, abs=1e-4)


def test_dwa_equals_the_papers_formula() -> None:
    criterion = composite(term("MSELoss"), term("L1Loss"), weighting="dwa", temperature=2.0)
    z, y = batch()
    means = []
    for epoch in range(2):
        rows = [criterion(z * (1 - 0.3 * epoch), y) for _ in range(3)]
        assert rows[0].isfinite()
        means.append(np.array([value.item() for value in criterion.components.values()]))
        assert torch.equal(criterion.weighting.factors, torch.ones(2))
        criterion.end_epoch()
    ratio = np.exp(means[1] / means[0] / 2.0)
    np.testing.assert_allclose(criterion.weighting.factors.numpy(), 2 * ratio / ratio.sum(), rtol=1e-5)


def test_scale_brings_every_term_to_one() -> None:
    criterion = composite(term("MSELoss", 1.0), term("L1Loss", 3.0), weighting="scale")
    z, y = batch()
    assert criterion(1e4 * z, y).item() == pytest.approx(4.0, rel=1e-5)


def test_gradnorm_moves_towards_equal_norms() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(3, 1)
    x, y = torch.randn(64, 3), torch.randn(64, 1)
    criterion = composite(term("MSELoss", 10.0), term("L1Loss"), weighting="gradnorm", restoring_force=0.0)
    spread = []
    for _ in range(200):
        norms = criterion.balance(criterion.values(layer(x), y), list(layer.parameters()))
        spread.append((norms.max() / norms.min()).item())
    assert spread[0] > 5
    assert spread[-1] < 1.3
    assert criterion.weighting.factors.sum().item() == pytest.approx(2.0)


def test_only_gradnorm_balances() -> None:
    with pytest.raises(ContractError, match="expected weighting gradnorm"):
        composite(term("MSELoss")).balance({}, [])


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.norm, self.head = nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 1)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, {"encoder.weight", "head.weight"}),
        ({"include": ("encoder.*",)}, {"encoder.weight"}),
        ({"exclude": ("head.*",)}, {"encoder.weight"}),
        ({"include": ("norm.*",), "biases_and_norms": True}, {"norm.weight", "norm.bias"}),
    ],
    ids=["weights", "include", "exclude", "norms"],
)
def test_penalties_choose_parameters_by_name(options: dict[str, Any], names: set[str]) -> None:
    assert set(penalised(Model(), Penalty(kind="l2", strength=1, **options))) == names


@pytest.mark.parametrize("kind", ["l1", "l2", "elastic_net"])
def test_a_penalty_is_its_formula(kind: Any) -> None:
    model, (z, y) = Model(), batch()
    weights = torch.cat([model.encoder.weight.flatten(), model.head.weight.flatten()])
    l1, l2 = weights.abs().sum(), weights.square().sum() / 2
    expected = {"l1": l1, "l2": l2, "elastic_net": 0.3 * l1 + 0.7 * l2}[kind]
    criterion = composite(term("MSELoss"), penalties=(Penalty(kind=kind, strength=0.2, l1_share=0.3),)).attach(model)
    torch.testing.assert_close(criterion(z, y), (z - y).square().mean() + 0.2 * expected)


def test_l2_equals_the_weight_decay_of_sgd() -> None:
    first, (x, y) = Model().head, (torch.randn(8, 4), torch.randn(8, 1))
    second = copy.deepcopy(first)
    criterion = composite(term("MSELoss"), penalties=(Penalty(kind="l2", strength=0.1, biases_and_norms=True),))
    criterion.attach(first)(first(x), y).backward()
    torch.optim.SGD(first.parameters(), lr=0.1).step()
    nn.functional.mse_loss(second(x), y).backward()
    torch.optim.SGD(second.parameters(), lr=0.1, weight_decay=0.1).step()
    torch.testing.assert_close(first.weight, second.weight)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"include": ("decoder.*",)}, r"`decoder.\*` to match"),
        ({"include": ("*.bias",)}, "found none among"),
    ],
    ids=str,
)
def test_a_penalty_on_nothing_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        penalised(Model(), Penalty(kind="l1", strength=1, **options))


def test_penalties_need_a_model() -> None:
    with pytest.raises(ContractError, match="attach"):
        composite(term("MSELoss"), penalties=(Penalty(kind="l1", strength=1),))(*batch())


@pytest.mark.parametrize(
    "fields",
    [
        {"loss": "CompositeLoss"},
        {"loss": "MSELoss", "terms": (term("L1Loss"),)},
        {"loss": "CompositeLoss", "terms": (term("L1Loss"), term("L1Loss"))},
        {"loss": "MSELoss", "penalties": (Penalty(kind="l1", strength=1),)},
    ],
    ids=["no-terms", "terms-of-a-single-loss", "one-name-twice", "penalty-without-terms"],
)
def test_a_spec_that_makes_no_sense_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LossSpec(serve=Serve(functional="mean"), **fields)


def test_weighted_rows_weigh_in_every_term() -> None:
    z, y = batch()
    weight = torch.tensor([1.0, 0, 2, 1, 0, 1, 1, 1])
    found = composite(term("MSELoss"), term("L1Loss", 2.0))(z, y, sample_weight=weight)
    w = weight[:, None]
    expected = ((z - y).square() * w).sum() / 7 + 2 * ((z - y).abs() * w).sum() / 7
    torch.testing.assert_close(found, expected)


def test_an_extra_input_that_no_term_takes_is_refused() -> None:
    with pytest.raises(ContractError, match="found `group`, which none takes"):
        composite(term("MSELoss"))(*batch(), group=torch.zeros(8))


@pytest.mark.parametrize("weighting", ["static", "uncertainty", "dwa", "scale", "gradnorm"])
def test_copies_and_the_compiled_module_compute_the_same(weighting: str) -> None:
    criterion = composite(term("MSELoss", 0.5), term("HuberLoss"), weighting=weighting).eval()
    z, y = batch()
    expected = criterion(z, y)
    for other in (copy.deepcopy(criterion), pickle.loads(pickle.dumps(criterion))):
        assert torch.equal(other(z, y), expected)
    compiled = torch.compile(criterion, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(z, y), expected)
    other = composite(term("MSELoss", 0.5), term("HuberLoss"), weighting=weighting)
    other.load_state_dict(criterion.state_dict())
    assert torch.equal(other.eval()(z, y), expected)


def heads() -> tuple[nn.Linear, nn.ModuleDict, dict[str, Tensor], dict[str, Tensor]]:
    """A shared layer, two heads, and targets that pull the shared layer apart."""
    torch.manual_seed(0)
    body, own = nn.Linear(3, 4), nn.ModuleDict({"up": nn.Linear(4, 1), "down": nn.Linear(4, 1)})
    x = torch.randn(16, 3)
    own["down"].load_state_dict(own["up"].state_dict())
    prediction = {name: head(body(x)) for name, head in own.items()}
    return body, own, prediction, {"up": x.sum(1, keepdim=True), "down": -x.sum(1, keepdim=True)}


@pytest.mark.parametrize(("name", "theirs"), [("pcgrad", "PCGrad"), ("mgda", "MGDA"), ("aligned_mtl", "AlignedMTL")])
def test_conflicting_gradients_are_aggregated_as_torchjd_does(name: str, theirs: str) -> None:
    body, own, prediction, target = heads()
    criterion = composite(term("MSELoss", 2.0, "up"), term("MSELoss", 1.0, "down"), weighting=name)
    shared, rest = list(body.parameters()), list(own.parameters())
    torch.manual_seed(1)
    jacobian = criterion.backward(criterion.values(prediction, target), shared, rest)
    found = torch.cat([at.grad.flatten() for at in shared])
    body, other, prediction, target = heads()
    losses = [2 * nn.functional.mse_loss(prediction["up"], target["up"])]
    losses.append(nn.functional.mse_loss(prediction["down"], target["down"]))
    torch.manual_seed(1)
    autojac.backward(losses, inputs=list(body.parameters()), retain_graph=True)
    autojac.jac_to_grad(list(body.parameters()), getattr(aggregation, theirs)())
    torch.testing.assert_close(found, torch.cat([at.grad.flatten() for at in body.parameters()]))
    for head, at in zip(other.parameters(), rest, strict=True):
        torch.testing.assert_close(at.grad, torch.autograd.grad(sum(losses), head, retain_graph=True)[0])
    # the terms do pull apart, and so the aggregate is not their sum
    assert torch.cosine_similarity(jacobian[0], jacobian[1], dim=0) < 0
    assert not torch.allclose(found, jacobian.sum(0))


def test_a_total_of_aggregated_gradients_is_not_differentiated() -> None:
    criterion = composite(term("MSELoss"), term("L1Loss"), weighting="pcgrad")
    z, y = batch()
    assert criterion(z, y).item() == pytest.approx(composite(term("MSELoss"), term("L1Loss"))(z, y).item())
    with pytest.raises(ContractError, match=r"criterion\.backward\(criterion\.values\(…\), shared\)"):
        criterion(z.requires_grad_(), y)
    with pytest.raises(ContractError, match="one of the weightings pcgrad"):
        composite(term("MSELoss")).backward({}, [])


def test_aggregation_without_torchjd_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchjd", None)
    with pytest.raises(MissingExtraError, match="multitask"):
        composite(term("MSELoss"), weighting="pcgrad")
