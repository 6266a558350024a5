"""What is read off the model's output, and what is not."""

from __future__ import annotations

import pytest
import torch

from nebula.errors import DataError
from nebula.profiling.prediction import PredictionSpec
from nebula.profiling.profiler import profile

RAW = torch.tensor([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]])
DENSE = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(1))


def prediction_facts(target, prediction):
    return profile(target, prediction).prediction


@pytest.mark.parametrize(
    ("target", "prediction", "space"),
    [
        pytest.param([0, 1], RAW, "logits", id="raw"),
        pytest.param([0, 1], RAW.softmax(1), "probabilities", id="softmax"),
        pytest.param([0, 1], RAW.softmax(1).half(), "probabilities", id="softmax in half precision"),
        pytest.param([0, 1], RAW.log_softmax(1), "log_probabilities", id="log-softmax"),
        pytest.param([0, 1], torch.tensor([[0.0, -torch.inf], [-torch.inf, 0.0]]), "log_probabilities", id="log of 0"),
        pytest.param([0, 1], RAW.sigmoid(), "unknown", id="sigmoid"),
        pytest.param([0, 1], torch.tensor([0.2, 0.9]), "unknown", id="one output in [0, 1]"),
        pytest.param([0, 1], torch.tensor([[0.2], [0.9]]), "unknown", id="one column in [0, 1]"),
        pytest.param([0, 1], torch.ones(2, 1), "unknown", id="one column of ones"),
        pytest.param([0, 1], torch.tensor([0.2, 1.1]), "logits", id="one output above 1"),
        pytest.param([0, 1], -RAW.abs() - 1, "logits", id="negative, not normalised"),
        pytest.param([0, 1], torch.tensor([[torch.nan, 1.0], [5.0, 2.0]]), "unknown", id="NaN"),
        pytest.param(torch.zeros(2, 4, 5).long(), DENSE.softmax(1), "probabilities", id="dense, over the class axis"),
        pytest.param(torch.zeros(2, 4, 5).long(), DENSE.softmax(3), "unknown", id="dense, over another axis"),
        pytest.param(torch.zeros(2, 3, 4, 5), DENSE.softmax(1), "probabilities", id="one-hot masks, axis 1"),
        pytest.param([[1, 0], [0, 1]], torch.tensor([[1, 0], [0, 1]]), "probabilities", id="one-hot output"),
        pytest.param([], torch.zeros(0, 3), "unknown", id="no rows"),
    ],
)
def test_space(target, prediction, space):
    facts = prediction_facts(target, prediction)
    assert facts.space == space
    assert facts.space_is_declared is False


def test_a_declared_space_is_believed():
    facts = prediction_facts([0, 1], PredictionSpec((None, 3), "probabilities", "float16"))
    assert (facts.space, facts.space_is_declared, facts.dtype) == ("probabilities", True, "float16")
    assert (facts.ndim, facts.shape_tail, facts.n_outputs) == (2, (3,), 3)
    assert (facts.is_finite, facts.min, facts.max) == (None, None, None)
    assert prediction_facts([0, 1], PredictionSpec((None, 3))).space is None


@pytest.mark.parametrize(
    ("target", "shape", "outputs"),
    [((4,), (4,), 1), ((4,), (4, 1), 1), ((4,), (4, 6), 6), ((4, 7), (4, 7, 6), 6), ((4, 5), (4, 5), 5), ((), (), 1)],
    ids=str,
)
def test_number_of_outputs(target, shape, outputs):
    assert prediction_facts(torch.zeros(target), torch.zeros(shape)).n_outputs == outputs


def test_range_and_finiteness():
    facts = prediction_facts([0, 1], torch.tensor([-torch.inf, 3.0]))
    assert (facts.is_finite, facts.min, facts.max, facts.space) == (False, 3.0, 3.0, "logits")
    nothing = prediction_facts([0], torch.tensor([torch.nan]))
    assert (nothing.is_finite, nothing.min, nothing.space) == (False, None, "unknown")


def test_one_batch_stands_for_the_model():
    spec = PredictionSpec.from_batch(RAW.softmax(1).requires_grad_())
    assert spec == PredictionSpec((None, 3), "probabilities", "float32", space_is_declared=False)
    facts = profile(torch.arange(3).repeat(7), spec)
    assert (facts.relation.class_axis, facts.relation.labels_fit) == (1, True)
    assert facts.prediction.space_is_declared is False


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"shape": 10}, id="number"),
        pytest.param({"shape": "10"}, id="text"),
        pytest.param({"shape": (None, -1)}, id="negative size"),
        pytest.param({"shape": (None, 2.0)}, id="fractional size"),
        pytest.param({"shape": (True,)}, id="boolean size"),
        pytest.param({"shape": (1,) * 65}, id="65 axes"),
        pytest.param({"shape": (None, 3), "space": "logit"}, id="unheard-of space"),
        pytest.param({"shape": (None, 3), "dtype": torch.float32}, id="dtype object"),
    ],
)
def test_a_wrong_declaration_is_refused(arguments):
    with pytest.raises(DataError, match=r"expected .* found"):
        PredictionSpec(**arguments)


def test_a_single_number_is_no_batch():
    with pytest.raises(DataError, match="rows first"):
        PredictionSpec.from_batch(torch.tensor(1.0))
