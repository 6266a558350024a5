"""What no step can mend is refused, and the clause is named."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from nebula.errors import ContractError
from nebula.losses.adaptation import plan_adaptation
from nebula.losses.capability import violations
from nebula.losses.registry import find
from nebula.profiling.prediction import PredictionSpec
from nebula.profiling.profiler import profile
from tests.losses.adapted_rows import (
    COUNTS,
    FLAGS,
    HOLES,
    LOGITS,
    MULTI_HOT,
    MULTI_LOGITS,
    PLACES,
    REAL,
    SHARES,
    SINGLE,
)

REFUSED = [
    ("negative-count", "PoissonNLLLoss", COUNTS - 1, SINGLE, {}, r"\[0, ∞\).*from -1 to 6"),
    ("fraction-as-class", "CrossEntropyLoss", REAL, LOGITS, {}, "not whole"),
    ("softmax-over-one-column", "CrossEntropyLoss", FLAGS, SINGLE[:, None], {}, "at least 2 outputs"),
    ("softmax-over-one-column-both", "CrossEntropyLoss", FLAGS[:, None], SINGLE[:, None], {}, "at least 2 outputs"),
    ("labels-without-outputs", "CrossEntropyLoss", FLAGS, SINGLE, {}, r"predictions \(N,\) against targets \(N,\)"),
    (
        "more-labels-than-outputs",
        "CrossEntropyLoss",
        PLACES + 7,
        LOGITS[:, :2],
        {},
        r"3 labels \(7, 8, 9\) for 2 outputs",
    ),
    (
        "fewer-odd-labels-than-outputs",
        "CrossEntropyLoss",
        FLAGS * 2 + 2,
        LOGITS,
        {},
        r"2 labels \(2, 4\) for 3 outputs",
    ),
    ("multi-hot-as-classes", "CrossEntropyLoss", MULTI_HOT, MULTI_LOGITS, {}, "one-hot, or rows of probabilities"),
    ("labels-against-columns", "BCEWithLogitsLoss", FLAGS, LOGITS, {}, r"predictions \(N, 3\) against targets \(N,\)"),
    ("real-as-probability", "BCEWithLogitsLoss", REAL * 200, SINGLE, {}, r"\[0, 1\]"),
    ("small-counts-are-no-percentages", "BCEWithLogitsLoss", COUNTS, SINGLE, {}, "from 0 to 7"),
    ("void-in-flags", "BCEWithLogitsLoss", FLAGS.masked_fill(HOLES, -1), SINGLE, {}, "from -1 to 1"),
    (
        "only-broadcast",
        "MSELoss",
        torch.randn(8, 2, 3),
        torch.randn(8, 1, 3),
        {},
        r"\(N, 1, 3\) against targets \(N, 2, 3\)",
    ),
    ("rows-that-do-not-sum-to-1", "KLDivLoss", SHARES * 0.5, LOGITS, {}, "row sums from 0.5 to 0.5"),
    ("kl-of-one-column", "KLDivLoss", SHARES[:, 0], SINGLE, {}, "at least 2 outputs"),
    ("kl-log-target-above-0", "KLDivLoss", SHARES, LOGITS, {"log_target": True}, r"\(-∞, 0\]"),
    ("one-output-for-mean-and-variance", "GaussianNLLLoss", REAL, SINGLE[:, None], {}, "two outputs per value"),
    ("weights-for-other-outputs", "CrossEntropyLoss", PLACES, LOGITS, {"weight": [1.0, 2.0]}, "3 numbers in `weight`"),
    (
        "ignore-index-among-labels",
        "CrossEntropyLoss",
        PLACES + 1,
        LOGITS,
        {"ignore_index": 0},
        "ignore_index that is no label",
    ),
    ("unknown-loss", "CrossEntropy", PLACES, LOGITS, {}, "did you mean `CrossEntropyLoss`"),
]


@pytest.mark.parametrize(
    ("loss", "target", "prediction", "params", "message"),
    [row[1:] for row in REFUSED],
    ids=[row[0] for row in REFUSED],
)
def test_a_contradiction_is_refused_with_its_clause(
    loss: str, target: Tensor, prediction: Tensor, params: dict[str, Any], message: str
) -> None:
    facts = profile(target, PredictionSpec(shape=(None, *prediction.shape[1:]), space="logits"))
    entry = find(loss)
    with pytest.raises(ContractError, match=message) as refusal:
        plan_adaptation(loss, params, entry.native_link if entry else "identity", facts)
    if entry:
        assert " ".join(violations(loss, params, facts)) == str(refusal.value)


def test_a_loss_that_fits_has_no_violations() -> None:
    assert violations("CrossEntropyLoss", {}, profile(PLACES + 1, LOGITS)) == ()
    assert violations("PoissonNLLLoss", {}, profile(COUNTS)) == ()


def test_every_broken_clause_is_named() -> None:
    found = violations("PoissonNLLLoss", {}, profile(REAL, LOGITS))
    assert len(found) == 2
    assert "one shape" in found[0]
    assert "targets in [0, ∞)" in found[1]


@pytest.mark.parametrize(
    ("loss", "target", "space", "link"),
    [
        ("BCEWithLogitsLoss", FLAGS, "log_probabilities", "sigmoid"),
        ("BCEWithLogitsLoss", FLAGS, "rate", "sigmoid"),
        ("BCEWithLogitsLoss", FLAGS, "logits", "softplus"),
        ("PoissonNLLLoss", COUNTS, "logits", "softplus"),
        ("PoissonNLLLoss", COUNTS, "probabilities", "exp"),
        ("GaussianNLLLoss", REAL, "logits", "exp"),
    ],
)
def test_a_space_or_link_without_a_way_is_refused(loss: str, target: Tensor, space: Any, link: Any) -> None:
    shape = (None, 2) if loss == "GaussianNLLLoss" else (None, 1)
    facts = profile(target, PredictionSpec(shape=shape, space=space))
    with pytest.raises(ContractError, match="expected"):
        plan_adaptation(loss, {}, link, facts)
