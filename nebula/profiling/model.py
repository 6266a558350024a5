"""The typed profile: the vocabulary of facts that every rule may speak about.

One frozen model per group; a dotted name such as `target.zero_fraction` is a fact. Every fact
carries its meaning, its bounds (`ge`, `le`) and, where it has one, its unit; a number that follows
from how the data are laid out, and not from their values, is marked `structural`; the rule type-checker,
the JSON schema and the documentation read them from here, so a new fact is one field.
`None` means *unknown*: not observed is not False.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr
from pydantic.config import JsonDict

from nebula.profiling.custom import CustomFacts
from nebula.profiling.hints import Hints

__all__ = [
    "VOCABULARY_VERSION",
    "Categories",
    "DataProfile",
    "EvidenceFacts",
    "FeatureFacts",
    "PredictionFacts",
    "PredictionSpace",
    "RelationFacts",
    "TargetFacts",
]

VOCABULARY_VERSION = "1"

Categories = Literal["unordered", "ordered"]
PredictionSpace = Literal["logits", "probabilities", "log_probabilities", "rate", "unknown"]

Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
_OF_THE_TARGET: JsonDict = {"unit": "of the target"}


class _Facts(BaseModel):
    """A group of facts: frozen, closed, and free of NaN and infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TargetFacts(_Facts):
    """What the target is: shape, support, marginal distribution, row algebra.

    Statistics are over the finite values of the whole target. Facts whose names speak of
    *labels* or *classes* leave out `void_value`, the filler that segmentation masks use.
    """

    name: str | None = Field(None, description="Column name, when the target came from a table.")
    categories: Categories | None = Field(
        None, description="The column held categories or strings, now coded; unknown for plain numbers."
    )
    dtype: str | None = Field(
        None,
        description="Element type, e.g. `int64`. Weak evidence: the same values in another type are the same target.",
    )
    ndim: Count | None = Field(None, description="Number of axes.", json_schema_extra={"structural": True})
    shape_tail: tuple[int, ...] | None = Field(None, description="Shape without the first (row) axis.")
    n: Count | None = Field(None, description="Rows seen.", json_schema_extra={"unit": "rows"})
    n_elements: Count | None = Field(None, description="Values seen.", json_schema_extra={"unit": "values"})
    n_columns: Count | None = Field(
        None, description="Size of axis 1; 1 for a vector and for (N, 1).", json_schema_extra={"structural": True}
    )
    nan_count: Count | None = Field(None, description="NaN values.", json_schema_extra={"unit": "values"})
    inf_count: Count | None = Field(None, description="Infinite values.", json_schema_extra={"unit": "values"})
    nonfinite_fraction: Fraction | None = Field(None, description="Share of values that are NaN or infinite.")

    is_integer_valued: bool | None = Field(None, description="Every finite value is whole, whatever the dtype.")
    is_constant: bool | None = Field(None, description="Only one finite value occurs.")
    n_unique: Count | None = Field(None, description="Distinct finite values.")
    n_unique_is_exact: bool | None = Field(None, description="False when `n_unique` was estimated from a part.")
    unique_values: tuple[float, ...] | None = Field(
        None, description="The distinct finite values in order, when there are few (64; 1024 whole ones)."
    )
    value_counts: tuple[int, ...] | None = Field(None, description="How often each of `unique_values` occurs.")
    repeat_rate: Fraction | None = Field(None, description="1 - distinct values / values: 0 when nothing repeats.")
    min_gap: Annotated[float, Field(gt=0)] | None = Field(
        None,
        description="Smallest distance between neighbouring distinct values.",
        json_schema_extra=_OF_THE_TARGET,
    )

    min: float | None = Field(None, description="Smallest finite value.", json_schema_extra=_OF_THE_TARGET)
    max: float | None = Field(None, description="Largest finite value.", json_schema_extra=_OF_THE_TARGET)
    mean: float | None = Field(None, description="Arithmetic mean.", json_schema_extra=_OF_THE_TARGET)
    std: Annotated[float, Field(ge=0)] | None = Field(
        None, description="Standard deviation, denominator n.", json_schema_extra=_OF_THE_TARGET
    )
    var: Annotated[float, Field(ge=0)] | None = Field(None, description="Variance, denominator n.")
    skew: float | None = Field(None, description="Third standardised moment m3 / m2^1.5; unknown for a constant.")
    kurtosis: float | None = Field(
        None, description="Excess kurtosis m4 / m2^2 - 3; 0 for a normal; unknown for a constant."
    )
    q05: float | None = Field(
        None, description="5 % quantile (linear interpolation).", json_schema_extra=_OF_THE_TARGET
    )
    q25: float | None = Field(None, description="25 % quantile.", json_schema_extra=_OF_THE_TARGET)
    median: float | None = Field(None, description="50 % quantile.", json_schema_extra=_OF_THE_TARGET)
    q75: float | None = Field(None, description="75 % quantile.", json_schema_extra=_OF_THE_TARGET)
    q95: float | None = Field(None, description="95 % quantile.", json_schema_extra=_OF_THE_TARGET)
    iqr: Annotated[float, Field(ge=0)] | None = Field(None, description="q75 - q25.", json_schema_extra=_OF_THE_TARGET)
    zero_fraction: Fraction | None = Field(None, description="Share of values equal to 0.")
    negative_fraction: Fraction | None = Field(None, description="Share of values below 0.")
    min_fraction: Fraction | None = Field(
        None, description="Share of values equal to the smallest: mass on the lower bound."
    )
    max_fraction: Fraction | None = Field(
        None, description="Share of values equal to the largest: mass on the upper bound."
    )
    outlier_fraction: Fraction | None = Field(
        None, description="Share outside [q25 - 1.5 iqr, q75 + 1.5 iqr] (Tukey 1977); 0.007 for a normal."
    )
    tail_index: Annotated[float, Field(ge=0)] | None = Field(
        None, description="max(max - median, median - min) / iqr; about 3 for 1,000 normal draws."
    )
    dispersion: Annotated[float, Field(ge=0)] | None = Field(
        None, description="Variance / mean, for a non-negative target with positive mean; 1 for a Poisson count."
    )

    void_value: float | None = Field(
        None,
        description="A whole value outside the block of labels 0..K-1 that looks like a filler: 255, -1 or -100.",
        json_schema_extra=_OF_THE_TARGET,
    )
    void_fraction: Fraction | None = Field(
        None, description="Share of values equal to `void_value`; 0 when there is none."
    )
    n_classes: Count | None = Field(
        None, description="Distinct labels, when the target can be labels: whole values, or exactly two values."
    )
    label_min: float | None = Field(None, description="Smallest label.", json_schema_extra=_OF_THE_TARGET)
    label_max: float | None = Field(None, description="Largest label.", json_schema_extra=_OF_THE_TARGET)
    labels_are_contiguous: bool | None = Field(
        None, description="The labels are all the whole numbers from `label_min` to `label_max`."
    )
    class_counts: tuple[int, ...] | None = Field(
        None, description="Rows per label, in label order (up to 1024 labels)."
    )
    class_balance: Fraction | None = Field(None, description="Rarest class / commonest class.")
    minority_fraction: Fraction | None = Field(None, description="Share of the rarest class.")
    positive_fraction: Fraction | None = Field(
        None, description="Two labels: share of the larger one (the prevalence)."
    )
    entropy: Annotated[float, Field(ge=0)] | None = Field(
        None, description="Shannon entropy of the classes.", json_schema_extra={"unit": "nats"}
    )
    class_weight: tuple[float, ...] | None = Field(
        None, description="n / (K n_c) per label (King and Zeng 2001; scikit-learn's `balanced`)."
    )
    pos_weight: tuple[float, ...] | None = Field(
        None, description="Negatives / positives: one number for two labels, one per column for a multi-hot target."
    )

    is_multi_hot: bool | None = Field(None, description="Two axes or more, at least two columns, every value 0 or 1.")
    is_one_hot: bool | None = Field(None, description="Multi-hot, and every row has exactly one 1.")
    is_simplex: bool | None = Field(
        None, description="At least two columns, values in [0, 1], every row sums to 1 within 1e-3."
    )
    row_sum_min: float | None = Field(None, description="Smallest sum over axis 1.")
    row_sum_max: float | None = Field(None, description="Largest sum over axis 1.")
    n_binary_columns: Count | None = Field(
        None, description="Columns that hold only 0 and 1, of an (N, C) target with at most 1024 columns."
    )
    last_column_is_binary: bool | None = Field(
        None, description="The last of these columns holds only 0 and 1, as the event beside a time does."
    )
    label_prevalence: tuple[float, ...] | None = Field(
        None, description="Mean of every column (up to 1024 columns) of an (N, C) target."
    )
    column_medians: tuple[float, ...] | None = Field(
        None, description="Median of every column (up to 64 columns) of an (N, C) target."
    )


class PredictionFacts(_Facts):
    """What the model emits: its shape is worth most, its values only name the numerical form."""

    dtype: str | None = Field(None, description="Element type.")
    ndim: Count | None = Field(None, description="Number of axes.", json_schema_extra={"structural": True})
    shape_tail: tuple[int, ...] | None = Field(None, description="Shape without the first (row) axis.")
    n_outputs: Count | None = Field(
        None,
        description="Size of the class axis if there is one, else of axis 1; 1 for a vector and for (N, 1).",
        json_schema_extra={"structural": True},
    )
    space: PredictionSpace | None = Field(
        None, description="What the values are. `unknown` when they were seen and fit several readings."
    )
    space_is_declared: bool | None = Field(
        None, description="True when the user said so, False when read off the values."
    )
    is_finite: bool | None = Field(None, description="No NaN and no infinity.")
    min: float | None = Field(None, description="Smallest finite value.")
    max: float | None = Field(None, description="Largest finite value.")


class RelationFacts(_Facts):
    """How the target's shape and labels lie against the prediction's."""

    shapes_equal: bool | None = Field(
        None, description="Same shape, after a trailing axis of size 1 is dropped from either."
    )
    broadcasts_silently: bool | None = Field(
        None, description="Shapes differ as given, and torch would broadcast them without an error."
    )
    class_axis: int | None = Field(
        None,
        description="Axis of the prediction that the target of labels does not have.",
        json_schema_extra={"structural": True},
    )
    n_outputs_per_label: Count | None = Field(
        None,
        description="Outputs for each target value: the size of the class axis, or 1.",
        json_schema_extra={"structural": True},
    )
    labels_fit: bool | None = Field(
        None, description="There is a class axis and every label (void left out) lies in 0..outputs-1."
    )
    labels_fit_shifted: bool | None = Field(
        None, description="There is a class axis, labels start at 1, and label - 1 lies in 0..outputs-1."
    )
    n_classes_agree: bool | None = Field(
        None, description="There is a class axis and as many outputs as distinct labels."
    )


class FeatureFacts(_Facts):
    """The table beside the target."""

    n: Count | None = Field(None, description="Rows.", json_schema_extra={"unit": "rows"})
    d: Count | None = Field(None, description="Columns.")
    n_numeric: Count | None = Field(None, description="Columns of numbers or booleans.")
    n_labelled: Count | None = Field(None, description="Columns of categories or strings.")
    missing_fraction: Fraction | None = Field(None, description="Share of missing cells.")


class EvidenceFacts(_Facts):
    """How much of the data the facts stand on."""

    rows_seen: Count | None = Field(None, description="Rows profiled.", json_schema_extra={"unit": "rows"})
    rows_total: Count | None = Field(None, description="Rows in all, where known.", json_schema_extra={"unit": "rows"})
    batches: Count | None = Field(None, description="Batches profiled.")
    complete: bool | None = Field(None, description="The whole data set was seen; otherwise a decision is provisional.")


class DataProfile(_Facts):
    """Everything that a policy may look at, as plain numbers: no tensor goes past this point."""

    target: TargetFacts = Field(default_factory=TargetFacts, description="What the target is.")
    prediction: PredictionFacts = Field(default_factory=PredictionFacts, description="What the model emits.")
    relation: RelationFacts = Field(default_factory=RelationFacts, description="How the two fit together.")
    features: FeatureFacts = Field(default_factory=FeatureFacts, description="The table beside the target.")
    evidence: EvidenceFacts = Field(default_factory=EvidenceFacts, description="How much was seen.")
    hints: Hints = Field(default_factory=Hints, description="What the user declared.")
    custom: CustomFacts = Field(default_factory=CustomFacts, description="Facts that others registered.")
    fingerprint: str | None = Field(None, description="Content hash of the target, with its scheme: `xxh3_128:…`.")
    _accumulator: Any = PrivateAttr(None)

    @property
    def accumulator(self) -> Any:
        """What the target's facts were computed from, so that profiles can merge; None in one read from JSON."""
        return self._accumulator

    def with_accumulator(self, accumulator: Any) -> DataProfile:
        """Return the same profile, able to merge.

        Args:
            accumulator: A `TargetAccumulator` whose facts these are.
        """
        twin = self.model_copy()
        twin._accumulator = accumulator  # noqa: SLF001 - its own kind
        return twin

    def merge(self, other: DataProfile) -> DataProfile:
        """Return the profile of the rows of both, as if they had been profiled together.

        Rows, batches and evidence add up; the content hash, which depends on the order, is unknown.

        Args:
            other: The profile of further rows of the same target, with the same hints.

        Raises:
            DataError: One of them was read from JSON or from a cache, which keep no counts; or they
                differ in hints or in the shape of a row.
        """
        from nebula.profiling.merging import merge_profiles  # which builds on this module

        return merge_profiles(self, other)

    def __eq__(self, other: object) -> bool:
        """Compare the facts: what they were counted from is no part of a profile's meaning."""
        return isinstance(other, DataProfile) and self.__dict__ == other.__dict__
