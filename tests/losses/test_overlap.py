"""Overlap of sets: scikit-learn's scores on certain predictions, one family, and where no set lies."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, fbeta_score, jaccard_score
from torch import Tensor

from nebula.errors import ContractError
from nebula.losses.adaptation import entry_of
from nebula.losses.factory import build_criterion
from nebula.losses.spec import LossSpec, Serve
from tests.losses.planning import build, plan

NAMES = ["FBetaLoss", "DiceLoss", "JaccardLoss", "TverskyLoss", "FocalTverskyLoss"]
CERTAIN = 1e4
seeds = st.integers(0, 999)


def masks(seed: int, *shape: int) -> tuple[Tensor, Tensor]:
    """Certain logits, and a mask with both answers in it."""
    rng = torch.Generator().manual_seed(seed)
    answer, taken = (torch.randint(0, 2, shape, generator=rng).double() for _ in range(2))
    answer.view(-1)[:2] = taken.view(-1)[:2] = torch.tensor([0.0, 1.0])
    return (2 * taken - 1) * CERTAIN, answer


@given(seed=seeds, beta=st.sampled_from([0.5, 1.0, 2.0, 10.0]))
def test_on_certain_predictions_it_is_the_score(seed: int, beta: float) -> None:
    z, y = masks(seed, 40)
    taken = (z > 0).double()
    whole: dict[str, Any] = {"over": "batch", "smooth": 1e-12}
    assert build("FBetaLoss", (), beta=beta, **whole)(z, y).item() == pytest.approx(
        1 - fbeta_score(y, taken, beta=beta)
    )
    assert build("DiceLoss", (), **whole)(z, y).item() == pytest.approx(1 - f1_score(y, taken))
    assert build("JaccardLoss", (), **whole)(z, y).item() == pytest.approx(1 - jaccard_score(y, taken))


@given(seed=seeds, smooth=st.floats(1e-6, 10), over=st.sampled_from(["sample", "batch"]))
def test_one_family_under_five_names(seed: int, smooth: float, over: str) -> None:
    rng = torch.Generator().manual_seed(seed)
    z, y = torch.randn(3, 2, 8, generator=rng, dtype=torch.float64), torch.rand(3, 2, 8, generator=rng).round().double()

    def loss(name: str, **params: Any) -> Tensor:
        found: Tensor = build(name, (), smooth=smooth, over=over, **params)(z, y)
        return found

    def tversky(a: float, b: float) -> Tensor:
        return loss("TverskyLoss", false_positive_weight=a, false_negative_weight=b)

    torch.testing.assert_close(loss("DiceLoss"), tversky(0.5, 0.5))
    torch.testing.assert_close(loss("JaccardLoss"), tversky(1.0, 1.0))
    torch.testing.assert_close(loss("FBetaLoss", beta=2.0), tversky(0.2, 0.8))
    torch.testing.assert_close(loss("FBetaLoss"), loss("DiceLoss"))
    torch.testing.assert_close(loss("FocalTverskyLoss", exponent=1.0), loss("TverskyLoss"))


@given(seed=seeds)
def test_jaccard_follows_dice_set_by_set(seed: int) -> None:
    z, y = torch.randn(4, 3, 9, dtype=torch.float64), torch.rand(4, 3, 9).round().double()
    dice, jaccard = (build(name, (), reduction="none")(z, y) for name in ("DiceLoss", "JaccardLoss"))
    torch.testing.assert_close(jaccard, 2 * dice / (1 + dice))


def test_beta_above_one_and_the_weight_of_misses_ask_for_recall() -> None:
    y = torch.tensor([[[1.0, 1, 1, 0, 0, 0]]])
    missing, alarming = y.clone(), y.clone()
    missing[..., 0], alarming[..., 3] = 0, 1
    for loss, params in (("FBetaLoss", {"beta": 3.0, "over": "sample"}), ("TverskyLoss", {})):
        criterion = build(loss, (), **params)
        assert criterion((2 * missing - 1) * CERTAIN, y) > criterion((2 * alarming - 1) * CERTAIN, y)


@pytest.mark.parametrize("loss", [name for name in NAMES if name != "FBetaLoss"])
@pytest.mark.parametrize(
    ("classes", "shape"), [("independent", (5, 4)), ("single", (5,)), ("exclusive", (5, 4))], ids=str
)
def test_one_answer_a_row_is_no_set(loss: str, classes: str, shape: tuple[int, ...]) -> None:
    z = torch.randn(shape)
    y = torch.tensor([0, 1, 2, 3, 0]) if classes == "exclusive" else (torch.arange(z.numel()) % 2).view(shape).float()
    with pytest.raises(ContractError, match=rf"{loss}: expected a prediction .*over: batch"):
        build(loss, (), classes=classes)(z, y)
    with pytest.raises(ContractError, match="axes"):
        plan(loss, y, z, classes=classes)
    assert build(loss, (), classes=classes, over="batch")(z, y).isfinite()
    plan(loss, y, z, classes=classes, over="batch")


def test_an_empty_mask_costs_what_is_taken() -> None:
    nothing = torch.zeros(1, 1, 10)
    criterion = build("DiceLoss", (), smooth=1.0)
    assert criterion(torch.full_like(nothing, -CERTAIN), nothing).item() == 0
    assert criterion(torch.full_like(nothing, CERTAIN), nothing).item() == pytest.approx(5 / 6)
    z = torch.zeros_like(nothing, requires_grad=True)
    criterion(z, nothing).backward()
    assert z.grad is not None
    assert (z.grad > 0).all()


@pytest.mark.parametrize("loss", NAMES)
def test_a_perfect_set_has_a_finite_gradient(loss: str) -> None:
    y = torch.tensor([[[1.0, 0, 1, 0]]])
    z = ((2 * y - 1) * CERTAIN).requires_grad_()
    found = build(loss, (), over="sample")(z, y)
    found.backward()
    assert found.item() == 0
    assert z.grad is not None
    assert not z.grad.any()


def test_positions_without_a_label_belong_to_no_set() -> None:
    z, y = torch.randn(2, 3, 6), torch.randint(0, 3, (2, 6))
    void = y.clone()
    void[:, 4:] = 255
    found = build("DiceLoss", (), classes="exclusive", ignore_index=255)(z, void)
    torch.testing.assert_close(found, build("DiceLoss", (), classes="exclusive")(z[..., :4], y[:, :4]))


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_that_is_no_output_raises(label: int) -> None:
    y = torch.zeros(2, 6, dtype=torch.long)
    y[0, 0] = label
    with pytest.raises((IndexError, RuntimeError), match="out of bounds"):
        build("DiceLoss", (), classes="exclusive")(torch.randn(2, 3, 6), y)


def test_rows_have_no_loss_of_their_own_over_a_batch() -> None:
    with pytest.raises(ContractError, match="over: batch"):
        build("FBetaLoss", (), reduction="none")
    for name in NAMES:
        for contract in entry_of(name).contracts:
            assert contract.couples_samples == (contract.requires_params["over"] == "batch")


@pytest.mark.parametrize("functional", ["argmax", "probability", "threshold"])
def test_masks_are_served(functional: Any) -> None:
    z = torch.randn(2, 3, 5)
    spec = LossSpec(loss="DiceLoss", serve=Serve(functional=functional, threshold=0.3))
    wanted = {"argmax": (z >= 0).long(), "probability": z.sigmoid(), "threshold": (z.sigmoid() >= 0.3).long()}
    torch.testing.assert_close(build_criterion(spec).predict(z), wanted[functional])


def test_exclusive_classes_are_served_behind_the_background() -> None:
    z = torch.log(torch.tensor([[0.65, 0.05, 0.3], [0.8, 0.15, 0.05], [0.1, 0.8, 0.1]]))

    def served(functional: Any) -> list[float]:
        serve = Serve(functional=functional, threshold=0.3, labels=(10.0, 20.0, 30.0))
        spec = LossSpec(loss="DiceLoss", params={"classes": "exclusive", "over": "batch"}, serve=serve)
        return build_criterion(spec).predict(z).tolist()

    assert served("argmax") == [10, 10, 20]
    assert served("threshold") == [30, 10, 20]


def test_classes_on_the_last_axis_are_moved_for_the_loss_and_back_for_the_answer() -> None:
    z, y = torch.randn(4, 6, 3), torch.randint(0, 3, (4, 6))
    y[0, :3] = torch.arange(3)
    steps = plan("DiceLoss", y, z, classes="exclusive")
    spec = LossSpec(
        loss="DiceLoss", params={"classes": "exclusive"}, adapt=steps, serve=Serve(functional="probability")
    )
    criterion = build_criterion(spec)
    torch.testing.assert_close(criterion(z, y), build("DiceLoss", (), classes="exclusive")(z.movedim(-1, 1), y))
    torch.testing.assert_close(criterion.predict(z), z.softmax(-1))
