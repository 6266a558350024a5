"""`predict`: the functional of the raw output, in the user's unit and labels."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from nebula.errors import ContractError
from nebula.losses.criterion import Criterion
from nebula.losses.factory import build_criterion
from nebula.losses.spec import AdaptStep, LossSpec, Serve

RAW = torch.tensor([-2.0, 0.0, 0.4, 3.0])
ROWS = torch.tensor([[2.0, 0.0, -1.0], [0.0, 0.1, 0.0], [-3.0, 1.0, 4.0]])
TWO = torch.tensor([[2.0, 0.0], [0.0, 1.0]])


def criterion(
    loss: str, functional: Any, link: Any = "identity", adapt: Any = (), params: Any = None, **serve: Any
) -> Criterion:
    return build_criterion(
        LossSpec(loss=loss, params=params or {}, link=link, adapt=adapt, serve=Serve(functional=functional, **serve))
    )


def on_prediction(name: str, **params: Any) -> tuple[AdaptStep, ...]:
    return (AdaptStep(on="prediction", step=name, params=params, reason="tested"),)


TABLE = [
    ("mean", criterion("MSELoss", "mean"), RAW, RAW),
    ("mean-exp", criterion("PoissonNLLLoss", "mean", "exp"), RAW, RAW.exp()),
    ("mean-softplus", criterion("PoissonNLLLoss", "mean", "softplus"), RAW, torch.log1p(RAW.exp())),
    ("mean-of-rates", criterion("PoissonNLLLoss", "mean", "exp", on_prediction("log_of_rate")), RAW.exp(), RAW.exp()),
    (
        "mean-of-given-rates",
        criterion("PoissonNLLLoss", "mean", "exp", on_prediction("apply_link", link="identity"), {"log_input": False}),
        RAW.exp(),
        RAW.exp(),
    ),
    ("mean-scaled", criterion("BCEWithLogitsLoss", "mean", "sigmoid", scale=100.0), RAW, RAW.sigmoid() * 100),
    ("median", criterion("L1Loss", "median"), RAW, RAW),
    ("quantile", criterion("L1Loss", "quantile", "exp", quantile=0.5), RAW, RAW.exp()),
    ("probability", criterion("BCEWithLogitsLoss", "probability", "sigmoid"), RAW, RAW.sigmoid()),
    (
        "probability-given",
        criterion("BCEWithLogitsLoss", "probability", "sigmoid", on_prediction("logit_of_probabilities")),
        RAW.sigmoid(),
        RAW.sigmoid(),
    ),
    ("probabilities", criterion("CrossEntropyLoss", "probability", "softmax"), ROWS, ROWS.softmax(1)),
    (
        "probabilities-from-logs",
        criterion("NLLLoss", "probability", "softmax"),
        ROWS.log_softmax(1),
        ROWS.softmax(1),
    ),
    (
        "probabilities-given",
        criterion("CrossEntropyLoss", "probability", "softmax", on_prediction("log_of_probabilities")),
        ROWS.softmax(1),
        ROWS.softmax(1),
    ),
    (
        "probabilities-channels-last",
        criterion("CrossEntropyLoss", "probability", "softmax", on_prediction("move_class_axis", **{"from": 2})),
        ROWS.expand(2, 3, 3),
        ROWS.softmax(1).expand(2, 3, 3),
    ),
    (
        "threshold",
        criterion("BCEWithLogitsLoss", "threshold", "sigmoid", threshold=0.5),
        RAW,
        torch.tensor([0, 1, 1, 1]),
    ),
    (
        "threshold-high",
        criterion("BCEWithLogitsLoss", "threshold", "sigmoid", threshold=0.6),
        RAW,
        torch.tensor([0, 0, 0, 1]),
    ),
    (
        "threshold-labels",
        criterion("BCEWithLogitsLoss", "threshold", "sigmoid", threshold=0.5, labels=(-1.0, 1.0)),
        RAW,
        torch.tensor([-1, 1, 1, 1]),
    ),
    (
        "threshold-two-outputs",
        criterion("CrossEntropyLoss", "threshold", "softmax", threshold=0.1),
        TWO,
        torch.tensor([1, 1]),
    ),
    ("argmax", criterion("CrossEntropyLoss", "argmax", "softmax"), ROWS, torch.tensor([0, 1, 2])),
    (
        "argmax-labels",
        criterion("CrossEntropyLoss", "argmax", "softmax", labels=(10.0, 20.0, 30.0)),
        ROWS,
        torch.tensor([10, 20, 30]),
    ),
    (
        "argmax-fractions",
        criterion("CrossEntropyLoss", "argmax", "softmax", labels=(0.5, 1.0, 2.5)),
        ROWS,
        torch.tensor([0.5, 1.0, 2.5], dtype=torch.float64),
    ),
    (
        "argmax-dense",
        criterion("CrossEntropyLoss", "argmax", "softmax"),
        ROWS.T.expand(2, 3, 3),
        torch.tensor([0, 1, 2]).expand(2, 3),
    ),
    ("expectation", criterion("CrossEntropyLoss", "expectation", "softmax"), ROWS, ROWS.softmax(1) @ torch.arange(3.0)),
    (
        "expectation-labels",
        criterion("CrossEntropyLoss", "expectation", "softmax", labels=(1.0, 2.0, 5.0)),
        ROWS,
        ROWS.softmax(1) @ torch.tensor([1.0, 2.0, 5.0]),
    ),
    (
        "gaussian-mean",
        criterion("GaussianNLLLoss", "mean", adapt=on_prediction("split_mean_variance")),
        TWO,
        TWO[:, 0],
    ),
    (
        "gaussian-quantile",
        criterion("GaussianNLLLoss", "quantile", adapt=on_prediction("split_mean_variance"), quantile=0.975),
        TWO,
        TWO[:, 0] + 1.959963985 * (torch.log1p(TWO[:, 1].exp()) + 1e-6).sqrt(),
    ),
]


@pytest.mark.parametrize(("built", "raw", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_predict_serves_the_functional(built: Criterion, raw: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(built.predict(raw), expected)


@pytest.mark.parametrize(
    ("built", "raw", "message"),
    [
        (criterion("BCEWithLogitsLoss", "threshold", "sigmoid"), RAW, "serve.threshold"),
        (criterion("BCEWithLogitsLoss", "probability"), RAW, "link sigmoid or softmax"),
        (criterion("CrossEntropyLoss", "argmax", "softmax"), RAW, "classes on axis 1"),
        (criterion("CrossEntropyLoss", "argmax", "softmax"), RAW[:, None], "classes on axis 1"),
        (criterion("CrossEntropyLoss", "probability", "softmax"), RAW, "classes on axis 1"),
        (
            criterion("CrossEntropyLoss", "argmax", "softmax", labels=(1.0, 2.0)),
            ROWS,
            "one label per output, 3, found 2",
        ),
        (criterion("CrossEntropyLoss", "threshold", "softmax", threshold=0.5), ROWS, "2 outputs"),
        (
            criterion("GaussianNLLLoss", "quantile", adapt=on_prediction("split_mean_variance")),
            TWO,
            "serve.quantile",
        ),
    ],
)
def test_an_answer_that_cannot_be_given_is_refused(built: Criterion, raw: Tensor, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        built.predict(raw)


def test_labels_are_exact_and_move_with_the_module() -> None:
    built = criterion("CrossEntropyLoss", "argmax", "softmax", labels=(16777217.0, 0.0, 2.0))
    assert built.half().predict(ROWS).tolist() == [16777217, 0, 2]
    assert built.to("meta").predict(ROWS.to("meta")).device.type == "meta"
    assert dict(built.state_dict()) == {}


def test_compute_loss_is_a_call() -> None:
    built = criterion("MSELoss", "mean")
    assert torch.equal(built.compute_loss(RAW, RAW + 1), built(RAW, RAW + 1))
    assert "MSELoss" in repr(built)
