"""What each loss reads its arguments as: torch's own as a table, registered ones from their contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from nebula.losses.contract import Contract

__all__ = ["TRAITS", "UNKNOWN", "Layout", "Space", "TargetCode", "Traits", "traits_of"]

Layout = Literal["same", "class_axis", "vectors", "sequence", "free"]
Space = Literal["raw", "logits", "binary_logits", "probability", "log_probabilities", "rate", "vectors", "unknown"]
TargetCode = Literal["real", "unit", "sign", "index", "distribution", "count", "index_list", "sequence", "none"]


@dataclass(frozen=True)
class Traits:
    """How a loss reads its arguments.

    Attributes:
        layout: `same`: all arguments of one shape; `class_axis`: (N, C, *) against (N, *).
        space: What the prediction is read as.
        target: What the target is read as; CrossEntropyLoss reads a floating one as a distribution.
        arguments: Names of the tensors of a call, in order; `prediction` stands for the first.
    """

    layout: Layout
    space: Space
    target: TargetCode
    arguments: tuple[str, ...] = ("prediction", "target")


UNKNOWN = Traits("free", "unknown", "none")
"""Nothing is known but the call itself."""

TRAITS: Mapping[str, Traits] = MappingProxyType(
    {
        "L1Loss": Traits("same", "raw", "real"),
        "MSELoss": Traits("same", "raw", "real"),
        "SmoothL1Loss": Traits("same", "raw", "real"),
        "HuberLoss": Traits("same", "raw", "real"),
        "CrossEntropyLoss": Traits("class_axis", "logits", "index"),
        "NLLLoss": Traits("class_axis", "log_probabilities", "index"),
        "MultiMarginLoss": Traits("class_axis", "raw", "index"),
        "KLDivLoss": Traits("same", "log_probabilities", "distribution"),
        "BCELoss": Traits("same", "probability", "unit"),
        "BCEWithLogitsLoss": Traits("same", "binary_logits", "unit"),
        "MultiLabelSoftMarginLoss": Traits("same", "binary_logits", "unit"),
        "MultiLabelMarginLoss": Traits("same", "raw", "index_list"),
        "SoftMarginLoss": Traits("same", "raw", "sign"),
        "HingeEmbeddingLoss": Traits("same", "raw", "sign"),
        "PoissonNLLLoss": Traits("same", "rate", "count"),
        "GaussianNLLLoss": Traits("same", "raw", "real", ("prediction", "target", "var")),
        "CTCLoss": Traits(
            "sequence", "log_probabilities", "sequence", ("prediction", "target", "input_lengths", "target_lengths")
        ),
        "CosineEmbeddingLoss": Traits("vectors", "vectors", "sign", ("prediction", "input2", "target")),
        "MarginRankingLoss": Traits("same", "raw", "sign", ("prediction", "input2", "target")),
        "TripletMarginLoss": Traits("same", "vectors", "none", ("prediction", "positive", "negative")),
    }
)
"""The losses of `torch.nn` by class name."""

_TARGETS: Mapping[str, TargetCode] = {
    "real": "real",
    "count": "count",
    "fraction": "unit",
    "binary": "unit",
    "sign": "sign",
    "multi_hot": "unit",
    "class_index": "index",
    "class_probabilities": "distribution",
}


def traits_of(contract: Contract) -> Traits:
    """Return what a registered loss's contract says, as far as it is one of the words known here."""
    target = _TARGETS.get(contract.target_kind)
    if contract.target_kind == "label_sequence" and len(contract.extra_inputs) > 1:
        return replace(TRAITS["CTCLoss"], space="raw")
    if target is None or contract.layout not in ("same", "class_axis"):
        return UNKNOWN
    layout: Layout = "class_axis" if contract.layout == "class_axis" else "same"
    space: Space = "raw"
    if contract.prediction_space == "logits":
        space = "binary_logits" if target == "unit" else "logits"
    elif contract.prediction_space == "probabilities" and target == "unit":
        space = "probability"
    elif contract.prediction_space == "log_probabilities":
        space = "log_probabilities"
    return Traits(layout, space, target)
