"""Wrong uses, each with the codes of which one must be found."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - as torch's own pages write it

from benchmarks.check_corpus.models import Setting, Use, binary, classes, counts, dense, mean_and_variance, rates, real


def wrong_uses(setting: Setting) -> Iterator[Use]:
    """Yield the wrong uses of one setting."""
    yield from _shapes(setting)
    yield from _spaces(setting)
    yield from _labels(setting)
    yield from _targets(setting)
    yield from _quantities(setting)
    yield from _sequences(setting)


def _shapes(s: Setting) -> Iterator[Use]:
    z, y = binary(s)
    p, r = real(s)
    for name in ("MSELoss", "L1Loss", "HuberLoss", "SmoothL1Loss"):
        yield Use(f"broadcast, {name}", getattr(nn, name)(), p[:, None], r, expected=("NEB-C010",))
    yield Use("broadcast, functional", F.mse_loss, p, r[:, None], expected=("NEB-C010",))
    yield Use("broadcast, BCEWithLogitsLoss", nn.BCEWithLogitsLoss(), z, y[:, 0], expected=("NEB-C010",))
    yield Use("one output, 0 labels", nn.CrossEntropyLoss(), z, torch.zeros(len(z)).long(), expected=("NEB-C014",))
    yield Use("one output, 0/1 labels", nn.CrossEntropyLoss(), z, y[:, 0].long(), expected=("NEB-C014", "NEB-C020"))
    yield Use("vector as distribution", F.cross_entropy, z[:, 0], _two_ones(y[:, 0]), expected=("NEB-C013",))
    dense_z, dense_y = dense(s, 4)
    yield Use("classes last", nn.CrossEntropyLoss(), dense_z.movedim(1, -1), dense_y, expected=("NEB-C011",))
    square_z, square_y = dense(s, 5)
    square = square_z[:, :, 0, :].movedim(1, -1)
    if square_y[:, 0].numel() >= 10:
        yield Use("classes last, square", nn.CrossEntropyLoss(), square, square_y[:, 0], expected=("NEB-C012",))
        normal = square.log_softmax(-1)
        yield Use("classes last, square, likelihood", nn.NLLLoss(), normal, square_y[:, 0], expected=("NEB-C043",))


def _two_ones(y: torch.Tensor) -> torch.Tensor:
    return torch.cat((torch.ones(2), y[2:]))


def _spaces(s: Setting) -> Iterator[Use]:
    count = 3 + s.seed % 5
    z, y = classes(s, count)
    q = torch.randn(z.shape).softmax(1)
    batchmean = nn.KLDivLoss(reduction="batchmean")
    yield Use("softmax twice", nn.CrossEntropyLoss(), z.softmax(1), y, expected=("NEB-C040",))
    yield Use("softmax twice, functional", F.cross_entropy, z.softmax(-1), q, expected=("NEB-C040",))
    dense_z, dense_y = dense(s, 4)
    yield Use("softmax twice, dense", nn.CrossEntropyLoss(), dense_z.softmax(1), dense_y, expected=("NEB-C040",))
    yield Use("probabilities into likelihood", nn.NLLLoss(), z.softmax(1), y, expected=("NEB-C041",))
    yield Use("logits into likelihood", nn.NLLLoss(), z, y, expected=("NEB-C042",))
    yield Use("logits into likelihood, dense", F.nll_loss, dense_z, dense_y, expected=("NEB-C042",))
    yield Use("wrong dim", nn.NLLLoss(), z.log_softmax(0), y, expected=("NEB-C043",))
    yield Use("wrong dim, divergence", batchmean, z.log_softmax(0), q, expected=("NEB-C043",))
    if z.numel() >= 24:
        yield Use("sigmoid before softmax", nn.CrossEntropyLoss(), (2 * z).sigmoid(), y, expected=("NEB-C045",))
        yield Use("rectified logits", nn.CrossEntropyLoss(), z.relu(), y, expected=("NEB-C049",))
    yield Use("probabilities into divergence", batchmean, z.softmax(1), q, expected=("NEB-C041",))
    yield Use("logits into divergence", batchmean, z, q, expected=("NEB-C042",))
    yield Use("divergence, mean", nn.KLDivLoss(), z.log_softmax(1), q, expected=("NEB-C047",))
    yield Use("divergence, log target", batchmean, z.log_softmax(1), q.log(), expected=("NEB-C048",))
    bz, by = binary(s)
    mz, my = binary(s, columns=5)
    yield Use("logits into BCELoss", nn.BCELoss(), 3 * bz, by, expected=("NEB-C044",))
    yield Use("logits into BCELoss, labels", nn.BCELoss(), mz, my, expected=("NEB-C044",))
    if s.rows >= 8:
        yield Use("sigmoid twice", nn.BCEWithLogitsLoss(), bz.sigmoid(), by, expected=("NEB-C045",))
    yield Use("sigmoid twice, labels", nn.BCEWithLogitsLoss(), mz.sigmoid(), my, expected=("NEB-C045",))
    yield Use("sigmoid twice, soft margin", nn.MultiLabelSoftMarginLoss(), mz.sigmoid(), my, expected=("NEB-C045",))
    centred = mz - mz.detach().mean()
    if mz.numel() >= 24:
        yield Use("rectified yes or no", nn.BCEWithLogitsLoss(), centred.relu(), my, expected=("NEB-C049",))
    yield Use("exchanged", nn.BCEWithLogitsLoss(), by, bz, expected=("NEB-C018", "NEB-C030"))
    yield Use("exchanged, divergence", batchmean, q, z.log_softmax(1), expected=("NEB-C018", "NEB-C048"))


def _labels(s: Setting) -> Iterator[Use]:
    count = 3 + s.seed % 5
    z, y = classes(s, count)
    top = y.clone()
    top[0] = count - 1
    void = torch.where(torch.arange(len(y)) % 2 == 0, 255, y)
    absent = torch.ones(count)
    absent[(int(y[0]) + 1) % count] = float("inf")
    ignored = torch.full_like(y, -100)
    yield Use("labels from 1", nn.CrossEntropyLoss(), z, top + 1, expected=("NEB-C021",))
    yield Use("labels out of range", nn.CrossEntropyLoss(), z, top + 7, expected=("NEB-C020",))
    yield Use("void 255", nn.CrossEntropyLoss(), z, void, expected=("NEB-C022",))
    yield Use(
        "void -1, likelihood", nn.NLLLoss(), z.log_softmax(1), torch.where(void == 255, -1, y), expected=("NEB-C022",)
    )
    yield Use("all ignored", nn.CrossEntropyLoss(), z, ignored, expected=("NEB-C005",))
    yield Use("floating labels", nn.CrossEntropyLoss(), z, y.float(), expected=("NEB-C023",))
    yield Use("one-hot integers", nn.CrossEntropyLoss(), z, F.one_hot(y, count), expected=("NEB-C024",))
    yield Use("weight of infinity", nn.CrossEntropyLoss(weight=absent), z, y, expected=("NEB-C017",))
    if len(y) >= 24:
        skewed = torch.where(torch.arange(len(y)) % 8 == 0, 1, 0)
        shares = torch.bincount(skewed, minlength=count) / len(y)
        yield Use("weights as shares", nn.CrossEntropyLoss(weight=shares), z, skewed, expected=("NEB-C019",))
        odds = (skewed.sum() / (skewed == 0).sum()).reshape(1)
        yield Use(
            "odds as pos_weight",
            nn.BCEWithLogitsLoss(pos_weight=odds),
            z[:, :1],
            skewed[:, None].float(),
            expected=("NEB-C019",),
        )
    yield Use("weights too few", nn.CrossEntropyLoss(weight=torch.ones(count - 1)), z, y, expected=("NEB-C016",))
    hot = F.one_hot(y, count).float()
    several = hot.clone()
    several[:, :2] = 1
    yield Use("several labels", nn.CrossEntropyLoss(), z, several, expected=("NEB-C025",))
    yield Use("logits as target", nn.CrossEntropyLoss(), z, torch.randn(z.shape), expected=("NEB-C025",))
    yield Use("multi-hot as lists", nn.MultiLabelMarginLoss(), z, several.long(), expected=("NEB-C015",))


def _targets(s: Setting) -> Iterator[Use]:
    z, y = binary(s)
    y = y.clone()
    y[0], y[1] = 0, 1
    sign = 2 * y - 1
    yield Use("signs into BCE", nn.BCEWithLogitsLoss(), z, sign, expected=("NEB-C031",))
    yield Use("signs into BCELoss", nn.BCELoss(), z.sigmoid(), sign, expected=("NEB-C031",))
    yield Use("classes into BCE", nn.BCEWithLogitsLoss(), z, 2 * y, expected=("NEB-C030",))
    yield Use("percent", nn.BCEWithLogitsLoss(), z, 97.3 * y + 1.1, expected=("NEB-C033",))
    yield Use("grey levels", F.binary_cross_entropy_with_logits, z, 255 * y, expected=("NEB-C033",))
    yield Use("integers into BCE", nn.BCEWithLogitsLoss(), z, y.long(), expected=("NEB-C008",))
    yield Use("0/1 into soft margin", nn.SoftMarginLoss(), z, y, expected=("NEB-C032",))
    yield Use("0/1 into hinge", nn.HingeEmbeddingLoss(), z.abs(), y, expected=("NEB-C032",))
    yield Use("0/1 into ranking", nn.MarginRankingLoss(), (z, -z), y, expected=("NEB-C032",))
    vectors = torch.randn(s.rows, 4)
    yield Use("0/1 into cosine", nn.CosineEmbeddingLoss(), (vectors, vectors + 0.1), y[:, 0], expected=("NEB-C032",))
    wide = (300 * torch.randn(s.rows)).half() + 400
    yield Use("overflow", nn.MSELoss(), torch.zeros(s.rows).half(), wide, expected=("NEB-C004",))
    p, r = real(s)
    yield Use("NaN target", nn.L1Loss(), p, torch.where(r == r.max(), torch.nan, r), expected=("NEB-C003",))
    yield Use("inf prediction", nn.MSELoss(), torch.where(p == p.max(), torch.inf, p), r, expected=("NEB-C002",))


def _quantities(s: Setting) -> Iterator[Use]:
    p, y = real(s)
    if s.rows >= 8:
        yield Use("delta, huber", nn.HuberLoss(), p, 500 * y, expected=("NEB-C070",))
        yield Use(
            "delta, smooth L1", functools.partial(F.smooth_l1_loss, beta=0.1), p, 300 * y + 99, expected=("NEB-C070",)
        )
    log_rate, count = counts(s, 6.0)
    yield Use("negative counts", nn.PoissonNLLLoss(), log_rate, count - 1 - count.min(), expected=("NEB-C050",))
    if s.trained and s.rows >= 16:
        rate, rate_count = rates(s, 12.0)
        yield Use("rate as log rate", nn.PoissonNLLLoss(), rate, rate_count, expected=("NEB-C051",))
    low = log_rate - log_rate.detach().mean() - 0.1
    yield Use("log rate as rate", nn.PoissonNLLLoss(log_input=False), low, count, expected=("NEB-C052",))
    mean, variance, value = mean_and_variance(s, 5.0)
    if s.trained and s.rows >= 128:
        yield Use("deviation as variance", nn.GaussianNLLLoss(), mean, value, {"var": variance.sqrt()}, ("NEB-C053",))
    yield Use("variance of 0", nn.GaussianNLLLoss(), mean, value, {"var": (variance - variance.min())}, ("NEB-C054",))
    rectified = (p - p.detach().median()).relu()
    if s.rows >= 8:
        yield Use("rectified number", nn.MSELoss(), rectified, y - y.mean(), expected=("NEB-C049",))
    if s.rows >= 24:
        z, labels = classes(s, 3)
        yield Use("classes as numbers", nn.MSELoss(), z[:, 0], labels.float(), expected=("NEB-C026",))


def _sequences(s: Setting) -> Iterator[Use]:
    steps, outputs = 20, 6
    raw = torch.randn(steps, s.rows, outputs)
    z = raw.log_softmax(-1)
    labels = torch.randint(1, outputs, (s.rows, 5))
    extra = {"input_lengths": torch.full((s.rows,), steps), "target_lengths": torch.full((s.rows,), 5)}
    short = {**extra, "input_lengths": torch.full((s.rows,), 3)}
    beyond = {**extra, "input_lengths": torch.full((s.rows,), steps + 1)}
    blank = labels.clone()
    blank[:, 2] = 0
    yield Use("sequence, logits", nn.CTCLoss(), raw, labels, extra, ("NEB-C042",))
    yield Use("sequence, probabilities", nn.CTCLoss(), raw.softmax(-1), labels, extra, ("NEB-C041",))
    yield Use("sequence, label out of range", nn.CTCLoss(), z, labels + 4, extra, ("NEB-C063",))
    yield Use("sequence, blank", nn.CTCLoss(), z, blank, extra, ("NEB-C062",))
    yield Use("sequence, too short", nn.CTCLoss(), z, labels, short, ("NEB-C061",))
    yield Use("sequence, beyond", nn.CTCLoss(), z, labels, beyond, ("NEB-C060",))
