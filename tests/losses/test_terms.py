"""Energies, critics, teachers, domains, groups and limits: what each is for, and where it ends."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nebula.errors import ContractError
from nebula.losses.criterion import Criterion
from nebula.losses.factory import build_criterion
from nebula.losses.modules.constraint import AugmentedLagrangian
from nebula.losses.modules.gradient_penalty import gradient_penalty
from nebula.losses.spec import Functional, LossSpec, Serve


def criterion(loss: str, functional: Functional = "raw", **params: object) -> Criterion:
    return build_criterion(LossSpec(loss=loss, params=params, serve=Serve(functional=functional)))


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_energies_are_pushed_down_at_the_label_and_up_elsewhere() -> None:
    energy = torch.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    criterion("EnergyNLLLoss", "argmax")(energy, torch.tensor([0])).backward()
    torch.testing.assert_close(energy.grad, torch.tensor([[0.3348, -0.2447, -0.0900]]), atol=1e-4, rtol=0)


def test_energies_serve_the_softmax_of_their_negatives() -> None:
    energy = drawn(6, 4)
    torch.testing.assert_close(criterion("EnergyNLLLoss", "probability").predict(energy), (-energy).softmax(1))
    assert torch.equal(criterion("EnergyNLLLoss", "argmax").predict(energy), energy.argmin(1))


class _Linear(nn.Module):
    def __init__(self, slope: Tensor) -> None:
        super().__init__()
        self.slope = nn.Parameter(slope)

    def forward(self, samples: Tensor) -> Tensor:
        return samples.flatten(1) @ self.slope


def test_the_penalty_of_a_linear_critic_is_that_of_its_slope() -> None:
    critic = _Linear(torch.tensor([3.0, 0.0, 4.0, 0.0]))
    value = gradient_penalty(critic, torch.randn(5, 2, 2), torch.randn(5, 2, 2))
    value.backward()
    assert value.item() == pytest.approx((5 - 1) ** 2)
    # d/dw (|w| - 1)² = 2 (|w| - 1) w / |w|
    torch.testing.assert_close(critic.slope.grad, 8 * critic.slope.detach() / 5)


@pytest.mark.parametrize(("length", "expected"), [(0.5, 0.0), (2.0, 1.0)], ids=["shorter", "longer"])
def test_a_one_sided_penalty_counts_longer_slopes_only(length: float, expected: float) -> None:
    critic = _Linear(torch.tensor([length]))
    assert gradient_penalty(critic, torch.zeros(3, 1), torch.ones(3, 1), one_sided=True).item() == expected


def test_penalty_points_lie_between_both_samples_and_repeat() -> None:
    seen: list[Tensor] = []

    def critic(points: Tensor) -> Tensor:
        seen.append(points.detach())
        return points.square().sum(1)

    real, made = torch.zeros(50, 2), torch.ones(50, 2)
    for _ in range(2):
        gradient_penalty(critic, real, made, generator=torch.Generator().manual_seed(3))
    assert torch.equal(seen[0], seen[1])
    assert torch.equal(seen[0][:, 0], seen[0][:, 1]), "one share per row"
    assert 0 <= seen[0].min() < 0.2
    assert 0.8 < seen[0].max() <= 1


def test_penalty_refuses_other_shapes_and_takes_no_rows() -> None:
    with pytest.raises(ContractError, match=r"real .* made"):
        gradient_penalty(nn.Flatten(), torch.zeros(3, 1), torch.zeros(2, 1))
    assert gradient_penalty(_Linear(torch.ones(1)), torch.zeros(0, 1), torch.zeros(0, 1)).item() == 0


def test_a_teacher_that_agrees_leaves_the_labels_part_alone() -> None:
    logits, target = drawn(6, 4), torch.tensor([0, 1, 2, 3, 0, 1])
    found = criterion("DistillationLoss", "probability", label_weight=0.3)(logits, target, teacher=logits + 5)
    torch.testing.assert_close(found, 0.3 * functional.cross_entropy(logits, target))


def test_the_teachers_gradient_keeps_its_size_when_softened() -> None:
    sizes = []
    for temperature in (1.0, 16.0):
        logits, teacher = drawn(6, 4).requires_grad_(), drawn(6, 4, seed=1).requires_grad_()
        loss = criterion("DistillationLoss", "probability", label_weight=0.0, temperature=temperature)
        loss(logits, torch.zeros(6, dtype=torch.long), teacher=teacher).backward()
        assert logits.grad is not None
        assert teacher.grad is None
        sizes.append(logits.grad.norm().item())
    assert 0.3 < sizes[1] / sizes[0] < 3


@pytest.mark.parametrize("loss", ["CORALAlignmentLoss", "MMDLoss"])
def test_a_domain_is_at_no_distance_from_itself(loss: str) -> None:
    z = drawn(7, 3)
    assert criterion(loss)(z, z.flip(0)).item() == pytest.approx(0, abs=1e-12)
    assert criterion(loss)(z, 2 * z + 1).item() > 0.01


@pytest.mark.parametrize("loss", ["CORALAlignmentLoss", "MMDLoss"])
def test_domains_pull_both_sides_and_do_not_mind_order_or_place(loss: str) -> None:
    z, y = drawn(7, 3).requires_grad_(), (drawn(5, 3, seed=1) * 2).requires_grad_()
    value = criterion(loss)(z, y)
    value.backward()
    assert z.grad is not None
    assert y.grad is not None
    assert min(z.grad.abs().max(), y.grad.abs().max()) > 0
    torch.testing.assert_close(criterion(loss)(z.flip(0) + 1000, y + 1000), value)
    torch.testing.assert_close(criterion(loss)(y, z), value)


def test_mmd_takes_the_median_distance_for_its_unit() -> None:
    z, y = drawn(6, 3), drawn(5, 3, seed=1) + 1
    both = torch.cat((z, y)).numpy()
    apart = sorted(np.linalg.norm(a - b) for i, a in enumerate(both) for b in both[:i])
    median = apart[(len(apart) - 1) // 2]
    wanted = criterion("MMDLoss", bandwidths=[0.5 * median, 2 * median])(z, y)
    torch.testing.assert_close(criterion("MMDLoss", scales=[0.5, 2.0])(z, y), wanted)
    torch.testing.assert_close(criterion("MMDLoss")(1000 * z, 1000 * y), criterion("MMDLoss")(z, y))


def gram(left: np.ndarray, right: np.ndarray, width: float) -> np.ndarray:
    return np.exp([[-((a - b) ** 2).sum() / (2 * width**2) for b in right] for a in left])


@pytest.mark.parametrize("rows", [(6, 5), (4, 4), (2, 9)])
def test_mmd_is_the_statistic_of_its_equation(rows: tuple[int, int]) -> None:
    """Gretton et al. 2012, equation 3 without bias and equation 5 with it, pair by pair."""
    z, y = drawn(rows[0], 3), drawn(rows[1], 3, seed=1) * 2
    m, n = rows
    wanted = {True: 0.0, False: 0.0}
    for width in (0.5, 3.0):
        within, beyond, across = (
            gram(*pair, width) for pair in ((z.numpy(),) * 2, (y.numpy(),) * 2, (z.numpy(), y.numpy()))
        )
        pairs = sum(within[i, j] for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
        others = sum(beyond[i, j] for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
        wanted[True] += (pairs + others - 2 * across.sum() / (m * n)) / 2
        wanted[False] += (within.sum() / m**2 + beyond.sum() / n**2 - 2 * across.sum() / (m * n)) / 2
    for unbiased, value in wanted.items():
        found = criterion("MMDLoss", bandwidths=[0.5, 3.0], unbiased=unbiased)(z, y).item()
        assert found == pytest.approx(value, rel=1e-9), unbiased


@pytest.mark.parametrize("widths", [{}, {"bandwidths": [1.0]}], ids=["median", "given"])
@pytest.mark.parametrize("rows", [(5, 7), (16, 16)])
def test_unbiased_mmd_of_one_distribution_is_0_in_the_mean(rows: tuple[int, int], widths: dict[str, object]) -> None:
    """Also with the median distance, which depends on the rows: it treats both sides alike."""
    rng = torch.Generator().manual_seed(3)
    loss, biased = criterion("MMDLoss", unbiased=True, **widths), criterion("MMDLoss", **widths)
    draws = [[torch.randn(n, 3, generator=rng, dtype=torch.float64).exp() for n in rows] for _ in range(1500)]
    values = torch.stack([loss(*draw) for draw in draws])
    error = values.std() / len(draws) ** 0.5
    assert abs(values.mean()) < 4 * error
    assert torch.stack([biased(*draw) for draw in draws[:200]]).mean() > 20 * error


def test_the_median_distance_of_mmd_has_no_gradient() -> None:
    z, y = drawn(6, 3).requires_grad_(), drawn(5, 3, seed=1) + 1
    both = torch.cat((z, y)).detach()
    median = torch.pdist(both).median().item()
    free, fixed = criterion("MMDLoss", scales=[1.0]), criterion("MMDLoss", bandwidths=[median])
    found, wanted = (torch.autograd.grad(loss(z, y), z)[0] for loss in (free, fixed))
    torch.testing.assert_close(found, wanted)


def test_mmd_of_equal_rows_is_finite() -> None:
    z = torch.ones(4, 3, requires_grad=True)
    criterion("MMDLoss")(z, torch.ones(3, 3)).backward()
    assert z.grad is not None
    assert z.grad.isfinite().all()


@pytest.mark.parametrize("loss", ["CORALAlignmentLoss", "MMDLoss"])
def test_a_domain_has_two_rows_and_the_features_of_the_other(loss: str) -> None:
    with pytest.raises(ContractError, match="at least 2 rows of target, found 1"):
        criterion(loss)(drawn(4, 3), drawn(1, 3))
    with pytest.raises(ContractError, match=r"target \(M, D\), found .* target \(4, 2\)"):
        criterion(loss)(drawn(4, 3), drawn(4, 2))


SURE = 40.0


def decisions(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 2, 300), rng.integers(0, 2, 300), rng.integers(0, 3, 300)


@pytest.mark.parametrize("loss", ["DemographicParityLoss", "EqualOpportunityLoss"])
def test_sure_answers_have_the_gap_of_selection_rates(loss: str) -> None:
    """Saturated probabilities are decisions, so the gap is the metric's: the largest difference of rates."""
    decided, true, group = decisions()
    counted = np.ones(300, dtype=bool) if loss == "DemographicParityLoss" else true == 1
    rates = [decided[counted & (group == g)].mean() for g in range(3)]
    logits = torch.from_numpy(np.where(decided == 1, SURE, -SURE))
    found = criterion(loss, "probability", groups=3)(
        logits, torch.from_numpy(true).double(), group=torch.from_numpy(group)
    )
    assert found.item() == pytest.approx(max(rates) - min(rates))


@pytest.mark.parametrize("gap", ["max", "mean", "squared"])
@pytest.mark.parametrize("loss", ["DemographicParityLoss", "EqualOpportunityLoss"])
def test_a_single_group_has_no_gap(loss: str, gap: str) -> None:
    logits = drawn(8).requires_grad_()
    for target in (torch.ones(8), torch.zeros(8)):
        value = criterion(loss, "probability", gap=gap)(logits, target, group=torch.ones(8, dtype=torch.long))
        (slope,) = torch.autograd.grad(value, logits)
        assert value.item() == pytest.approx(0, abs=1e-12)
        assert slope.isfinite().all()


@pytest.mark.parametrize("columns", [(), (2,)], ids=["vector", "matrix"])
@pytest.mark.parametrize(
    ("group", "found"), [([0, 1, 2, 3], "found 3"), ([0, 1, -1, 3], "found -1"), ([0, 0, 0, 255], "found 255")]
)
@pytest.mark.parametrize("loss", ["DemographicParityLoss", "EqualOpportunityLoss"])
def test_an_unknown_group_is_named(loss: str, group: list[int], found: str, columns: tuple[int, ...]) -> None:
    rows = drawn(4, *columns)
    with pytest.raises(ContractError, match=rf"{loss}: expected groups 0..2, {found}"):
        criterion(loss, "probability", groups=3)(rows, torch.ones_like(rows), group=torch.tensor(group))
    with pytest.raises(ContractError, match="found no group"):
        criterion(loss, "probability", groups=3)(rows, torch.ones_like(rows))


@pytest.mark.parametrize("loss", ["DemographicParityLoss", "EqualOpportunityLoss"])
def test_groups_without_a_row_do_not_count(loss: str) -> None:
    logits, target, group = drawn(6), torch.tensor([0.0, 1, 1, 0, 1, 1]).double(), torch.tensor([0, 0, 0, 1, 1, 1])
    for gap in ("max", "mean", "squared"):
        few = criterion(loss, "probability", gap=gap)(logits, target, group=group)
        many = criterion(loss, "probability", groups=5, gap=gap)(logits, target, group=group * 3)
        torch.testing.assert_close(many, few)


@pytest.mark.parametrize(("relation", "best"), [("at_most", 1.0), ("equal", 1.0), ("at_least", 2.0)])
def test_multipliers_bring_the_minimum_to_the_limit(relation: str, best: float) -> None:
    """Minimise (x - 2)² under a relation of x to 1: at most and equal bind, at least does not."""
    loss, point = AugmentedLagrangian(relation=relation), torch.zeros(1, 1, requires_grad=True)
    limit = torch.ones(1, 1)
    for _ in range(60):
        optimiser = torch.optim.LBFGS([point], max_iter=20)

        def closure(optimiser: torch.optim.Optimizer = optimiser) -> Tensor:
            optimiser.zero_grad()
            value = (point - 2).square().sum() + loss(point, limit)
            value.backward()
            return value

        optimiser.step(closure)
        loss.update_multipliers(point, limit)
    assert point.item() == pytest.approx(best, abs=1e-4)
    # the multiplier is the price of the limit: the slope of (x - 2)² there
    assert loss.multipliers.item() == pytest.approx(0.0 if relation == "at_least" else 2.0, abs=1e-3)


def test_multipliers_are_kept_in_checkpoints() -> None:
    loss = criterion("AugmentedLagrangianLoss", constraints=2)
    loss.loss.update_multipliers(torch.ones(3, 2), torch.tensor([0.0, 2.0]).expand(3, 2))
    other = criterion("AugmentedLagrangianLoss", constraints=2)
    other.load_state_dict(loss.state_dict())
    assert other.loss.multipliers.tolist() == [1.0, 0.0]
    z, y = drawn(3, 2), drawn(3, 2, seed=1)
    assert torch.equal(other(z, y), loss(z, y))


def test_without_rows_multipliers_press_on_nothing() -> None:
    loss = criterion("AugmentedLagrangianLoss", relation="equal")
    loss.loss.update_multipliers(torch.ones(3, 1), torch.zeros(3, 1))
    assert loss(torch.zeros(0, 1, requires_grad=True), torch.zeros(0, 1)).item() == 0


def test_constraints_are_counted() -> None:
    with pytest.raises(ContractError, match=r"prediction \(N, 2\)"):
        criterion("AugmentedLagrangianLoss", constraints=2)(drawn(3, 1), drawn(3, 1))


@pytest.mark.parametrize(("distance", "expected"), [(10.0, 0.0), (-10.0, 20.0)], ids=["safe", "unsafe"])
def test_a_barrier_far_from_the_limit_is_0_or_the_lack(distance: float, expected: float) -> None:
    found = criterion("BarrierLoss", scale=0.5)(torch.tensor([distance]), torch.zeros(1))
    assert found.item() == pytest.approx(expected, abs=1e-6)
