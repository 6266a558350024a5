"""The last layer's bias: with weights at 0 the first served answer is the constant predictor's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor, nn

from nebula.errors import ContractError
from nebula.losses.adaptation import entry_of, plan_adaptation
from nebula.losses.bias import output_bias
from nebula.losses.criterion import Criterion
from nebula.losses.factory import build_criterion
from nebula.losses.spec import BiasKind, Link, LossSpec, OutputBias, Serve
from nebula.profiling.model import DataProfile, TargetFacts
from nebula.profiling.prediction import PredictionSpec
from nebula.profiling.profiler import profile

RNG = np.random.default_rng(7)
FLAGS = torch.from_numpy((RNG.random(500) < 0.07).astype(np.int64))
COUNTS = torch.from_numpy(RNG.poisson(3.4, 400))
REALS = torch.from_numpy(RNG.normal(5, 2, 301))
CLASSES = torch.from_numpy(RNG.choice(4, 600, p=[0.6, 0.3, 0.07, 0.03]))
MULTI_HOT = torch.from_numpy((RNG.random((300, 3)) < [0.5, 0.1, 0.02]).astype(np.int64))
SHARES = torch.from_numpy(RNG.dirichlet([4.0, 2.0, 1.0], 200))
WIDE = torch.from_numpy(RNG.normal([1.0, -3.0], 1.0, (200, 2)))
PERCENT = torch.from_numpy(RNG.beta(2, 5, 300) * 100)


def decided(
    loss: str, target: Tensor, outputs: int, kind: BiasKind, serve: Serve, link: Link | None = None, **params: Any
) -> Criterion:
    facts = profile(target, PredictionSpec(shape=(None, outputs), space="logits"))
    link = link or entry_of(loss).native_link
    return build_criterion(
        LossSpec(
            loss=loss,
            params=params,
            link=link,
            adapt=plan_adaptation(loss, params, link, facts),
            output_bias=output_bias(kind, link, facts),
            serve=serve,
        )
    )


def first_answer(criterion: Criterion, outputs: int, rows: int = 3) -> Tensor:
    layer = nn.Linear(2, outputs)
    nn.init.zeros_(layer.weight)
    assert criterion.init_output_bias(layer) is layer
    return criterion.predict(layer(torch.randn(rows, 2))).detach().double()


def shares(labels: Tensor, k: int) -> Tensor:
    return torch.bincount(labels, minlength=k) / labels.numel()


MEAN, MEDIAN, PROBABILITY = (Serve(functional=name) for name in ("mean", "median", "probability"))
TABLE: list[tuple[str, str, Tensor, int, BiasKind, Serve, Link | None, dict[str, Any], Tensor]] = [
    ("prevalence", "BCEWithLogitsLoss", FLAGS, 1, "prior_log_odds", PROBABILITY, None, {}, FLAGS.double().mean()),
    (
        "prevalence-1-2",
        "BCEWithLogitsLoss",
        FLAGS + 1,
        1,
        "prior_log_odds",
        PROBABILITY,
        None,
        {},
        FLAGS.double().mean(),
    ),
    (
        "prevalence-minus-1",
        "BCEWithLogitsLoss",
        FLAGS * 2 - 1,
        1,
        "prior_log_odds",
        PROBABILITY,
        None,
        {},
        FLAGS.double().mean(),
    ),
    ("fraction", "BCEWithLogitsLoss", PERCENT / 100, 1, "prior_log_odds", MEAN, None, {}, PERCENT.mean() / 100),
    (
        "percent",
        "BCEWithLogitsLoss",
        PERCENT,
        1,
        "prior_log_odds",
        Serve(functional="mean", scale=100.0),
        None,
        {},
        PERCENT.mean(),
    ),
    (
        "prevalence-per-label",
        "MultiLabelSoftMarginLoss",
        MULTI_HOT,
        3,
        "column_log_odds",
        PROBABILITY,
        None,
        {},
        MULTI_HOT.double().mean(0),
    ),
    (
        "prevalence-per-label-minus-1",
        "MultiLabelSoftMarginLoss",
        MULTI_HOT * 2 - 1,
        3,
        "column_log_odds",
        PROBABILITY,
        None,
        {},
        MULTI_HOT.double().mean(0),
    ),
    (
        "prior-per-label",
        "MultiLabelSoftMarginLoss",
        MULTI_HOT,
        3,
        "prior_log_odds",
        PROBABILITY,
        None,
        {},
        MULTI_HOT.double().mean(0),
    ),
    ("class-prior", "CrossEntropyLoss", CLASSES, 4, "log_prior", PROBABILITY, None, {}, shares(CLASSES, 4)),
    ("class-prior-from-1", "CrossEntropyLoss", CLASSES + 1, 4, "log_prior", PROBABILITY, None, {}, shares(CLASSES, 4)),
    (
        "class-prior-remapped",
        "CrossEntropyLoss",
        CLASSES * 10 - 7,
        4,
        "log_prior",
        PROBABILITY,
        None,
        {},
        shares(CLASSES, 4),
    ),
    (
        "class-prior-one-hot",
        "CrossEntropyLoss",
        nn.functional.one_hot(CLASSES),
        4,
        "log_prior",
        PROBABILITY,
        None,
        {},
        shares(CLASSES, 4),
    ),
    (
        "class-prior-void",
        "CrossEntropyLoss",
        torch.cat([CLASSES, torch.full((50,), 255)]),
        4,
        "log_prior",
        PROBABILITY,
        None,
        {},
        shares(CLASSES, 4),
    ),
    ("distribution", "KLDivLoss", SHARES, 3, "log_prior", PROBABILITY, None, {}, SHARES.mean(0)),
    ("count-exp", "PoissonNLLLoss", COUNTS, 1, "link_mean", MEAN, "exp", {}, COUNTS.double().mean()),
    (
        "count-softplus",
        "PoissonNLLLoss",
        COUNTS,
        1,
        "link_mean",
        MEAN,
        "softplus",
        {"log_input": False},
        COUNTS.double().mean(),
    ),
    ("mean", "MSELoss", REALS, 1, "link_mean", MEAN, None, {}, REALS.mean()),
    ("median", "L1Loss", REALS, 1, "median", MEDIAN, None, {}, REALS.median()),
    ("mean-per-column", "MSELoss", WIDE, 2, "column_means", MEAN, None, {}, WIDE.mean(0)),
    ("median-per-column", "L1Loss", WIDE, 2, "median", MEDIAN, None, {}, torch.quantile(WIDE, 0.5, dim=0)),
    ("brier", "MSELoss", FLAGS, 1, "link_mean", PROBABILITY, "sigmoid", {}, FLAGS.double().mean()),
    ("gaussian-mean", "GaussianNLLLoss", REALS, 2, "link_mean", MEAN, None, {}, REALS.mean()),
    (
        "gaussian-quantile",
        "GaussianNLLLoss",
        REALS,
        2,
        "link_mean",
        Serve(functional="quantile", quantile=0.9),
        None,
        {},
        REALS.mean() + 1.2815515655 * REALS.std(correction=0),
    ),
]


@pytest.mark.parametrize(
    ("loss", "target", "outputs", "kind", "serve", "link", "params", "expected"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_the_first_answer_is_the_constant_predictor(
    loss: str,
    target: Tensor,
    outputs: int,
    kind: BiasKind,
    serve: Serve,
    link: Link | None,
    params: dict[str, Any],
    expected: Tensor,
) -> None:
    answer = first_answer(decided(loss, target, outputs, kind, serve, link, **params), outputs)
    wanted = torch.as_tensor(expected, dtype=torch.float64)
    torch.testing.assert_close(answer.reshape(3, -1), wanted.reshape(1, -1).expand(3, -1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("loss", "target", "kind", "link", "params"),
    [
        ("BCEWithLogitsLoss", FLAGS, "prior_log_odds", None, {}),
        ("PoissonNLLLoss", COUNTS, "link_mean", "exp", {}),
        ("PoissonNLLLoss", COUNTS, "link_mean", "softplus", {"log_input": False}),
        ("MSELoss", REALS, "link_mean", None, {}),
        ("L1Loss", REALS, "median", None, {}),
    ],
)
def test_no_other_constant_has_a_lower_loss(
    loss: str, target: Tensor, kind: BiasKind, link: Link | None, params: dict[str, Any]
) -> None:
    criterion = decided(loss, target, 1, kind, MEAN, link, **params)
    bias = criterion.spec.output_bias
    assert bias is not None

    def at(value: float) -> float:
        return float(criterion(torch.full((len(target), 1), value, dtype=torch.float64), target))

    best = minimize_scalar(at, bounds=(-20, 20), method="bounded", options={"xatol": 1e-9})
    assert at(bias.values[0]) <= best.fun + 1e-9


def facts(**target: Any) -> DataProfile:
    return DataProfile(target=TargetFacts(**target))


@pytest.mark.parametrize(
    "kind", ["prior_log_odds", "log_prior", "link_mean", "median", "column_means", "column_log_odds"]
)
@pytest.mark.parametrize("link", ["identity", "exp", "softplus", "sigmoid", "softmax"])
def test_unknown_facts_give_no_bias(kind: BiasKind, link: Link) -> None:
    assert output_bias(kind, link, DataProfile()) is None


@pytest.mark.parametrize(
    ("kind", "link", "profile"),
    [
        ("link_mean", "exp", facts(mean=0.0)),
        ("link_mean", "softplus", facts(mean=-1.0)),
        ("link_mean", "sigmoid", facts(mean=3.0, n=5)),
        ("link_mean", "softmax", facts(mean=0.5, n=5)),
        ("prior_log_odds", "sigmoid", facts(min=0, max=1, mean=0.5)),
        ("column_log_odds", "sigmoid", facts(min=-4, max=9, n=9, label_prevalence=(1.0, 2.0))),
    ],
    ids=str,
)
def test_a_mean_outside_the_link_gives_no_bias(kind: BiasKind, link: Link, profile: DataProfile) -> None:
    assert output_bias(kind, link, profile) is None


@pytest.mark.parametrize(("share", "clamped"), [(0.0, 1 / 80), (1.0, 1 - 1 / 80), (0.5, 0.5)])
def test_a_certain_label_is_clamped_to_half_a_row(share: float, clamped: float) -> None:
    bias = output_bias("prior_log_odds", "sigmoid", facts(min=0, max=1, mean=share, n=40))
    assert bias is not None
    assert bias.values == pytest.approx((math.log(clamped / (1 - clamped)),))


def test_an_absent_class_is_smoothed_by_one_row() -> None:
    seen = profile(torch.tensor([0, 0, 2, 2, 2, 3]), PredictionSpec(shape=(None, 5)))
    bias = output_bias("log_prior", "softmax", seen)
    assert bias is not None
    np.testing.assert_allclose(np.exp(bias.values), np.array([3, 1, 4, 2, 1]) / 11)


def test_the_inverse_of_softplus_does_not_overflow() -> None:
    bias = output_bias("link_mean", "softplus", facts(mean=1e6))
    assert bias is not None
    assert bias.values == (1e6,)


def spec(bias: OutputBias | None, loss: str = "MSELoss") -> Criterion:
    return build_criterion(LossSpec(loss=loss, output_bias=bias, serve=MEAN))


ONE, THREE = OutputBias(kind="link_mean", values=(2.5,)), OutputBias(kind="column_means", values=(1.0, 2.0, 3.0))


@pytest.mark.parametrize(
    "layer",
    [
        nn.Linear(4, 3),
        nn.Conv1d(2, 3, 1),
        nn.Conv2d(2, 3, 1),
        nn.ConvTranspose2d(2, 3, 1),
        nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 3))),
        nn.Linear(4, 3, dtype=torch.float64),
        nn.Linear(4, 3, dtype=torch.bfloat16),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_only_the_last_bias_changes(layer: nn.Module) -> None:
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    spec(THREE).init_output_bias(layer)
    *rest, last = layer.state_dict()
    assert layer.state_dict()[last].tolist() == [1, 2, 3]
    assert all(torch.equal(layer.state_dict()[name], before[name]) for name in rest)
    assert all(value.requires_grad and value.grad_fn is None for value in layer.parameters())


def test_one_value_serves_all_outputs() -> None:
    layer = nn.Linear(2, 3)
    spec(ONE).init_output_bias(layer)
    assert layer.bias.tolist() == [2.5, 2.5, 2.5]


@pytest.mark.parametrize(
    ("bias", "loss", "layer", "message"),
    [
        (None, "MSELoss", nn.Linear(2, 1), "found none"),
        (ONE, "MSELoss", nn.Linear(2, 1, bias=False), "bias=True"),
        (ONE, "MSELoss", nn.ReLU(), "found ReLU"),
        (ONE, "MSELoss", nn.Sequential(), "found Sequential"),
        (THREE, "MSELoss", nn.Linear(2, 4), "3 outputs.*found 4"),
        (ONE, "GaussianNLLLoss", nn.Linear(2, 2), "1 outputs.*found 2"),
    ],
    ids=["no-bias-decided", "no-bias-in-layer", "no-linear", "empty", "length", "mean-as-variance"],
)
def test_a_layer_that_cannot_start_there_is_refused(
    bias: OutputBias | None, loss: str, layer: nn.Module, message: str
) -> None:
    with pytest.raises(ContractError, match=message):
        spec(bias, loss).init_output_bias(layer)


@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_a_layer_of_unknown_size_is_refused() -> None:
    with pytest.raises(ContractError, match="run the model once"):
        spec(ONE).init_output_bias(nn.LazyConv2d(3, 1))
