"""What is true of every profile that data can have: the vocabulary's own laws.

Each law is written in the policy language: where `when` is true, `then` is not false. They speak of
profiles that `nebula.profile` makes; a law that one real profile broke would make proofs worthless,
so the tests hold all of them against random data. A law that rounding can break is left out.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["INVARIANTS", "WHOLE_WITH_THE_TARGET", "Invariant"]

WHOLE_WITH_THE_TARGET = ("target.min", "target.max", "target.label_min", "target.label_max")
"""Real facts that are whole numbers when every value of the target is: a law that the language cannot say."""


class Invariant(NamedTuple):
    """One law.

    Attributes:
        when: Condition under which it binds.
        then: What is then never false.
    """

    when: str
    then: str

    @property
    def condition(self) -> str:
        """The law as one condition that is never false."""
        return f"not ({self.when}) or ({self.then})"


_SEEN = "known(target.min)"
_EXACT = "target.n_unique_is_exact"
_MODERATE = "target.min > -1e15 and target.max < 1e15"

_KNOWN_TOGETHER: tuple[tuple[str, ...], ...] = (
    (
        *("min", "max", "is_integer_valued", "is_constant", "repeat_rate", "zero_fraction", "negative_fraction"),
        *("min_fraction", "max_fraction", "void_fraction", "is_multi_hot", "q05", "q25", "median", "q75", "q95"),
    ),
    ("ndim", "n", "n_elements", "n_columns", "nan_count", "inf_count", "n_unique", "n_unique_is_exact"),
    ("is_one_hot", "is_simplex"),
    ("label_min", "label_max"),
    (
        *("n_classes", "labels_are_contiguous", "class_balance", "minority_fraction", "entropy", "class_counts"),
        "class_weight",
    ),
)


def _together(group: tuple[str, ...]) -> list[Invariant]:
    first, *others = (f"target.{name}" for name in group)
    return [
        law
        for name in others
        for law in (Invariant(f"known({first})", f"known({name})"), Invariant(f"known({name})", f"known({first})"))
    ]


INVARIANTS: tuple[Invariant, ...] = (
    # --- facts that are known together
    *(law for group in _KNOWN_TOGETHER for law in _together(group)),
    Invariant("true", "known(target.n)"),
    Invariant(_SEEN, "target.n_unique >= 1 and target.n_elements >= 1 and target.n >= 1"),
    Invariant(f"not {_SEEN}", "target.n_unique == 0"),
    Invariant(f"{_SEEN} and {_MODERATE}", "known(target.mean) and known(target.std) and known(target.var)"),
    Invariant(f"{_SEEN} and {_MODERATE}", "known(target.iqr)"),
    Invariant("known(target.mean) or known(target.iqr)", _SEEN),
    Invariant("known(target.skew) or known(target.kurtosis)", "known(target.std) and not target.is_constant"),
    Invariant("known(target.is_one_hot)", "known(target.is_multi_hot)"),
    Invariant("known(target.label_min) or known(target.pos_weight)", _SEEN),
    Invariant("known(target.n_classes)", "known(target.label_min)"),
    # --- layout
    Invariant("target.ndim <= 1", "target.n_columns == 1"),
    Invariant("true", "target.n_unique <= target.n_elements"),
    Invariant("target.ndim == 1", "target.n == target.n_elements"),
    Invariant("target.nan_count + target.inf_count == 0 and target.n_elements >= 1", _SEEN),
    # --- order
    Invariant("true", "target.min <= target.q05 and target.q05 <= target.q25 and target.q25 <= target.median"),
    Invariant("true", "target.median <= target.q75 and target.q75 <= target.q95 and target.q95 <= target.max"),
    Invariant("target.min >= 0", "target.mean >= 0"),
    Invariant("target.max <= 0", "target.mean <= 0"),
    Invariant("target.min > 0", "target.mean > 0"),
    Invariant("target.min >= 0", "target.mean <= 1.0000001 * target.max"),
    Invariant("target.max <= 0", "target.mean >= 1.0000001 * target.min"),
    Invariant("target.min > 0", "target.mean >= 0.9999999 * target.min"),
    Invariant("target.max < 0", "target.mean <= 0.9999999 * target.max"),
    Invariant("target.is_constant", "target.mean == target.min"),
    Invariant("target.q25 == target.q75", "target.iqr == 0"),
    Invariant("target.iqr == 0", "target.q25 == target.q75"),
    Invariant("target.min == target.max", "target.iqr == 0"),
    # --- spread
    Invariant(f"target.is_constant and {_EXACT}", "target.min == target.max"),
    Invariant(f"target.min == target.max and {_MODERATE}", "target.is_constant"),
    Invariant("target.is_constant", "target.var == 0 and target.std == 0 and target.n_unique == 1"),
    Invariant("target.n_unique == 1", "target.is_constant"),
    Invariant("target.std == 0", "target.var == 0"),
    Invariant("known(target.dispersion)", "target.min >= 0 and target.mean > 0"),
    Invariant(
        f"target.min >= 0 and target.mean > 0 and {_MODERATE} and target.mean > 1e-15", "known(target.dispersion)"
    ),
    Invariant("target.is_constant", "target.dispersion == 0"),
    # --- shares
    Invariant("target.zero_fraction > 0", "target.min <= 0 and target.max >= 0"),
    Invariant("target.negative_fraction > 0", "target.min < 0"),
    Invariant(f"target.min < 0 and {_EXACT}", "target.negative_fraction > 0"),
    Invariant("target.min == 0", "target.zero_fraction == target.min_fraction"),
    Invariant("target.max == 0", "target.zero_fraction == target.max_fraction"),
    Invariant(_EXACT, "target.min_fraction > 0 and target.max_fraction > 0"),
    Invariant(f"target.is_constant and {_EXACT}", "target.min_fraction == 1 and target.max_fraction == 1"),
    Invariant("target.n_unique == target.n_elements", "target.repeat_rate == 0"),
    # --- whole values
    Invariant(
        f"target.is_integer_valued and {_EXACT} and {_MODERATE}", "target.n_unique <= target.max - target.min + 1"
    ),
    Invariant("target.is_integer_valued", "target.min_gap >= 1"),
    # --- labels
    Invariant("known(target.n_classes)", "target.is_integer_valued or target.n_classes == 2"),
    Invariant("known(target.n_classes)", "target.n_classes >= 1 and target.n_classes <= 1024"),
    Invariant("known(target.n_classes)", "target.n_classes <= target.n_unique"),
    Invariant("known(target.n_classes)", "target.n_unique <= target.n_classes + 1"),
    Invariant("known(target.n_classes) and not known(target.void_value)", "target.n_classes == target.n_unique"),
    Invariant("target.is_integer_valued and not known(target.void_value)", "known(target.label_min)"),
    Invariant(
        "target.is_integer_valued and not known(target.void_value) and target.n_unique <= 1024",
        "known(target.n_classes)",
    ),
    Invariant("target.n_unique == 2 and not known(target.void_value)", "known(target.n_classes)"),
    Invariant("true", "target.label_min >= target.min and target.label_max <= target.max"),
    Invariant("true", "target.label_min <= target.label_max"),
    Invariant(
        "known(target.label_min) and not known(target.void_value)",
        "target.label_min == target.min and target.label_max == target.max",
    ),
    Invariant("target.n_classes == 1", "target.label_min == target.label_max and target.class_balance == 1"),
    Invariant("target.n_classes == 1", "target.labels_are_contiguous or not target.is_integer_valued"),
    Invariant("target.labels_are_contiguous", "target.is_integer_valued"),
    Invariant(
        f"target.labels_are_contiguous and {_MODERATE}", "target.label_max - target.label_min == target.n_classes - 1"
    ),
    Invariant(
        f"target.is_integer_valued and {_MODERATE} and target.label_max - target.label_min == target.n_classes - 1",
        "target.labels_are_contiguous",
    ),
    Invariant(
        f"target.is_integer_valued and {_MODERATE}", "target.label_max - target.label_min >= target.n_classes - 1"
    ),
    Invariant("true", "target.class_balance > 0 and target.minority_fraction > 0"),
    Invariant(
        "known(target.n_classes) and not known(target.void_value)", "target.minority_fraction <= target.max_fraction"
    ),
    Invariant("known(target.positive_fraction)", "target.n_classes == 2"),
    Invariant("target.n_classes == 2", "known(target.positive_fraction)"),
    Invariant("known(target.pos_weight)", "target.n_classes == 2 or target.is_multi_hot"),
    Invariant("target.n_classes == 2 and not target.is_multi_hot", "known(target.pos_weight)"),
    Invariant("known(hints.ignore_value) and known(target.min)", "target.void_value == hints.ignore_value"),
    Invariant("not known(hints.ignore_value)", "target.void_value in [255, -1, -100]"),
    Invariant("known(target.void_value)", _SEEN),
    Invariant(
        "known(target.void_value) and not known(hints.ignore_value)",
        "target.is_integer_valued and target.label_min == 0 and target.n_unique >= 2",
    ),
    Invariant(
        "target.void_value == 255 and not known(hints.ignore_value)",
        "target.max == 255 and target.labels_are_contiguous and target.label_max <= 127",
    ),
    Invariant("known(target.void_value) and not known(hints.ignore_value)", "target.n_unique == target.n_classes + 1"),
    Invariant("target.void_value < 0 and not known(hints.ignore_value)", "target.min == target.void_value"),
    Invariant("known(target.categories) and known(target.min)", "target.is_integer_valued and target.min >= 0"),
    Invariant("known(target.categories)", "target.n_columns == 1"),
    # --- rows
    Invariant(
        "target.is_multi_hot",
        "target.is_integer_valued and target.min in [0, 1] and target.max in [0, 1] "
        "and target.n_columns >= 2 and target.ndim >= 2",
    ),
    Invariant(
        "target.is_integer_valued and target.min in [0, 1] and target.max in [0, 1] "
        "and target.n_columns >= 2 and target.ndim >= 2",
        "target.is_multi_hot",
    ),
    Invariant("target.is_one_hot", "target.is_multi_hot and target.is_simplex"),
    Invariant("target.is_multi_hot and target.is_simplex", "target.is_one_hot"),
    Invariant(
        "target.is_simplex", "target.min >= 0 and target.max <= 1 and target.n_columns >= 2 and target.ndim >= 2"
    ),
    Invariant("target.ndim <= 1 and known(target.min)", "known(target.is_simplex)"),
    Invariant(
        "known(target.min) and target.nan_count + target.inf_count == 0 and target.max <= 1e15 and target.min >= -1e15",
        "known(target.is_simplex)",
    ),
    Invariant("known(target.n_binary_columns)", "target.ndim == 2 and target.n_columns >= 2"),
    Invariant("true", "target.n_binary_columns <= target.n_columns"),
    Invariant("known(target.last_column_is_binary)", "known(target.n_binary_columns)"),
    Invariant("target.last_column_is_binary", "target.n_binary_columns >= 1"),
    Invariant(
        "target.is_multi_hot and target.nan_count + target.inf_count == 0",
        "target.n_binary_columns == target.n_columns",
    ),
    Invariant("true", "target.min_gap > 0"),
    # --- declarations
    Invariant("true", "hints.quantile > 0 and hints.quantile < 1"),
    Invariant("true", "hints.cost_threshold > 0 and hints.cost_threshold < 1"),
    Invariant("true", "hints.false_negative_cost > 0 and hints.false_positive_cost > 0"),
    Invariant("true", "hints.label_smoothing < 1 and hints.label_noise < 1"),
    Invariant("known(hints.false_negative_cost) and known(hints.false_positive_cost)", "known(hints.cost_threshold)"),
    # --- the prediction
    Invariant("known(relation.shapes_equal)", "known(prediction.ndim)"),
    Invariant("known(prediction.ndim)", "known(relation.shapes_equal)"),
    Invariant("known(prediction.n_outputs) or known(prediction.space)", "known(prediction.ndim)"),
    Invariant("known(relation.labels_fit) or known(relation.n_classes_agree)", "known(prediction.ndim)"),
    Invariant("known(relation.labels_fit)", "known(relation.labels_fit_shifted)"),
    Invariant("known(relation.labels_fit_shifted)", "known(relation.labels_fit)"),
    Invariant("prediction.ndim <= 1 and not known(relation.class_axis)", "prediction.n_outputs == 1"),
    Invariant("prediction.ndim <= 1 and not known(relation.class_axis)", "known(prediction.n_outputs)"),
    Invariant("known(relation.class_axis)", "not relation.shapes_equal"),
    Invariant("known(relation.class_axis)", "relation.class_axis >= 0 and relation.class_axis < prediction.ndim"),
    Invariant("known(relation.class_axis)", "relation.n_outputs_per_label == prediction.n_outputs"),
    Invariant("known(relation.class_axis) and known(prediction.n_outputs)", "known(relation.n_outputs_per_label)"),
    Invariant("known(relation.class_axis) and target.n_columns >= 2", "prediction.ndim >= 3"),
    Invariant("relation.shapes_equal", "relation.n_outputs_per_label == 1"),
    Invariant("relation.shapes_equal", "known(relation.n_outputs_per_label)"),
    Invariant("known(relation.n_outputs_per_label)", "relation.shapes_equal or known(relation.class_axis)"),
    Invariant(
        "relation.shapes_equal and target.ndim <= 2 and prediction.ndim <= 2",
        "target.n_columns == prediction.n_outputs",
    ),
    Invariant(
        "known(prediction.ndim) and not known(relation.class_axis)",
        "not relation.labels_fit and not relation.labels_fit_shifted and not relation.n_classes_agree",
    ),
    Invariant(
        "known(prediction.ndim) and not known(relation.class_axis)",
        "known(relation.labels_fit) and known(relation.n_classes_agree)",
    ),
    Invariant(
        "known(relation.n_outputs_per_label) and target.n_unique >= 1",
        "known(relation.labels_fit) and known(relation.n_classes_agree)",
    ),
    Invariant(
        "relation.labels_fit",
        "target.is_integer_valued and target.label_min >= 0 and target.label_max <= relation.n_outputs_per_label - 1",
    ),
    Invariant(
        "target.is_integer_valued and target.label_min >= 0 and target.label_max <= relation.n_outputs_per_label - 1 "
        "and known(relation.class_axis)",
        "relation.labels_fit",
    ),
    Invariant(
        "relation.labels_fit_shifted",
        "target.is_integer_valued and target.label_min == 1 and target.label_max <= relation.n_outputs_per_label",
    ),
    Invariant(
        "relation.n_classes_agree and known(target.n_classes)", "target.n_classes == relation.n_outputs_per_label"
    ),
    Invariant("relation.labels_fit or relation.labels_fit_shifted", "known(target.label_min)"),
    Invariant("target.n_elements >= 1", "target.n >= 1 and target.n_columns >= 1 and target.n_elements >= target.n"),
    Invariant("true", "target.n_unique + target.nan_count + target.inf_count <= target.n_elements"),
)
"""The laws, in the order of the vocabulary."""
