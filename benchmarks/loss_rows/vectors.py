"""Losses of sets of positions, of features, groups and limits."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn import functional

from benchmarks.loss_rows.row import ELEMENTS, OPS, Inputs, Row, answers, attribute, normal

__all__ = ["ROWS"]

SIDE = 250
MASKS = (4, 4, SIDE, SIDE)


def masks(generator: Generator) -> Inputs:
    return normal(generator, *MASKS), answers(generator, *MASKS), {}


def maps(generator: Generator) -> Inputs:
    return normal(generator, *MASKS), torch.randint(0, 4, (4, SIDE, SIDE), generator=generator), {}


def labels(generator: Generator) -> Inputs:
    return normal(generator, ELEMENTS // 10, 10), answers(generator, ELEMENTS // 10, 10), {}


def pairs(generator: Generator) -> Inputs:
    z, y = normal(generator, 2, ELEMENTS // 100, 100)
    return z, y, {"same": answers(generator, len(z))}


def triplets(generator: Generator) -> Inputs:
    z, y, negative = normal(generator, 3, ELEMENTS // 100, 100)
    return z, y, {"negative": negative}


def keys(generator: Generator) -> Inputs:
    z, y = normal(generator, 2, 1000, 64)
    return z, z + y, {}


def domains(rows: int, features: int) -> Callable[[Generator], Inputs]:
    return lambda generator: (normal(generator, rows, features), normal(generator, rows, features) * 2 + 1, {})


def groups(generator: Generator) -> Inputs:
    group = torch.randint(0, 3, (ELEMENTS,), generator=generator)
    return normal(generator, ELEMENTS) + group / 4, answers(generator, ELEMENTS), {"group": group}


def both(generator: Generator) -> Inputs:
    return normal(generator, ELEMENTS), normal(generator, ELEMENTS), {}


def columns(generator: Generator) -> Inputs:
    return normal(generator, ELEMENTS // 4, 4), normal(generator, ELEMENTS // 4, 4) - 1, {}


def overlap(a: float, b: float, power: float = 1.0, over: tuple[int, ...] = (2, 3)) -> Callable[..., Tensor]:
    def loss(z: Tensor, y: Tensor) -> Tensor:
        p = z.sigmoid()
        tp, fp, fn = (p * y).sum(over), (p * (1 - y)).sum(over), ((1 - p) * y).sum(over)
        found = 1 - (tp + 1) / (tp + a * fp + b * fn + 1)
        return (found if power == 1 else found**power).mean()

    return loss


def exclusive(z: Tensor, y: Tensor) -> Tensor:
    p, t = z.softmax(1), functional.one_hot(y, z.shape[1]).movedim(-1, 1)
    tp = (p * t).sum((2, 3))
    return (1 - (2 * tp + 2) / ((p + t).sum((2, 3)) + 2)).mean()


def monai_overlap(name: str, **options: object) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda z, y: torch.as_tensor(attribute("monai.losses", name)(**options)(z, y))


def monai_exclusive(z: Tensor, y: Tensor) -> Tensor:
    loss = attribute("monai.losses", "DiceLoss")(softmax=True, to_onehot_y=True, smooth_nr=2.0, smooth_dr=2.0)
    return torch.as_tensor(loss(z, y.unsqueeze(1)))


def contrastive(z: Tensor, y: Tensor, same: Tensor) -> Tensor:
    d = functional.pairwise_distance(z, y)
    return (same * d**2 + (1 - same) * (1 - d).clamp(min=0) ** 2).mean()


def triplet(z: Tensor, y: Tensor, negative: Tensor) -> Tensor:
    return functional.triplet_margin_loss(z, y, negative)


def info_nce(z: Tensor, y: Tensor) -> Tensor:
    similarity = functional.normalize(z, dim=1) @ functional.normalize(y, dim=1).T / 0.1
    return functional.cross_entropy(similarity, torch.arange(len(z)))


def covariances(z: Tensor, y: Tensor) -> Tensor:
    return (torch.cov(z.T) - torch.cov(y.T)).square().sum() / (4 * z.shape[1] ** 2)


def discrepancy(z: Tensor, y: Tensor) -> Tensor:
    squared = torch.cdist(rows := torch.cat((z, y)), rows) ** 2
    kernel = torch.stack([torch.exp(-squared / (2 * width**2)) for width in (2.0, 4.0, 8.0)]).mean(0)
    n = len(z)
    return kernel[:n, :n].mean() + kernel[n:, n:].mean() - 2 * kernel[:n, n:].mean()


def parity(z: Tensor, y: Tensor, group: Tensor, *, of_yes: bool = False) -> Tensor:
    p = z.sigmoid()
    rates = torch.stack([p[(group == g) & (y == 1) if of_yes else group == g].mean() for g in range(3)])
    return rates.max() - rates.min()


def opportunity(z: Tensor, y: Tensor, group: Tensor) -> Tensor:
    return parity(z, y, group, of_yes=True)


def lagrangian(z: Tensor, y: Tensor) -> Tensor:
    over = (z - y).mean(0)
    return (functional.relu(over) ** 2 / 2).sum()


DICE = {"sigmoid": True, "smooth_nr": 2.0, "smooth_dr": 2.0}
TVERSKY = {"sigmoid": True, "smooth_nr": 1.0, "smooth_dr": 1.0}

ROWS = [
    Row("DiceLoss", masks, {OPS: overlap(0.5, 0.5), "monai DiceLoss": monai_overlap("DiceLoss", **DICE)}),
    Row("DiceLoss", maps, {OPS: exclusive, "monai DiceLoss": monai_exclusive}, {"classes": "exclusive"}),
    Row(
        "JaccardLoss",
        masks,
        {OPS: overlap(1.0, 1.0), "monai TverskyLoss": monai_overlap("TverskyLoss", alpha=1.0, beta=1.0, **TVERSKY)},
    ),
    Row(
        "TverskyLoss",
        masks,
        {OPS: overlap(0.3, 0.7), "monai TverskyLoss": monai_overlap("TverskyLoss", alpha=0.3, beta=0.7, **TVERSKY)},
    ),
    Row("FocalTverskyLoss", masks, {OPS: overlap(0.3, 0.7, 0.75)}),
    Row("FBetaLoss", labels, {OPS: overlap(0.2, 0.8, over=(0,))}, {"beta": 2.0}),
    Row("ContrastiveLoss", pairs, {OPS: contrastive}),
    Row("TripletMarginLoss", triplets, {"torch TripletMarginLoss": triplet}),
    Row("InfoNCELoss", keys, {OPS: info_nce}, {"temperature": 0.1}),
    Row("CORALAlignmentLoss", domains(ELEMENTS // 100, 100), {OPS: covariances}),
    Row("MMDLoss", domains(500, 64), {OPS: discrepancy}, {"bandwidths": [2.0, 4.0, 8.0]}),
    Row("DemographicParityLoss", groups, {OPS: parity}, {"groups": 3}),
    Row("EqualOpportunityLoss", groups, {OPS: opportunity}, {"groups": 3}),
    Row("WassersteinCriticLoss", both, {OPS: lambda z, y: (y - z).mean()}),
    Row("ConstraintPenaltyLoss", both, {OPS: lambda z, y: functional.relu(z - y).square().mean()}),
    Row("BarrierLoss", both, {OPS: lambda z, y: functional.softplus(y - z).mean()}),
    Row("AugmentedLagrangianLoss", columns, {OPS: lagrangian}, {"constraints": 4}),
]
