"""Losses of classes, yes/no questions, levels and sequences."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn import functional

from benchmarks.loss_rows.row import ELEMENTS, OPS, Inputs, Row, answers, attribute, normal

__all__ = ["ROWS"]

CLASSES = 10
COUNTS = [5000.0, 4000.0, 3000.0, 2000.0, 1000.0, 800.0, 600.0, 400.0, 200.0, 100.0]
COSTS = [[float(abs(i - j)) for j in range(CLASSES)] for i in range(CLASSES)]


def classes(generator: Generator) -> Inputs:
    n = ELEMENTS // CLASSES
    return normal(generator, n, CLASSES), torch.randint(0, CLASSES, (n,), generator=generator), {}


def thresholds(generator: Generator) -> Inputs:
    n = ELEMENTS // CLASSES
    return normal(generator, n, CLASSES), torch.randint(0, CLASSES + 1, (n,), generator=generator), {}


def questions(generator: Generator) -> Inputs:
    return normal(generator, ELEMENTS, 1), answers(generator, ELEMENTS, 1), {}


def signs(generator: Generator) -> Inputs:
    return normal(generator, ELEMENTS), 2 * answers(generator, ELEMENTS) - 1, {}


def scores(generator: Generator) -> Inputs:
    return normal(generator, 1414), answers(generator, 1414), {}


def taught(generator: Generator) -> Inputs:
    z, y, _ = classes(generator)
    return z, y, {"teacher": normal(generator, *z.shape)}


def tokens(generator: Generator) -> Inputs:
    n, t = ELEMENTS // CLASSES // 50, 50
    target = torch.randint(0, CLASSES, (n, t), generator=generator)
    target[torch.arange(t) >= torch.randint(10, t, (n, 1), generator=generator)] = -100
    return normal(generator, n, CLASSES, t), target, {}


def chains(generator: Generator) -> Inputs:
    n, t = ELEMENTS // CLASSES // 50, 50
    lengths = torch.randint(10, t + 1, (n,), generator=generator)
    labels = torch.randint(0, CLASSES, (n, t), generator=generator)
    return normal(generator, n, t, CLASSES), labels, {"lengths": lengths}


def alignments(generator: Generator) -> Inputs:
    t, n, c, s = 100, 50, 200, 30
    labels = torch.randint(1, c, (n, s), generator=generator)
    lengths = {"input_lengths": torch.full((n,), t), "target_lengths": torch.full((n,), s)}
    return normal(generator, t, n, c), labels, lengths


def right(z: Tensor, y: Tensor) -> Tensor:
    return z.softmax(1).gather(1, y.unsqueeze(1)).squeeze(1)


def sigmoid_focal(z: Tensor, y: Tensor) -> Tensor:
    p, log_loss = z.sigmoid(), functional.binary_cross_entropy_with_logits(z, y, reduction="none")
    wrong = 1 - (p * y + (1 - p) * (1 - y))
    return ((0.25 * y + 0.75 * (1 - y)) * wrong**2 * log_loss).mean()


def kornia_sigmoid_focal(z: Tensor, y: Tensor) -> Tensor:
    found = attribute("kornia.losses", "binary_focal_loss_with_logits")(z, y, alpha=0.25, gamma=2.0, reduction="mean")
    return torch.as_tensor(found)


def monai_sigmoid_focal(z: Tensor, y: Tensor) -> Tensor:
    return torch.as_tensor(attribute("monai.losses", "FocalLoss")(gamma=2.0, alpha=0.25)(z, y))


def focal(z: Tensor, y: Tensor) -> Tensor:
    log_loss = functional.cross_entropy(z, y, reduction="none")
    return ((1 - torch.exp(-log_loss)) ** 2 * log_loss).mean()


def kornia_focal(z: Tensor, y: Tensor) -> Tensor:
    """Kornia's mean is over rows and classes."""
    found = attribute("kornia.losses", "focal_loss")(z, y, alpha=None, gamma=2.0, reduction="mean")
    return torch.as_tensor(found) * CLASSES


def class_balanced(z: Tensor, y: Tensor) -> Tensor:
    weight = 1 / (1 - 0.9999 ** torch.tensor(COUNTS, dtype=torch.float64))
    return functional.cross_entropy(z, y, weight=(weight / weight.sum()).float())


def asymmetric(z: Tensor, y: Tensor) -> Tensor:
    p = z.sigmoid()
    q = (1 - p + 0.05).clamp(max=1)
    log_loss = y * p.clamp(min=1e-8).log() + (1 - y) * q.clamp(min=1e-8).log()
    return -(log_loss * torch.pow(1 - p * y - q * (1 - y), 4 * (1 - y))).mean()


def cost_sensitive(z: Tensor, y: Tensor) -> Tensor:
    return (z.softmax(1) * torch.tensor(COSTS)[y]).sum(1).mean()


def two_costs(z: Tensor, y: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(z, y, pos_weight=torch.tensor(5.0))


def generalized(z: Tensor, y: Tensor) -> Tensor:
    return ((1 - right(z, y) ** 0.7) / 0.7).mean()


def symmetric(z: Tensor, y: Tensor) -> Tensor:
    return 0.1 * functional.cross_entropy(z, y) + 6 * (1 - right(z, y)).mean()


def bootstrap(z: Tensor, y: Tensor) -> Tensor:
    log_p = z.log_softmax(1)
    return (0.95 * functional.nll_loss(log_p, y) - 0.05 * (log_p.exp() * log_p).sum(1).mean()).mean()


def crammer_singer(z: Tensor, y: Tensor) -> Tensor:
    own = y.unsqueeze(1)
    margins = (z - z.gather(1, own) + 1).scatter(1, own, 0.0)
    return margins.amax(1).mean()


def auc(z: Tensor, y: Tensor) -> Tensor:
    lead = z[y == 1].unsqueeze(1) - z[y == 0]
    return functional.softplus(-lead).mean()


def ordinal(z: Tensor, y: Tensor) -> Tensor:
    odds = torch.cat((z[:, :1], z[:, :1] - functional.softplus(z[:, 1:]).cumsum(1)), 1)
    reached, edge = odds.sigmoid(), z.new_ones(len(z), 1)
    p = torch.cat((edge, reached), 1) - torch.cat((reached, 0 * edge), 1)
    return -p.gather(1, y.unsqueeze(1)).clamp(min=1e-12).log().mean()


def coral(z: Tensor, y: Tensor) -> Tensor:
    above = (y.unsqueeze(1) > torch.arange(z.shape[1])).float()
    return functional.binary_cross_entropy_with_logits(z, above, reduction="none").sum(1).mean()


def earth_mover(z: Tensor, y: Tensor) -> Tensor:
    p, q = z.softmax(1), functional.one_hot(y, CLASSES).float()
    return (p.cumsum(1) - q.cumsum(1)).square().sum(1).mean()


def distillation(z: Tensor, y: Tensor, teacher: Tensor) -> Tensor:
    soft = functional.kl_div(
        functional.log_softmax(z / 2, 1), functional.log_softmax(teacher / 2, 1), log_target=True, reduction="batchmean"
    )
    return 0.5 * functional.cross_entropy(z, y) + 0.5 * 4 * soft


def structured(z: Tensor, y: Tensor) -> Tensor:
    own = y.unsqueeze(1)
    cost = torch.ones_like(z).scatter(1, own, 0.0)
    return ((z + cost).amax(1) - z.gather(1, own).squeeze(1)).mean()


def ctc(z: Tensor, y: Tensor, input_lengths: Tensor, target_lengths: Tensor) -> Tensor:
    return functional.ctc_loss(z.log_softmax(2), y, input_lengths, target_lengths)


def chain(z: Tensor, y: Tensor, lengths: Tensor) -> Tensor:
    """The forward recursion and the score of the labels, with transitions that are learned."""
    moves, starts, ends = (torch.zeros(CLASSES, *more, requires_grad=True) for more in ((CLASSES,), (), ()))
    rows, last = torch.arange(len(z)), lengths - 1
    alpha, score = starts + z[:, 0], starts[y[:, 0]] + z[rows, 0, y[:, 0]]
    for t in range(1, z.shape[1]):
        open_ = t < lengths
        alpha = torch.where(open_[:, None], torch.logsumexp(alpha[:, :, None] + moves, 1) + z[:, t], alpha)
        score = score + open_ * (moves[y[:, t - 1], y[:, t]] + z[rows, t, y[:, t]])
    return (torch.logsumexp(alpha + ends, 1) - score - ends[y[rows, last]]).mean()


def plain(ops: Callable[..., Tensor]) -> dict[str, Callable[..., Tensor]]:
    return {OPS: ops}


ROWS = [
    Row(
        "SigmoidFocalLoss",
        questions,
        {OPS: sigmoid_focal, "kornia focal": kornia_sigmoid_focal, "monai FocalLoss": monai_sigmoid_focal},
    ),
    Row("FocalLoss", classes, {OPS: focal, "kornia focal_loss": kornia_focal}),
    Row("ClassBalancedLoss", classes, plain(class_balanced), {"class_counts": COUNTS}),
    Row("AsymmetricLoss", questions, plain(asymmetric)),
    Row("CostSensitiveLoss", classes, plain(cost_sensitive), {"costs": COSTS}),
    Row("CostSensitiveBCELoss", questions, plain(two_costs), {"cost_false_negative": 5.0}),
    Row("GeneralizedCrossEntropyLoss", classes, plain(generalized)),
    Row("SymmetricCrossEntropyLoss", classes, plain(symmetric)),
    Row("MAEProbLoss", classes, plain(lambda z, y: 2 * (1 - right(z, y)).mean())),
    Row("BootstrapLoss", classes, plain(bootstrap)),
    Row("HingeLoss", signs, plain(lambda z, y: functional.relu(1 - y * z).mean())),
    Row("SoftMarginLoss", signs, {"torch SoftMarginLoss": functional.soft_margin_loss}),
    Row("CrammerSingerLoss", classes, plain(crammer_singer)),
    Row("AUCLoss", scores, plain(auc)),
    Row("OrdinalLogisticLoss", thresholds, plain(ordinal)),
    Row("CORALLoss", thresholds, plain(coral)),
    Row("EMDLoss", classes, plain(earth_mover)),
    Row("EnergyNLLLoss", classes, plain(lambda z, y: functional.cross_entropy(-z, y))),
    Row("DistillationLoss", taught, plain(distillation)),
    Row("SequenceCrossEntropyLoss", tokens, {"torch CrossEntropyLoss": functional.cross_entropy}),
    Row("StructuredHingeLoss", classes, plain(structured)),
    Row("CTCLoss", alignments, {"torch CTCLoss": ctc}),
    Row("CRFLoss", chains, plain(chain), {"classes": CLASSES}),
]
