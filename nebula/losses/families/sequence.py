"""Losses for sequences of labels, and for the best answer among candidates."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nebula.losses.building import torch_module
from nebula.losses.contract import Contract, ExtraInput, Interval
from nebula.losses.params import ReducedParams
from nebula.losses.registry import LossEntry

__all__ = ["ENTRIES", "CRFParams", "CTCParams", "SequenceCrossEntropyParams", "StructuredHingeParams"]

_INDEX = Interval(low=0)


class CTCParams(ReducedParams):
    """Parameters of `CTCLoss`."""

    blank: int = Field(0, ge=0, description="The class that stands for no label.")
    zero_infinity: bool = Field(
        False, description="Count a row that is too short for its labels as 0 instead of refusing it."
    )
    per_label: bool = Field(
        True,
        description="Divide a row's loss by its number of labels, as torch's mean does; here also for sum and none.",
    )
    check: Literal["cpu", "always"] = Field(
        "cpu",
        description=(
            "Where wrong labels and lengths are refused; elsewhere, where looking would wait for the device, their "
            "row's loss is NaN."
        ),
    )


class SequenceCrossEntropyParams(ReducedParams):
    """Parameters of `SequenceCrossEntropyLoss`."""

    ignore_index: int = Field(-100, description="The label of padding, which counts for nothing.")
    label_smoothing: float = Field(0.0, ge=0, le=1, description="Share of a label that is spread over all classes.")
    divide_by: Literal["tokens", "rows"] = Field(
        "tokens", description="What the mean is over: tokens that count, or rows, each the sum of its tokens."
    )


class StructuredHingeParams(ReducedParams):
    """Parameters of `StructuredHingeLoss`."""

    margin: float = Field(1.0, gt=0, description="Task loss of every wrong candidate where no `task_loss` is given.")
    rescaling: Literal["margin", "slack"] = Field(
        "margin",
        description="`margin`: the task loss is the lead required; `slack`: it multiplies the lack of a lead of 1.",
    )


class CRFParams(ReducedParams):
    """Parameters of `CRFLoss`."""

    classes: int = Field(2, ge=2, le=100_000, description="Number of labels, one output each.")


def _lengths(name: str, what: str) -> ExtraInput:
    return ExtraInput(name=name, axes=("N",), holds="length", description=what)


ENTRIES = (
    LossEntry(
        name="CTCLoss",
        family="sequence",
        summary="Likelihood of a label sequence over all its alignments with a longer input.",
        formula="-log Σ over alignments of Π_t softmax(z_t), divided by the number of labels",
        reference=(
            "Graves et al. 2006, Connectionist Temporal Classification, equations 3 and 8; "
            "https://docs.pytorch.org/docs/stable/generated/torch.nn.CTCLoss.html"
        ),
        limits=(
            "Logits are taken, and log-probabilities as well, which log-softmax leaves as they are. The first axis is "
            "time. torch reads and writes outside of its arrays on a label that is no class: labels and lengths are "
            "checked before it. Not compiled as one graph, and without a second derivative; on a GPU its gradient is "
            "not deterministic."
        ),
        contracts=(
            Contract(
                prediction_space="logits",
                target_kind="label_sequence",
                layout="free",
                axes=(("T", "N", "C"), ("N", "S")),
                target_dtype="long",
                target_interval=_INDEX,
                integer_valued=True,
                min_outputs=2,
                extra_inputs=(
                    _lengths("input_lengths", "Steps of every row of the prediction that count."),
                    _lengths("target_lengths", "Labels of every row of the target that count."),
                ),
                empty="zero",
                twice_differentiable=False,
                compiles=False,
                cost="NTS",
            ),
        ),
        params=CTCParams,
        build=torch_module("ctc", "CTC"),
        serves=("raw",),
    ),
    LossEntry(
        name="SequenceCrossEntropyLoss",
        family="sequence",
        summary="Cross entropy of tokens, padding left out, divided by the tokens that count.",
        formula="-log softmax(z)_y per token; the mean over all tokens of the batch",
        reference="Sutskever et al. 2014, Sequence to Sequence Learning with Neural Networks, equation 2",
        limits=(
            "The mean of two batches' means is not the mean over both unless they hold as many tokens: with gradient "
            "accumulation take `reduction: sum` and divide once. Feeding the true tokens back is the caller's part."
        ),
        contracts=(
            Contract(
                prediction_space="logits",
                target_kind="class_index",
                layout="class_axis",
                target_dtype="long",
                target_interval=_INDEX,
                integer_valued=True,
                min_outputs=2,
                supports_ignore_index=True,
                empty="zero",
                proper="probability",
                cost="NC",
            ),
        ),
        params=SequenceCrossEntropyParams,
        build=torch_module("sequence", "SequenceCrossEntropy"),
        native_link="softmax",
    ),
    LossEntry(
        name="StructuredHingeLoss",
        family="sequence",
        summary="The right answer's score must lead every candidate's by what choosing that would cost.",
        formula="max_k (Δ_k + z_k) - z_y, or max_k Δ_k (1 + z_k - z_y); Δ_y = 0",
        reference="Tsochantaridis et al. 2005, Large Margin Methods for Structured Outputs, JMLR 6, equations 9 and 10",
        limits=(
            "The candidates are given, one score each: searching a larger space for the worst is the model's part. "
            "Scores are no probabilities; one candidate of a row gets a gradient, so the second derivative is 0."
        ),
        contracts=(
            Contract(
                prediction_space="score",
                target_kind="class_index",
                layout="class_axis",
                target_dtype="long",
                target_interval=_INDEX,
                integer_valued=True,
                min_outputs=2,
                extra_inputs=(
                    ExtraInput(
                        name="task_loss",
                        axes=("N", "C", "…"),
                        holds="real",
                        description="What choosing each candidate would cost, at least 0.",
                        required=False,
                    ),
                ),
                empty="zero",
                twice_differentiable=False,
                cost="NC",
            ),
        ),
        params=StructuredHingeParams,
        build=torch_module("sequence", "StructuredHinge"),
        serves=("raw",),
    ),
    LossEntry(
        name="CRFLoss",
        family="sequence",
        summary="Likelihood of a whole label sequence, with learnt scores of neighbouring labels.",
        formula="log Σ_{y'} exp(s(y')) - s(y), s(y) = Σ_t z_{t, y_t} + Σ_t A_{y_t, y_t+1} + start_{y_1} + end_{y_T}",
        reference="Lafferty, McCallum and Pereira 2001, Conditional Random Fields; Lample et al. 2016, section 2.2",
        limits=(
            "It has parameters: give `criterion.parameters()` to the optimiser. One step after another, so time "
            "grows with T and with C². Labels serve full-length sequences; padding must hold a class, and is cut by "
            "`lengths`."
        ),
        contracts=(
            Contract(
                prediction_space="score",
                target_kind="label_sequence",
                layout="free",
                axes=(("N", "T", "C"), ("N", "T")),
                target_dtype="long",
                target_interval=_INDEX,
                integer_valued=True,
                min_outputs=2,
                extra_inputs=(_lengths("lengths", "Steps of every row that count."),),
                empty="zero",
                learnable=True,
                cost="NC²",
            ),
        ),
        params=CRFParams,
        build=torch_module("crf", "ChainCRF"),
        serves=("argmax",),
        example={"classes": 4},
    ),
)
