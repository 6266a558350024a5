"""What the user has × what the model emits, with the steps and the loss that must come out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

F = nn.functional
torch.manual_seed(0)
LOGITS = torch.randn(8, 3)
PLACES = torch.tensor([0, 1, 2, 1, 0, 2, 2, 1])
SINGLE = torch.randn(8)
FLAGS = torch.tensor([0, 1, 1, 0, 1, 0, 0, 1])
MASK = torch.randint(0, 3, (2, 4, 5))
DENSE = torch.randn(2, 3, 4, 5)
TOKENS = torch.randint(0, 3, (4, 5))
COUNTS = torch.tensor([0.0, 1, 2, 3, 7, 4, 0, 1])


@dataclass(frozen=True)
class Adapted:
    """One row: the user's prediction and target, the steps expected, the loss expected."""

    id: str
    loss: str
    prediction: Tensor
    target: Tensor
    expected: Tensor
    steps: list[str]
    params: dict[str, Any] = field(default_factory=dict)
    space: str | None = "logits"
    link: Any = None
    hints: dict[str, Any] = field(default_factory=dict)


CE = F.cross_entropy(LOGITS, PLACES)
BCE = F.binary_cross_entropy_with_logits(SINGLE, FLAGS.float())
CHANNEL_BCE = F.binary_cross_entropy_with_logits(DENSE[:, 0], (MASK > 1).float())
DENSE_CE = F.cross_entropy(DENSE, MASK)
LABELS = torch.tensor([10, 20, 30])
HOLES = torch.tensor([True, True, False, False, False, False, False, False])
HOLED_CE = F.cross_entropy(LOGITS[~HOLES], PLACES[~HOLES])
MASK_HOLES = torch.rand(2, 4, 5) < 0.2
HOLED_DENSE_CE = F.cross_entropy(DENSE, MASK.masked_fill(MASK_HOLES, -100))
POISSON = F.poisson_nll_loss(SINGLE, COUNTS)
MULTI_HOT = torch.tensor([[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]])
MULTI_LOGITS = torch.randn(4, 3)
MULTI = F.multilabel_soft_margin_loss(MULTI_LOGITS, MULTI_HOT)
SHARES = torch.softmax(torch.randn(8, 3), dim=1)
ABOVE = torch.stack([LOGITS.softmax(1)[:, k + 1 :].sum(1) for k in range(LOGITS.shape[1] - 1)], dim=1)
LEVELS = torch.stack(
    [F.binary_cross_entropy(ABOVE[:, k], (k < PLACES).to(ABOVE.dtype)) for k in range(ABOVE.shape[1])]
).sum()
KL = F.kl_div(torch.log_softmax(LOGITS, 1), SHARES, reduction="batchmean")
PERCENT = torch.tensor([0.5, 12.5, 99.0, 100.0, 50.0, 3.0, 0.0, 42.0])
PERCENT_BCE = F.binary_cross_entropy_with_logits(SINGLE, PERCENT / 100)
PAIRS = torch.randn(8, 2)
REAL = torch.randn(8)
GAUSS = F.gaussian_nll_loss(PAIRS[:, 0], REAL, F.softplus(PAIRS[:, 1]) + 1e-6)

TABLE = [
    Adapted("labels", "CrossEntropyLoss", LOGITS, PLACES, CE, []),
    Adapted("labels-column", "CrossEntropyLoss", LOGITS, PLACES[:, None], CE, ["squeeze_last"]),
    Adapted("labels-float", "CrossEntropyLoss", LOGITS, PLACES.float(), CE, ["to_long"]),
    Adapted("labels-uint8", "CrossEntropyLoss", LOGITS, PLACES.to(torch.uint8), CE, ["to_long"]),
    Adapted(
        "labels-float-column", "CrossEntropyLoss", LOGITS, PLACES[:, None].double(), CE, ["squeeze_last", "to_long"]
    ),
    Adapted("labels-from-1", "CrossEntropyLoss", LOGITS, PLACES + 1, CE, ["shift_labels"]),
    Adapted(
        "labels-from-1-uint8", "CrossEntropyLoss", LOGITS, (PLACES + 1).to(torch.uint8), CE, ["to_long", "shift_labels"]
    ),
    Adapted("labels-10-20-30", "CrossEntropyLoss", LOGITS, LABELS[PLACES], CE, ["remap_labels"]),
    Adapted("labels-10-20-30-half", "CrossEntropyLoss", LOGITS, LABELS[PLACES].half(), CE, ["remap_labels"]),
    Adapted(
        "labels-negative",
        "CrossEntropyLoss",
        LOGITS,
        PLACES - 1,
        CE,
        ["void_to_ignore", "remap_labels"],
        hints={"ignore_value": 9},
    ),
    Adapted(
        "labels-minus-1-plus-1",
        "CrossEntropyLoss",
        LOGITS[:, :2],
        FLAGS * 2 - 1,
        F.cross_entropy(LOGITS[:, :2], FLAGS),
        ["remap_labels"],
    ),
    Adapted(
        "labels-2-4",
        "CrossEntropyLoss",
        LOGITS[:, :2],
        FLAGS * 2 + 2,
        F.cross_entropy(LOGITS[:, :2], FLAGS),
        ["remap_labels"],
    ),
    Adapted(
        "labels-bool",
        "CrossEntropyLoss",
        LOGITS[:, :2],
        FLAGS.bool(),
        F.cross_entropy(LOGITS[:, :2], FLAGS),
        ["to_long"],
    ),
    Adapted(
        "labels-two-fractions",
        "CrossEntropyLoss",
        LOGITS[:, :2],
        FLAGS * 0.5 + 0.25,
        F.cross_entropy(LOGITS[:, :2], FLAGS),
        ["remap_labels"],
    ),
    Adapted("one-hot", "CrossEntropyLoss", LOGITS, F.one_hot(PLACES), CE, ["one_hot_to_index"]),
    Adapted("one-hot-float", "CrossEntropyLoss", LOGITS, F.one_hot(PLACES).float(), CE, ["one_hot_to_index"]),
    Adapted("one-hot-bool", "CrossEntropyLoss", LOGITS, F.one_hot(PLACES).bool(), CE, ["one_hot_to_index"]),
    Adapted("distribution", "CrossEntropyLoss", LOGITS, SHARES, F.cross_entropy(LOGITS, SHARES), []),
    Adapted(
        "distribution-double",
        "CrossEntropyLoss",
        LOGITS,
        SHARES.double(),
        F.cross_entropy(LOGITS, SHARES),
        ["to_prediction_dtype"],
    ),
    Adapted("void-255", "CrossEntropyLoss", LOGITS, PLACES.masked_fill(HOLES, 255), HOLED_CE, ["void_to_ignore"]),
    Adapted(
        "void-255-uint8",
        "CrossEntropyLoss",
        LOGITS,
        PLACES.masked_fill(HOLES, 255).to(torch.uint8),
        HOLED_CE,
        ["to_long", "void_to_ignore"],
    ),
    Adapted(
        "void-minus-1-float",
        "CrossEntropyLoss",
        LOGITS,
        PLACES.masked_fill(HOLES, -1).float(),
        HOLED_CE,
        ["to_long", "void_to_ignore"],
    ),
    Adapted("void-minus-100", "CrossEntropyLoss", LOGITS, PLACES.masked_fill(HOLES, -100), HOLED_CE, []),
    Adapted(
        "void-declared-0-labels-from-1",
        "CrossEntropyLoss",
        LOGITS,
        (PLACES + 1).masked_fill(HOLES, 0),
        HOLED_CE,
        ["void_to_ignore", "shift_labels"],
        hints={"ignore_value": 0},
    ),
    Adapted(
        "void-declared-labels-10-20-30",
        "CrossEntropyLoss",
        LOGITS,
        LABELS[PLACES].masked_fill(HOLES, -1).float(),
        HOLED_CE,
        ["void_to_ignore", "remap_labels"],
        hints={"ignore_value": -1},
    ),
    Adapted(
        "void-is-ignore-index",
        "CrossEntropyLoss",
        LOGITS,
        (PLACES + 1).masked_fill(HOLES, -1),
        HOLED_CE,
        ["shift_labels"],
        params={"ignore_index": -1},
    ),
    Adapted("dense", "CrossEntropyLoss", DENSE, MASK, DENSE_CE, []),
    Adapted("dense-channels-last", "CrossEntropyLoss", DENSE.movedim(1, -1), MASK, DENSE_CE, ["move_class_axis"]),
    Adapted(
        "flags-mask",
        "BCEWithLogitsLoss",
        DENSE[:, :1],
        MASK > 1,
        CHANNEL_BCE,
        ["unsqueeze_axis", "to_prediction_dtype"],
    ),
    Adapted(
        "flags-mask-with-channel",
        "BCEWithLogitsLoss",
        DENSE[:, 0],
        MASK[:, None] > 1,
        CHANNEL_BCE,
        ["squeeze_axis", "to_prediction_dtype"],
    ),
    Adapted("dense-mask-with-channel", "CrossEntropyLoss", DENSE, MASK[:, None], DENSE_CE, ["squeeze_axis"]),
    Adapted(
        "dense-void-255",
        "CrossEntropyLoss",
        DENSE,
        MASK.masked_fill(MASK_HOLES, 255),
        HOLED_DENSE_CE,
        ["void_to_ignore"],
    ),
    Adapted(
        "tokens-channels-last",
        "CrossEntropyLoss",
        torch.movedim(DENSE[0].expand(4, 3, 4, 5)[..., 0, :], 1, -1),
        TOKENS,
        F.cross_entropy(DENSE[0].expand(4, 3, 4, 5)[..., 0, :], TOKENS),
        ["move_class_axis"],
    ),
    Adapted(
        "probabilities-ce",
        "CrossEntropyLoss",
        LOGITS.softmax(1),
        PLACES,
        CE,
        ["log_of_probabilities"],
        space="probabilities",
    ),
    Adapted(
        "log-probabilities-ce", "CrossEntropyLoss", LOGITS.log_softmax(1), PLACES, CE, [], space="log_probabilities"
    ),
    Adapted("logits-nll", "NLLLoss", LOGITS, PLACES, CE, ["log_softmax"]),
    Adapted("logits-of-levels", "CORALLoss", LOGITS, PLACES, LEVELS, ["cumulative_logits"]),
    Adapted("unknown-space-nll", "NLLLoss", LOGITS, PLACES, CE, ["log_softmax"], space=None),
    Adapted("log-probabilities-nll", "NLLLoss", LOGITS.log_softmax(1), PLACES, CE, [], space="log_probabilities"),
    Adapted(
        "probabilities-nll", "NLLLoss", LOGITS.softmax(1), PLACES, CE, ["log_of_probabilities"], space="probabilities"
    ),
    Adapted("channels-last-nll", "NLLLoss", DENSE.movedim(1, -1), MASK, DENSE_CE, ["move_class_axis", "log_softmax"]),
    Adapted("flags-int", "BCEWithLogitsLoss", SINGLE, FLAGS, BCE, ["to_prediction_dtype"]),
    Adapted("flags-bool", "BCEWithLogitsLoss", SINGLE, FLAGS.bool(), BCE, ["to_prediction_dtype"]),
    Adapted("flags-float", "BCEWithLogitsLoss", SINGLE, FLAGS.float(), BCE, []),
    Adapted("flags-against-column", "BCEWithLogitsLoss", SINGLE[:, None], FLAGS.float(), BCE, ["unsqueeze_last"]),
    Adapted("flags-column", "BCEWithLogitsLoss", SINGLE, FLAGS[:, None].float(), BCE, ["squeeze_last"]),
    Adapted(
        "flags-minus-1-plus-1", "BCEWithLogitsLoss", SINGLE, FLAGS * 2 - 1, BCE, ["remap_labels", "to_prediction_dtype"]
    ),
    Adapted(
        "flags-2-4-double",
        "BCEWithLogitsLoss",
        SINGLE,
        FLAGS.double() * 2 + 2,
        BCE,
        ["remap_labels", "to_prediction_dtype"],
    ),
    Adapted(
        "flags-1-2-uint8",
        "BCEWithLogitsLoss",
        SINGLE,
        (FLAGS + 1).to(torch.uint8),
        BCE,
        ["remap_labels", "to_prediction_dtype"],
    ),
    Adapted("percent", "BCEWithLogitsLoss", SINGLE, PERCENT, PERCENT_BCE, ["scale_target"]),
    Adapted(
        "percent-whole",
        "BCEWithLogitsLoss",
        SINGLE,
        PERCENT.round().long(),
        F.binary_cross_entropy_with_logits(SINGLE, PERCENT.round() / 100),
        ["scale_target", "to_prediction_dtype"],
    ),
    Adapted(
        "percent-declared-small",
        "BCEWithLogitsLoss",
        SINGLE,
        COUNTS,
        F.binary_cross_entropy_with_logits(SINGLE, COUNTS / 100),
        ["scale_target"],
        hints={"task": "proportion"},
    ),
    Adapted(
        "probability-bce",
        "BCEWithLogitsLoss",
        SINGLE.sigmoid(),
        FLAGS.float(),
        BCE,
        ["logit_of_probabilities"],
        space="probabilities",
    ),
    Adapted("multi-hot", "MultiLabelSoftMarginLoss", MULTI_LOGITS, MULTI_HOT, MULTI, ["to_prediction_dtype"]),
    Adapted(
        "multi-hot-minus-1",
        "MultiLabelSoftMarginLoss",
        MULTI_LOGITS,
        MULTI_HOT * 2 - 1,
        MULTI,
        ["remap_labels", "to_prediction_dtype"],
    ),
    Adapted("kl-logits", "KLDivLoss", LOGITS, SHARES, KL, ["log_softmax"]),
    Adapted(
        "kl-probabilities", "KLDivLoss", LOGITS.softmax(1), SHARES, KL, ["log_of_probabilities"], space="probabilities"
    ),
    Adapted("kl-log-probabilities", "KLDivLoss", LOGITS.log_softmax(1), SHARES, KL, [], space="log_probabilities"),
    Adapted("kl-log-target", "KLDivLoss", LOGITS, SHARES.log(), KL, ["log_softmax"], params={"log_target": True}),
    Adapted("counts", "PoissonNLLLoss", SINGLE, COUNTS, POISSON, []),
    Adapted(
        "counts-long-column",
        "PoissonNLLLoss",
        SINGLE,
        COUNTS[:, None].long(),
        POISSON,
        ["squeeze_last", "to_prediction_dtype"],
    ),
    Adapted("counts-rate", "PoissonNLLLoss", SINGLE.exp(), COUNTS, POISSON, ["log_of_rate"], space="rate"),
    Adapted(
        "counts-softplus",
        "PoissonNLLLoss",
        SINGLE,
        COUNTS,
        F.poisson_nll_loss(F.softplus(SINGLE), COUNTS, log_input=False),
        ["apply_link"],
        params={"log_input": False},
        link="softplus",
    ),
    Adapted(
        "counts-rate-given",
        "PoissonNLLLoss",
        SINGLE.exp(),
        COUNTS,
        F.poisson_nll_loss(SINGLE.exp(), COUNTS, log_input=False),
        ["apply_link"],
        params={"log_input": False},
        link="softplus",
        space="rate",
    ),
    Adapted("real-column", "MSELoss", SINGLE[:, None], REAL, F.mse_loss(SINGLE, REAL), ["unsqueeze_last"]),
    Adapted("real-double", "HuberLoss", SINGLE, REAL.double(), F.huber_loss(SINGLE, REAL), ["to_prediction_dtype"]),
    Adapted(
        "real-link",
        "MSELoss",
        SINGLE,
        FLAGS,
        F.mse_loss(SINGLE.sigmoid(), FLAGS.float()),
        ["apply_link", "to_prediction_dtype"],
        link="sigmoid",
    ),
    Adapted("mean-and-variance", "GaussianNLLLoss", PAIRS, REAL, GAUSS, ["split_mean_variance"]),
    Adapted(
        "mean-and-variance-column",
        "GaussianNLLLoss",
        PAIRS,
        REAL[:, None],
        GAUSS,
        ["split_mean_variance", "squeeze_last"],
    ),
]


UNKNOWN = [
    ("labels", "CrossEntropyLoss", LOGITS, PLACES, CE, []),
    ("labels-column", "CrossEntropyLoss", LOGITS, PLACES[:, None], CE, ["squeeze_last"]),
    ("labels-from-1", "CrossEntropyLoss", LOGITS, PLACES + 1, CE, ["shift_labels"]),
    ("labels-5-6-7", "CrossEntropyLoss", LOGITS, PLACES + 5, CE, ["remap_labels"]),
    ("labels-with-a-gap", "CrossEntropyLoss", LOGITS, PLACES // 2 * 2, F.cross_entropy(LOGITS, PLACES // 2 * 2), []),
    ("one-hot", "CrossEntropyLoss", LOGITS, F.one_hot(PLACES), CE, ["one_hot_to_index"]),
    ("flags", "BCEWithLogitsLoss", SINGLE, FLAGS, BCE, ["align_trailing_axis", "to_prediction_dtype"]),
    (
        "flags-against-column",
        "BCEWithLogitsLoss",
        SINGLE[:, None],
        FLAGS,
        BCE,
        ["align_trailing_axis", "to_prediction_dtype"],
    ),
    ("flags-column", "BCEWithLogitsLoss", SINGLE, FLAGS[:, None], BCE, ["align_trailing_axis", "to_prediction_dtype"]),
    (
        "flags-column-double",
        "BCEWithLogitsLoss",
        SINGLE.double(),
        FLAGS[:, None],
        BCE.double(),
        ["align_trailing_axis", "to_prediction_dtype"],
    ),
    ("counts", "PoissonNLLLoss", SINGLE[:, None], COUNTS, POISSON, ["align_trailing_axis", "to_prediction_dtype"]),
    ("kl", "KLDivLoss", LOGITS, SHARES, KL, ["log_softmax", "align_trailing_axis", "to_prediction_dtype"]),
    (
        "gauss-column",
        "GaussianNLLLoss",
        PAIRS,
        REAL[:, None],
        GAUSS,
        ["split_mean_variance", "squeeze_last", "to_prediction_dtype"],
    ),
]
