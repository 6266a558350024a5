"""Kinds of use that stand in the held-out part only."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - as torch's own pages write it

from benchmarks.check_corpus.models import Setting, Use, binary, classes, counts, dense, real


def more_right_uses(s: Setting) -> Iterator[Use]:
    """Yield right uses of practice: retrieval, language models, detection, reinforcement learning."""
    z, y = classes(s, 4)
    keys = F.normalize(z + 0.1 * torch.randn(z.shape), dim=1)
    queries = F.normalize(z, dim=1)
    yield Use("InfoNCE", nn.CrossEntropyLoss(), queries @ keys.T / 0.07, torch.arange(len(z)))
    yield Use("two classes", nn.CrossEntropyLoss(), z[:, :2], (y > 1).long())
    yield Use("labels as bytes", nn.CrossEntropyLoss(), z, y.byte())
    yield Use("logits after a ReLU", nn.CrossEntropyLoss(), z.relu(), y)
    mixed = 0.3 * F.one_hot(y, 4) + 0.7 * F.one_hot(y.flip(0), 4)
    yield Use("mixup", nn.CrossEntropyLoss(), z, mixed)
    padded = torch.where(torch.arange(len(y)) > 1, 3, y)
    yield Use("tokens with padding", functools.partial(F.cross_entropy, ignore_index=3), z, padded)
    temperature = 4.0
    teacher = (torch.randn(z.shape) / temperature).softmax(1)
    yield Use("distillation", nn.KLDivLoss(reduction="batchmean"), (z / temperature).log_softmax(1), teacher)
    joint = (z @ z.T).flatten()
    yield Use(
        "joint distribution", nn.KLDivLoss(reduction="sum"), joint.log_softmax(0), torch.rand(len(joint)).softmax(0)
    )
    hot = F.one_hot(y, 4).float()
    yield Use("one against all", nn.BCEWithLogitsLoss(), z, hot)
    p, r = real(s)
    yield Use("Q-learning", nn.SmoothL1Loss(), p, r + 2.0)
    yield Use("boxes", nn.SmoothL1Loss(beta=1.0, reduction="sum"), torch.rand(s.rows, 4), torch.rand(s.rows, 4))
    ages = (40 + 12 * r).round()
    yield Use("ages", nn.L1Loss(), 40 + 12 * p, ages)
    yield Use("prices", nn.MSELoss(), 1e5 + 3e4 * p, 1e5 + 3e4 * r)
    images = torch.rand(min(s.rows, 8), 1, 6, 6)
    yield Use("autoencoder", nn.MSELoss(), (images + 0.3 * torch.randn(images.shape)).sigmoid(), images)
    yield Use("autoencoder, likelihood", nn.BCELoss(), (3 * images - 1.5).sigmoid(), images)
    yield Use("unreduced", nn.MSELoss(reduction="none"), p, r)
    log_rate, count = counts(s, 1.5)
    yield Use("counts, full", nn.PoissonNLLLoss(full=True), log_rate, count)
    dense_z, dense_y = dense(s, 3)
    yield Use("segmentation, weights", nn.CrossEntropyLoss(weight=torch.tensor([0.2, 1.0, 5.0])), dense_z, dense_y)
    mask = (dense_y == 1).float()[:, None]
    yield Use("mask", nn.BCEWithLogitsLoss(pos_weight=torch.tensor(4.0)), dense_z[:, 1:2], mask)
    yield Use("wide margins", nn.MultiMarginLoss(p=2, margin=2.0), z, y)
    yield Use("own loss", lambda prediction, target: (prediction - target).abs().sqrt().mean(), p, r)


def more_wrong_uses(s: Setting) -> Iterator[Use]:
    """Yield wrong uses in other forms than the development part has."""
    z, y = classes(s, 4)
    q = torch.rand(z.shape).softmax(1)
    hot = F.one_hot(y, 4).float()
    yield Use("softmax twice, half", nn.CrossEntropyLoss(), z.half().softmax(1), y, expected=("NEB-C040",))
    yield Use("softmax over rows", nn.CrossEntropyLoss(), z.softmax(0), y, expected=("NEB-C043",))
    yield Use("sigmoid before one against all", nn.BCEWithLogitsLoss(), z.sigmoid(), hot, expected=("NEB-C045",))
    yield Use("softmax before one against all", nn.BCEWithLogitsLoss(), z.softmax(1), hot, expected=("NEB-C045",))
    batchmean = nn.KLDivLoss(reduction="batchmean")
    yield Use("one distribution for all", batchmean, z.log_softmax(1), q[0], expected=("NEB-C010",))
    yield Use("teacher's logits", batchmean, z.log_softmax(1), torch.randn(z.shape), expected=("NEB-C025",))
    yield Use("arguments of the divergence", batchmean, q, z.log_softmax(1).detach(), expected=("NEB-C041", "NEB-C048"))
    yield Use("columns against vector", nn.MSELoss(), z.T, y.float()[:, None], expected=("NEB-C010",))
    dense_z, dense_y = dense(s, 4)
    dense_y = dense_y.clone()
    dense_y[0, 0, 0] = 3
    yield Use("segmentation from 1", nn.CrossEntropyLoss(), dense_z, dense_y + 1, expected=("NEB-C021",))
    yield Use("segmentation, channel", nn.CrossEntropyLoss(), dense_z, dense_y[:, None], expected=("NEB-C011",))
    void = torch.where(torch.rand(dense_y.shape) < 0.3, 255, dense_y)
    void[0, 0, 0] = 255
    yield Use("segmentation, void", F.cross_entropy, dense_z, void, expected=("NEB-C022",))
    yield Use("column of labels", nn.CrossEntropyLoss(), z, y[:, None], expected=("NEB-C011",))
    bz, by = binary(s)
    yield Use("grey mask", nn.BCELoss(), bz.sigmoid(), 255.0 * (by * 0 + 1), expected=("NEB-C033",))
    yield Use("one anchor for all", nn.TripletMarginLoss(), (z[:1], z + 1, z - 1), None, expected=("NEB-C010",))
    yield Use("collapsed", nn.TripletMarginLoss(), (z * 0, z * 0, z * 0), None, expected=("NEB-C006",))
    big = torch.full((s.rows,), 95.0)
    yield Use("exp overflows", nn.PoissonNLLLoss(), big, torch.ones(s.rows), expected=("NEB-C004", "NEB-C051"))
    p, r = real(s)
    yield Use("negative variance", nn.GaussianNLLLoss(), p, r, {"var": p * 0 - 0.5}, ("NEB-C054",))
    raw = torch.randn(9, 15, 6).log_softmax(-1)
    labels = torch.randint(1, 6, (9, 4))
    lengths = {"input_lengths": torch.full((9,), 15), "target_lengths": torch.full((9,), 4)}
    yield Use("sequence, batch first", nn.CTCLoss(), raw, labels, lengths, ("NEB-C011",))
    yield Use(
        "integer votes", nn.CrossEntropyLoss(), z.argmax(1).float(), y, expected=("NEB-C011", "NEB-C001", "NEB-C008")
    )
    yield Use("nothing in the batch", nn.MSELoss(), p[:0], r[:0], expected=("NEB-C005",))
