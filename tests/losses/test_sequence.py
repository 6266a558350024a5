"""Sequence losses: torch's and scikit-learn's values, brute force over labellings, wrong labels refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from sklearn.metrics import hinge_loss
from torch import Tensor, nn

from nebula.errors import ContractError
from nebula.losses.criterion import Criterion
from nebula.losses.factory import build_criterion
from nebula.losses.modules.crf import ChainCRF
from nebula.losses.modules.ctc import CTC
from nebula.losses.spec import Functional, LossSpec, Serve


def criterion(loss: str, functional: Functional = "raw", **params: object) -> Criterion:
    return build_criterion(LossSpec(loss=loss, params=params, serve=Serve(functional=functional)))


def speech(steps: int = 12, rows: int = 5, classes: int = 6) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    rng = torch.Generator().manual_seed(0)
    target = torch.randint(1, classes, (rows, 4), generator=rng)
    lengths = {"input_lengths": torch.tensor([12, 9, 12, 10, 12]), "target_lengths": torch.tensor([4, 3, 0, 1, 2])}
    return torch.randn(steps, rows, classes, generator=rng), target, lengths


def test_ctc_has_torchs_mean_and_gradient() -> None:
    prediction, target, lengths = speech()
    ours, theirs = prediction.clone().requires_grad_(), prediction.clone().requires_grad_()
    found = criterion("CTCLoss")(ours, target, **lengths)
    wanted = nn.CTCLoss()(theirs.log_softmax(2), target, **lengths)
    found.backward()
    wanted.backward()
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_ctc_takes_log_probabilities_as_well() -> None:
    prediction, target, lengths = speech()
    loss = criterion("CTCLoss")
    torch.testing.assert_close(loss(prediction.log_softmax(2), target, **lengths), loss(prediction, target, **lengths))


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (("target", 1), 6, r"labels 0\.\.5 other than the blank 0 .* row 1"),
        (("target", 1), -1, "row 1"),
        (("target", 3), 0, "other than the blank"),
        (("input_lengths", 0), 13, "at most 12 inputs"),
        (("target_lengths", 4), 5, "4 labels"),
        (("target_lengths", 4), -1, "target length -1"),
        (("input_lengths", 0), 3, "at least as many input steps"),
    ],
    ids=["class", "negative", "blank", "input", "labels", "negative-length", "too-short"],
)
def test_ctc_refuses_what_torch_would_read_beyond_its_arrays(where: tuple[str, int], value: int, message: str) -> None:
    prediction, target, lengths = speech()
    name, row = where
    changed = target if name == "target" else lengths[name]
    changed[row] = value
    with pytest.raises(ContractError, match=message):
        criterion("CTCLoss")(prediction, target, **lengths)


def test_ctc_reads_no_label_beyond_a_rows_length() -> None:
    prediction, target, lengths = speech()
    wanted = criterion("CTCLoss")(prediction, target, **lengths)
    target[2, :], target[1, 3] = 99, -7
    torch.testing.assert_close(criterion("CTCLoss")(prediction, target, **lengths), wanted)


def test_ctc_where_nothing_is_looked_at_marks_the_wrong_row_only() -> None:
    """The path of other devices: the wrong row is marked, and torch sees labels that it can read."""
    prediction, target, lengths = speech()
    inputs, targets = lengths["input_lengths"], lengths["target_lengths"]
    wanted = criterion("CTCLoss", reduction="none")(prediction, target, **lengths)
    target[1, 0], inputs[3] = 6, 99
    module = CTC(reduction="none")
    assert module._broken(prediction, target, inputs, targets).tolist() == [False, True, False, True, False]
    target, inputs, targets = module._made_safe(prediction, target, inputs, targets)
    found = module(prediction, target, input_lengths=inputs, target_lengths=targets)
    torch.testing.assert_close(found[[0, 2, 4]], wanted[[0, 2, 4]])


def test_ctc_counts_a_row_too_short_as_0_when_asked() -> None:
    prediction, target, lengths = speech()
    lengths["input_lengths"][0] = 2
    prediction.requires_grad_()
    found = criterion("CTCLoss", zero_infinity=True, reduction="none")(prediction, target, **lengths)
    found.sum().backward()
    assert found[0].item() == 0
    assert prediction.grad is not None
    assert prediction.grad.isfinite().all()


def test_ctc_needs_a_blank_among_the_classes() -> None:
    prediction, target, lengths = speech()
    with pytest.raises(ContractError, match="a blank among the 6 outputs, found 6"):
        criterion("CTCLoss", blank=6)(prediction, target, **lengths)


def test_padding_changes_no_token_mean() -> None:
    logits, target = torch.randn(3, 5, 4), torch.randint(1, 5, (3, 4))
    padded_logits = torch.cat((logits, torch.randn(3, 5, 3)), dim=2)
    padded = torch.cat((target, torch.zeros(3, 3, dtype=torch.long)), dim=1)
    loss = criterion("SequenceCrossEntropyLoss", "probability", ignore_index=0)
    torch.testing.assert_close(loss(padded_logits, padded), loss(logits, target))


def test_structured_hinge_of_equal_costs_is_the_multiclass_hinge() -> None:
    scores, target = torch.randn(50, 4, dtype=torch.float64), torch.randint(0, 4, (50,))
    wanted = hinge_loss(target.numpy(), scores.numpy(), labels=range(4))
    assert criterion("StructuredHingeLoss")(scores, target).item() == pytest.approx(wanted)


def test_structured_hinge_bounds_the_cost_of_the_best_candidate() -> None:
    scores, target, cost = torch.randn(200, 4), torch.randint(0, 4, (200,)), torch.rand(200, 4) * 3
    cost.scatter_(1, target.unsqueeze(1), 0.0)
    chosen = cost.gather(1, scores.argmax(1, keepdim=True)).squeeze(1)
    for rescaling in ("margin", "slack"):
        loss = criterion("StructuredHingeLoss", rescaling=rescaling, reduction="none")
        assert (loss(scores, target, task_loss=cost) >= chosen - 1e-6).all(), rescaling


@pytest.fixture
def crf() -> ChainCRF:
    torch.manual_seed(1)
    module = ChainCRF(classes=3, reduction="none").double()
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    return module


def _score(crf: ChainCRF, emissions: np.ndarray, path: tuple[int, ...]) -> float:
    transitions, starts, ends = (p.detach().numpy() for p in (crf.transitions, crf.starts, crf.ends))
    pairs = itertools.pairwise(path)
    own = sum(emissions[step, label] for step, label in enumerate(path))
    return own + sum(transitions[pair] for pair in pairs) + starts[path[0]] + ends[path[-1]]


def test_crf_equals_the_sum_over_all_labellings(crf: ChainCRF) -> None:
    emissions, target, lengths = torch.randn(4, 4, 3).double(), torch.randint(0, 3, (4, 4)), torch.tensor([4, 1, 3, 2])
    found = crf(emissions, target, lengths=lengths)
    for row, length in enumerate(lengths.tolist()):
        scores = {
            path: _score(crf, emissions[row].numpy(), path) for path in itertools.product(range(3), repeat=length)
        }
        wanted = logsumexp(list(scores.values())) - scores[tuple(target[row, :length].tolist())]
        assert found[row].item() == pytest.approx(wanted), row


def test_crf_serves_the_likeliest_labelling(crf: ChainCRF) -> None:
    emissions = torch.randn(6, 4, 3).double()
    for row, labels in enumerate(crf.serve("argmax", emissions, None).tolist()):
        paths = itertools.product(range(3), repeat=4)
        assert tuple(labels) == max(paths, key=lambda path: _score(crf, emissions[row].numpy(), path))


def test_crf_gradients_reach_its_own_scores(crf: ChainCRF) -> None:
    emissions, target, lengths = torch.randn(3, 4, 3).double(), torch.randint(0, 3, (3, 4)), torch.tensor([4, 2, 3])

    def loss(transitions: Tensor, starts: Tensor, ends: Tensor) -> Tensor:
        given = {"transitions": transitions, "starts": starts, "ends": ends}
        return torch.func.functional_call(crf, given, (emissions, target), {"lengths": lengths})

    assert torch.autograd.gradcheck(loss, tuple(p.detach().requires_grad_() for p in crf.parameters()))


def test_crf_refuses_another_number_of_classes() -> None:
    with pytest.raises(ContractError, match="of 5 classes"):
        criterion("CRFLoss", "argmax", classes=5)(
            torch.zeros(2, 3, 4), torch.zeros(2, 3, dtype=torch.long), lengths=torch.tensor([3, 3])
        )
