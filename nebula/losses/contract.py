"""What a loss is defined for, as data: checks, tables and tests are derived from it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from nebula.losses.axes import LAYOUT_AXES, Axes

__all__ = ["Contract", "Cost", "EmptyPolicy", "ExtraInput", "Interval", "Layout", "PredictionSpace", "TargetKind"]

TargetKind = Literal[
    "real",
    "nonnegative",
    "positive",
    "count",
    "fraction",
    "binary",
    "sign",
    "class_index",
    "class_probabilities",
    "multi_hot",
    "level_index",
    "time_and_event",
    "label_sequence",
    "embedding",
    "score",
]
PredictionSpace = Literal[
    "raw",
    "logits",
    "probabilities",
    "log_probabilities",
    "rate",
    "log_rate",
    "log_hazard",
    "embedding",
    "energy",
    "score",
]
Layout = Literal[
    "same", "class_axis", "mean_and_variance", "parameters", "levels", "thresholds", "time_and_event", "free"
]
EmptyPolicy = Literal["zero", "nan", "error"]
Cost = Literal["N", "NC", "NC²", "N²", "N³", "NTS"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(_Value):
    """The values a target may take; None is unbounded, ends are closed unless said to be open."""

    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False

    def contains(self, low: float | None, high: float | None) -> bool | None:
        """Say whether [low, high] lies inside; None when either is unknown."""
        if low is None or high is None:
            return None
        above = self.low is None or (low > self.low if self.low_open else low >= self.low)
        below = self.high is None or (high < self.high if self.high_open else high <= self.high)
        return above and below

    def __str__(self) -> str:
        low = "(-∞" if self.low is None else f"{'(' if self.low_open else '['}{self.low:g}"
        high = "∞)" if self.high is None else f"{self.high:g}{')' if self.high_open else ']'}"
        return f"{low}, {high}"


class ExtraInput(_Value):
    """An argument beside prediction and target, passed to the criterion by this name."""

    name: str = Field(description="Keyword of the argument.")
    axes: Axes = Field(description="Names of its axes, e.g. (`N`, `D`); an ellipsis stands for any further ones.")
    holds: Literal["real", "logits", "unit", "index", "length", "group", "binary", "embedding"] = Field(
        description="What its values are."
    )
    description: str = Field(description="One clause.")
    required: bool = Field(True, description="The loss cannot be computed without it.")


class Contract(_Value):
    """The clauses that must hold for a loss value to mean what its name says."""

    requires_params: dict[str, bool | str] = Field(
        default_factory=dict, description="Parameter values under which these clauses hold; empty: always."
    )
    prediction_space: PredictionSpace = Field(description="What the loss reads its first argument as.")
    target_kind: TargetKind = Field(description="What the loss reads its second argument as.")
    layout: Layout = Field(
        description=(
            "`same`: equal shapes; `class_axis`: prediction (N, C, …) against target (N, …); `mean_and_variance`, "
            "`parameters`: prediction (N, …, K) against target (N, …); `levels`: one output per quantile level on a "
            "last axis; `thresholds`: prediction (N, K - 1, …) against levels (N, …); `time_and_event`: target (N, 2); "
            "`free`: see the axes."
        )
    )
    axes: tuple[Axes, Axes] | None = Field(
        None, description="Axes of prediction and target, where the layout leaves them `free` or admits too many."
    )
    parameters: tuple[str, ...] = Field(
        (), description="What each output on the last axis is, for the layout `parameters`."
    )
    target_dtype: Literal["float", "long"] = Field(description="Element type the loss needs its target in.")
    target_interval: Interval = Field(default_factory=Interval, description="Values a target may take.")
    integer_valued: bool = Field(False, description="Targets must be whole numbers.")
    min_outputs: int = Field(
        1, ge=1, description="Fewest outputs on the class axis for which the loss is not constant."
    )
    min_axes: int = Field(1, ge=1, description="Fewest axes of a prediction, the rows being one.")
    extra_inputs: tuple[ExtraInput, ...] = Field((), description="Arguments beside prediction and target.")
    supports_ignore_index: bool = Field(False, description="A label may be left out by value.")
    reductions: tuple[str, ...] = Field(("mean", "sum", "none"), description="Reductions it offers.")
    empty: EmptyPolicy = Field("nan", description="What a batch without any counted element gives.")
    couples_samples: bool = Field(False, description="The loss of a row depends on other rows.")
    learnable: bool = Field(False, description="It has parameters of its own, for the optimiser.")
    stateful: bool = Field(False, description="It has a state that is no parameter, and that checkpoints keep.")
    twice_differentiable: bool = Field(True, description="Its second derivative exists almost everywhere and is used.")
    bounded_below: bool = Field(True, description="The loss has a finite minimum on its domain.")
    finite_at_extremes: bool = Field(
        True, description="Raw outputs of ±1e4 give a finite value and a finite gradient in float32."
    )
    compiles: bool = Field(True, description="`torch.compile` takes it as one graph: it never waits for the device.")
    proper: str | None = Field(None, description="The functional it elicits: `mean`, `median`, `probability`, …")
    cost: Cost = Field("N", description="How time grows: N elements, C classes, T and S sequence lengths.")
    low_precision: Literal["upcast", "native"] = Field(
        "upcast", description="`upcast`: half precision predictions are computed in float32."
    )

    @model_validator(mode="after")
    def _complete(self) -> Contract:
        if self.layout == "free" and self.axes is None:
            raise ValueError("expected axes with the layout `free`, found none")
        if (self.layout == "parameters") != bool(self.parameters):
            raise ValueError("expected names of parameters with the layout `parameters`, and with no other")
        return self

    @property
    def shapes(self) -> tuple[Axes, Axes]:
        """Axes of prediction and target."""
        return self.axes if self.axes is not None else LAYOUT_AXES[self.layout]

    def extra(self, name: str) -> ExtraInput | None:
        """Return the extra input of that name, or None."""
        return next((extra for extra in self.extra_inputs if extra.name == name), None)
