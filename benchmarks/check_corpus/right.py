"""Right uses: every loss of torch, on outputs at the start and after training."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as torch's own pages write it

from benchmarks.check_corpus.models import Setting, Use, binary, classes, counts, dense, mean_and_variance, rates, real


def right_uses(setting: Setting) -> Iterator[Use]:
    """Yield the right uses of one setting."""
    yield from _classes(setting)
    yield from _binary(setting)
    yield from _quantities(setting)
    yield from _pairs(setting)
    yield from _sequences(setting)


def _classes(s: Setting) -> Iterator[Use]:
    count = 3 + s.seed % 5
    z, y = classes(s, count)
    soft = F.one_hot(y, count) * 0.8 + 0.2 / count
    teacher = (z.detach() + torch.randn(z.shape)).softmax(1)
    masked = torch.where(torch.arange(len(y)) % 3 == 1, -100, y)
    weight = torch.rand(count) + 0.5
    batchmean = nn.KLDivLoss(reduction="batchmean")
    yield Use("cross entropy", nn.CrossEntropyLoss(), z, y)
    yield Use("cross entropy, functional", F.cross_entropy, z, y)
    yield Use("cross entropy, weights", nn.CrossEntropyLoss(weight=weight, label_smoothing=0.1), z, y)
    inverse = 1 / torch.bincount(y, minlength=z.shape[1]).clamp(min=1)
    yield Use("cross entropy, weights against the counts", nn.CrossEntropyLoss(weight=inverse), z, y)
    yield Use("cross entropy, masked labels", nn.CrossEntropyLoss(), z, masked)
    yield Use(
        "cross entropy, void 255", functools.partial(F.cross_entropy, ignore_index=255), z, masked.clamp(min=-1) % 256
    )
    yield Use("cross entropy, soft labels", nn.CrossEntropyLoss(), z, soft)
    yield Use("cross entropy, teacher", nn.CrossEntropyLoss(), z, teacher)
    yield Use("cross entropy, one class in the batch", nn.CrossEntropyLoss(), z, torch.full_like(y, count - 1))
    yield Use("cross entropy, float16", nn.CrossEntropyLoss(), z.half(), y)
    yield Use("cross entropy, log-probabilities", nn.CrossEntropyLoss(), z.log_softmax(1), y)
    yield Use("cross entropy, unreduced", nn.CrossEntropyLoss(reduction="none"), z, y)
    yield Use("likelihood", nn.NLLLoss(), z.log_softmax(1), y)
    yield Use("likelihood, bfloat16", F.nll_loss, z.bfloat16().log_softmax(1), y)
    yield Use("divergence", batchmean, z.log_softmax(1), teacher)
    yield Use("divergence, one-hot", batchmean, z.log_softmax(1), F.one_hot(y, count).float())
    yield Use(
        "divergence, log target", nn.KLDivLoss(reduction="batchmean", log_target=True), z.log_softmax(1), teacher.log()
    )
    yield Use("divergence, sum", functools.partial(F.kl_div, reduction="sum"), z.log_softmax(-1), teacher)
    yield Use("multi margin", nn.MultiMarginLoss(), z, y)
    dense_z, dense_y = dense(s, count)
    void = torch.where(torch.rand(dense_y.shape) < 0.2, 255, dense_y)
    yield Use("segmentation", nn.CrossEntropyLoss(), dense_z, dense_y)
    yield Use("segmentation, void", nn.CrossEntropyLoss(ignore_index=255), dense_z, void)
    yield Use("segmentation, likelihood", nn.NLLLoss(), dense_z.log_softmax(1), dense_y)
    yield Use("tokens", nn.CrossEntropyLoss(ignore_index=0), dense_z.flatten(2), dense_y.flatten(1))
    yield Use("one row", nn.CrossEntropyLoss(), z[0], y[0])


def _binary(s: Setting) -> Iterator[Use]:
    z, y = binary(s)
    rare_z, rare_y = binary(s, share=0.05)
    many_z, many_y = binary(s, columns=5)
    bias = torch.tensor(0.05 / 0.95).log()
    yield Use("yes/no", nn.BCEWithLogitsLoss(), z, y)
    yield Use("yes/no, vectors", F.binary_cross_entropy_with_logits, z[:, 0], y[:, 0])
    yield Use("yes/no, weights", nn.BCEWithLogitsLoss(pos_weight=torch.tensor([3.0])), z, y)
    rare = torch.where(torch.arange(len(y)) % 8 == 0, 1.0, 0.0)[:, None]
    yield Use("yes/no, odds", nn.BCEWithLogitsLoss(pos_weight=(1 - rare).sum() / rare.sum()), z, rare)
    yield Use("yes/no, rare", nn.BCEWithLogitsLoss(), rare_z, rare_y)
    yield Use("yes/no, rare, bias", nn.BCEWithLogitsLoss(), rare_z + (0 if s.trained else bias), rare_y)
    yield Use("yes/no, all no", nn.BCEWithLogitsLoss(), z, torch.zeros_like(y))
    yield Use("yes/no, smoothed", nn.BCEWithLogitsLoss(), z, 0.05 + 0.9 * y)
    yield Use("yes/no, half", nn.BCEWithLogitsLoss(), z.half(), y.half())
    yield Use("probabilities", nn.BCELoss(), z.sigmoid(), y)
    yield Use("probabilities, labels", F.binary_cross_entropy, many_z.sigmoid(), many_y)
    yield Use("labels", nn.BCEWithLogitsLoss(pos_weight=torch.rand(5) + 1), many_z, many_y)
    yield Use("labels, soft margin", nn.MultiLabelSoftMarginLoss(), many_z, many_y)
    yield Use("labels, margin", nn.MultiLabelMarginLoss(), many_z, _lists(many_y))
    yield Use("sign, soft margin", nn.SoftMarginLoss(), z, 2 * y - 1)
    yield Use("masks", nn.BCEWithLogitsLoss(), many_z.reshape(-1, 1, 1, 5), many_y.reshape(-1, 1, 1, 5))
    yield Use("squared probabilities", nn.MSELoss(), z.sigmoid(), y)


def _lists(hot: Tensor) -> Tensor:
    return torch.stack([F.pad(row.nonzero().flatten(), (0, int((row == 0).sum())), value=-1) for row in hot])


def _quantities(s: Setting) -> Iterator[Use]:
    p, y = real(s)
    wide_p, wide_y = real(s, scale=100, shift=500)
    yield Use("squared error", nn.MSELoss(), p, y)
    yield Use("squared error, columns", F.mse_loss, p[:, None], y[:, None])
    yield Use("squared error, wide", nn.MSELoss(), wide_p, wide_y)
    yield Use("absolute error", nn.L1Loss(), wide_p, wide_y)
    yield Use("huber", nn.HuberLoss(), p, y)
    yield Use("huber, wide", nn.HuberLoss(delta=150.0), wide_p, wide_y)
    yield Use("smooth L1", nn.SmoothL1Loss(beta=1 / 9), p, y)
    yield Use("squared error, half", nn.MSELoss(), p.half(), y.half())
    for mean in (0.3, 4.0, 40.0):
        log_rate, count = counts(s, mean)
        rate, rate_count = rates(s, mean)
        yield Use(f"counts of {mean:g}, log rate", nn.PoissonNLLLoss(), log_rate, count)
        yield Use(f"counts of {mean:g}, rate", nn.PoissonNLLLoss(log_input=False), rate, rate_count)
    yield Use("counts, squared error", nn.MSELoss(), log_rate.exp(), count)
    yield Use("squared error, rectified", nn.MSELoss(), p.relu(), y.abs())
    yield Use("shares, squared error", nn.MSELoss(), p.sigmoid(), y.sigmoid())
    for scale in (0.3, 1.0, 5.0):
        mean_, variance, value = mean_and_variance(s, scale)
        yield Use(f"normal, unit {scale:g}", nn.GaussianNLLLoss(), mean_, value, {"var": variance})


def _pairs(s: Setting) -> Iterator[Use]:
    first, labels = classes(s, 8)
    second = first.detach().roll(1, 0) + 0.5 * torch.randn(first.shape)
    sign = torch.where(torch.rand(len(labels)) < 0.5, -1.0, 1.0)
    yield Use("cosine", nn.CosineEmbeddingLoss(margin=0.2), (first, second), sign)
    yield Use("hinge", nn.HingeEmbeddingLoss(), (first - second).norm(dim=1), sign)
    yield Use("ranking", nn.MarginRankingLoss(margin=0.5), (first[:, 0], second[:, 0]), sign)
    yield Use(
        "triplet", nn.TripletMarginLoss(), (first, second, first.detach().flip(0) + torch.randn(first.shape)), None
    )


def _sequences(s: Setting) -> Iterator[Use]:
    steps, outputs = 20, 6
    z = torch.randn(steps, s.rows, outputs, requires_grad=True).log_softmax(-1)
    labels = torch.randint(1, outputs, (s.rows, 5))
    lengths = torch.randint(1, 6, (s.rows,))
    extra = {"input_lengths": torch.full((s.rows,), steps), "target_lengths": lengths}
    yield Use("sequences", nn.CTCLoss(), z, labels, extra)
    flat = torch.cat([row[:n] for row, n in zip(labels, lengths, strict=True)])
    yield Use("sequences, joined", F.ctc_loss, z, flat, extra)
    yield Use("sequences, blank last", nn.CTCLoss(blank=outputs - 1), z, labels - 1, extra)
