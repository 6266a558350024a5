"""Every registered loss against its formula, its reductions, its derivative, and its life as a module."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nebula.conformance.subject import subjects_of
from nebula.errors import ContractError
from nebula.losses import registry
from nebula.losses.adaptation import entry_of
from nebula.losses.catalogue import builtin_entries, load_builtin
from nebula.losses.factory import build_criterion
from nebula.losses.spec import LossSpec, Serve
from tests.losses.cases import torch_losses
from tests.losses.loss_cases import CASES, LossCase

load_builtin()
NAMES = [entry.name for entry in builtin_entries() if not entry.composed]
TORCH = [case for case in torch_losses.CASES if not case.params]
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
_COVERED = {
    (subject.entry.name, repr(sorted(subject.params.items()))) for e in builtin_entries() for subject in subjects_of(e)
}
beyond_conformance = pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.params and (case.loss, repr(sorted(case.params.items()))) not in _COVERED],
    ids=lambda case: case.id,
)
"""What holds without an oracle is in the conformance suite, for the parameters that are not tried there."""


def _offered(case: LossCase) -> tuple[str, ...]:
    """Reductions of the contract that this case's target is read by."""
    params = {name: value for name, value in case.params.items() if name != "reduction"}
    return entry_of(case.loss).contracts_for(params)[0].reductions


def _expected(case: LossCase, prediction: Tensor, target: Tensor, extra: dict[str, Tensor]) -> np.ndarray:
    given = {name: value.numpy() for name, value in extra.items()}
    return np.asarray(case.elements(prediction.numpy(), target.numpy(), **given))


def test_every_loss_has_an_oracle() -> None:
    assert set(NAMES) == {case.loss for case in CASES}
    assert len({case.id for case in CASES}) == len(CASES)


@every_case
def test_values_equal_the_formula(case: LossCase) -> None:
    prediction, target, extra = case.inputs()
    criterion = case.criterion(reduction="none") if "none" in _offered(case) else case.criterion()
    found = criterion(prediction, target, **extra).detach().numpy()
    np.testing.assert_allclose(found, _expected(case, prediction, target, extra), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("case", [case for case in CASES if "none" in _offered(case)], ids=lambda case: case.id)
def test_reductions_are_the_sum_and_the_stated_mean(case: LossCase) -> None:
    prediction, target, extra = case.inputs(seed=1)
    elements = _expected(case, prediction, target, extra)
    divisor = case.denominator(target.numpy()) if case.denominator else elements.size
    for reduction in set(_offered(case)) - {"none"}:
        wanted = elements.sum() / (1 if reduction == "sum" else divisor)
        found = case.criterion(reduction=reduction)(prediction, target, **extra).item()
        assert found == pytest.approx(wanted, rel=1e-6), reduction


@pytest.mark.parametrize("case", TORCH, ids=lambda case: case.id)
def test_a_plain_loss_equals_torch_bit_for_bit(case: LossCase) -> None:
    prediction, target = case.tensors(dtype=torch.float32)
    raw = getattr(nn, case.loss)(**({"reduction": "batchmean"} if case.loss == "KLDivLoss" else {}))
    split = case.loss == "GaussianNLLLoss"
    expected = raw(prediction[:, 0], target, prediction[:, 1]) if split else raw(prediction, target)
    assert torch.equal(case.criterion()(prediction, target), expected)


@beyond_conformance
def test_gradient_equals_the_finite_difference(case: LossCase) -> None:
    prediction, target, extra = case.inputs(seed=2)
    criterion = case.criterion()
    assert torch.autograd.gradcheck(lambda z: criterion(z, target, **extra), (prediction.requires_grad_(),))


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.finite_at_extremes and case.params], ids=lambda case: case.id
)
@pytest.mark.parametrize("size", [1e4, -1e4])
def test_extreme_outputs_give_finite_values_and_gradients(case: LossCase, size: float) -> None:
    prediction, target, extra = case.inputs(dtype=torch.float32)
    prediction = torch.full_like(prediction, size)
    prediction[..., 0] = -size
    prediction.requires_grad_()
    loss = case.criterion()(prediction, target, **extra)
    loss.sum().backward()
    assert loss.isfinite().all()
    assert prediction.grad is not None
    assert prediction.grad.isfinite().all()


@beyond_conformance
def test_a_case_with_parameters_lives_as_a_module(case: LossCase) -> None:
    prediction, target, extra = case.inputs(dtype=torch.float32)
    criterion = case.criterion()
    expected = criterion(prediction, target, **extra)
    for other in (copy.deepcopy(criterion), pickle.loads(pickle.dumps(criterion))):
        assert torch.equal(other(prediction, target, **extra), expected)
        assert other.spec == criterion.spec
    moved = criterion.to("meta")
    assert all(tensor.device.type == "meta" for tensor in (*moved.buffers(), *moved.parameters()))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize(
    "case", [c for c in CASES if "weight" in c.params or "pos_weight" in c.params], ids=lambda c: c.id
)
def test_weights_follow_the_prediction_in_any_module_dtype(case: LossCase, dtype: torch.dtype) -> None:
    prediction, target = case.tensors()
    found = case.criterion().to(dtype)(prediction, target)
    assert found.item() == pytest.approx(case.criterion()(prediction, target).item(), rel=1e-3)


def test_pos_weight_is_per_column_on_a_dense_prediction() -> None:
    """torch alone would weigh the last axis."""
    rng = torch.Generator().manual_seed(0)
    prediction, target = torch.randn(2, 3, 5, 3, generator=rng), (torch.rand(2, 3, 5, 3, generator=rng) > 0.5).float()
    found = _spec("BCEWithLogitsLoss", pos_weight=[1.0, 2.0, 3.0], reduction="none")(prediction, target)
    plain = _spec("BCEWithLogitsLoss", reduction="none")(prediction, target)
    for column, weight in enumerate((1.0, 2.0, 3.0)):
        expected = torch.where(target[:, column] == 1, weight, 1.0) * plain[:, column]
        torch.testing.assert_close(found[:, column], expected)


def test_column_weights_never_fall_on_another_axis() -> None:
    dense = torch.randn(2, 3, 5, 3)
    with pytest.raises(ContractError, match=r"expected a prediction \(N, C\)"):
        _spec("MultiLabelSoftMarginLoss", weight=[1.0, 2.0, 3.0])(dense, (dense > 0).float())


def test_gaussian_variance_below_zero_is_nan_not_a_number() -> None:
    found = _spec("GaussianNLLLoss", reduction="none")(torch.tensor([[0.0, -1.0], [0.0, 0.0]]), torch.zeros(2))
    assert found[0].isnan()
    assert found[1].item() == pytest.approx(0.5 * np.log(1e-6))


@pytest.mark.parametrize(
    ("loss", "params", "where"),
    [
        ("HuberLoss", {"delta": 0}, "HuberLoss.delta"),
        ("HuberLoss", {"delta": float("inf")}, "HuberLoss.delta"),
        ("SmoothL1Loss", {"beta": -1}, "SmoothL1Loss.beta"),
        ("MSELoss", {"reduction": "median"}, "MSELoss.reduction"),
        ("MSELoss", {"weight": [1.0]}, "MSELoss.weight"),
        ("KLDivLoss", {"reduction": "mean"}, "KLDivLoss.reduction"),
        ("CrossEntropyLoss", {"label_smoothing": 1.5}, "label_smoothing"),
        ("CrossEntropyLoss", {"weight": []}, "CrossEntropyLoss.weight"),
        ("CrossEntropyLoss", {"weight": [1.0, -1.0]}, "CrossEntropyLoss.weight"),
        ("CrossEntropyLoss", {"weight": [1.0, float("nan")]}, "CrossEntropyLoss.weight"),
        ("CrossEntropyLoss", {"weight": [1.0, float("inf")]}, "CrossEntropyLoss.weight"),
        ("CrossEntropyLoss", {"weight": [0.0, 0.0]}, "only zeros"),
        ("CrossEntropyLoss", {"weight": "abc"}, "CrossEntropyLoss.weight"),
        ("BCEWithLogitsLoss", {"pos_weight": -2}, "BCEWithLogitsLoss.pos_weight"),
        ("CrossEntropyLos", {}, "did you mean `CrossEntropyLoss`"),
        ("Quux", {}, "found `Quux`"),
    ],
    ids=str,
)
def test_a_wrong_loss_or_parameter_is_named(loss: str, params: dict[str, object], where: str) -> None:
    with pytest.raises(ContractError, match=where):
        _spec(loss, **params)


@pytest.mark.parametrize("case", [c for c in CASES if isinstance(c.params.get("weight"), list)], ids=lambda c: c.id)
def test_weights_of_another_length_are_refused_at_call(case: LossCase) -> None:
    prediction, target = case.tensors(dtype=torch.float32)
    criterion = case.criterion(weight=[1.0, 2.0])
    with pytest.raises(ContractError, match="one weight per output"):
        criterion(prediction, target)


@pytest.mark.parametrize("log_input", [True, False])
def test_poisson_has_one_contract_per_reading_of_its_input(log_input: bool) -> None:
    (contract,) = entry_of("PoissonNLLLoss").contracts_for({"log_input": log_input})
    assert contract.prediction_space == ("log_rate" if log_input else "rate")


def test_loading_twice_from_many_threads_registers_once() -> None:
    threads = [threading.Thread(target=load_builtin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(registry.entries()) == list(builtin_entries())


def test_a_taken_name_is_refused() -> None:
    with pytest.raises(ValueError, match="already registered"):
        registry.register(entry_of("L1Loss"))


def test_declarations_plans_and_biases_never_import_torch() -> None:
    code = (
        "import sys; import nebula.losses.catalogue as c, nebula.losses.capability, nebula.losses.bias; "
        "c.load_builtin(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _spec(loss: str, **params: object):
    return build_criterion(LossSpec(loss=loss, params=params, serve=Serve(functional="mean")))
