"""Values: which steps turn the user's coding of the target into the one that the loss reads."""

from __future__ import annotations

from pydantic import BaseModel

from nebula.losses.contract import Interval
from nebula.losses.draft import Draft
from nebula.losses.labels import LabelCode, class_labels, code_labels, find_void
from nebula.losses.spec import Link
from nebula.profiling.model import DataProfile

__all__ = ["PERCENT", "code_class_index", "code_values", "is_percentage"]

PERCENT = 0.01
NO_LABEL = -100
"""torch's own `ignore_index`."""

# The reach above which undeclared whole numbers can be percentages rather than grades or small counts.
_LARGEST_GRADE = 10


def is_percentage(profile: DataProfile) -> bool:
    """Say whether a target is to be read as percentages: in [0, 100], above 1, and more than two values.

    Whole numbers up to 10 are more likely grades or counts. A task declared a proportion settles both.
    """
    facts = profile.target
    if facts.min is None or facts.max is None or not (facts.min >= 0 and 1 < facts.max <= 100):
        return False
    if profile.hints.task == "proportion":
        return True
    two_labels = facts.n_unique is not None and facts.n_unique <= 2
    name = (facts.name or "").lower()
    named = any(word in name for word in ("percent", "pct", "%"))
    return not two_labels and (named or facts.is_integer_valued is False or facts.max > _LARGEST_GRADE)


def code_class_index(draft: Draft, params: BaseModel, outputs: int | None) -> None:
    """Turn labels into int64 indices of the outputs, and the void value into `ignore_index`."""
    if any(step.step == "one_hot_to_index" for step in draft.on_target):
        return
    facts, ignore_index = draft.profile.target, int(draft.params.get("ignore_index", NO_LABEL))
    void = find_void(draft.profile, params)
    if void is not None and not draft.contract.supports_ignore_index:
        draft.refuse("labels without void values", f"{void:g}, which means no label", "drop those rows")
        return
    code = code_labels(draft.profile, void, outputs)
    if code.kind == "unfit":
        wanted = "class labels" if outputs is None else f"class labels 0..{outputs - 1}, or as many labels as outputs"
        draft.refuse(wanted, code.problem, "match the model's outputs to the labels, or choose another loss")
        return
    if not _check_ignore_index(draft, code, void, outputs):
        return
    by = -1 if code.kind == "shift" else 0
    invalid = next(mark for mark in range(-1, -9, -1) if mark not in (void, ignore_index, ignore_index - by))
    marked = {} if invalid == -1 else {"invalid": invalid}
    # without a void value, only an index that was set on purpose can be met by a moved label
    kept = {} if void is None and "ignore_index" not in params.model_fields_set else {"ignore_index": ignore_index}
    if code.kind != "remap" and facts.dtype != "int64":
        draft.change_target(
            "to_long", f"the loss indexes by int64 labels, the target is {_dtype(facts.dtype)}", **marked
        )
    if void is not None and void != ignore_index:
        draft.change_target(
            "void_to_ignore", f"{void:g} means no label here", value=int(void), ignore_index=ignore_index
        )
    if code.kind == "shift":
        draft.change_target("shift_labels", "labels start at 1, outputs at 0", by=by, **kept)
    elif code.kind == "remap":
        shown = ", ".join(f"{value:g}" for value in code.values[:8])
        draft.change_target(
            "remap_labels",
            f"the labels {shown} become their places",
            values=list(code.values),
            dtype="long",
            **kept,
            **marked,
        )


def _check_ignore_index(draft: Draft, code: LabelCode, void: float | None, outputs: int | None) -> bool:
    """Refuse an `ignore_index` that would leave out real labels once these are moved."""
    ignore_index, labels = int(draft.params.get("ignore_index", NO_LABEL)), class_labels(draft.profile, void) or ()
    count = outputs or len(labels) or int(draft.profile.target.label_max or 0) + 1
    moves = code.kind != "as_is" or (void is not None and void != ignore_index)
    taken = 0 <= ignore_index < count or (void is not None and ignore_index in labels)
    if moves and taken:
        draft.refuse("an ignore_index that is no label", f"{ignore_index} with {count} outputs", "choose another")
    return not (moves and taken)


def code_values(draft: Draft, link: Link) -> None:
    """Bring the values of a same-shape target into the loss's interval and the prediction's dtype."""
    facts, interval = draft.profile.target, _interval(draft, link)
    recodable = (interval.low, interval.high) == (0, 1) and draft.contract.target_kind != "class_probabilities"
    if draft.profile.hints.ignore_value is not None:
        draft.refuse(
            "a target without void values",
            f"ignore_value {draft.profile.hints.ignore_value}",
            "drop those rows; this loss cannot leave values out",
        )
    elif draft.contract.target_kind == "sign":
        _code_signs(draft)
    elif interval.contains(facts.min, facts.max) is False:
        # two labels become the ends of the interval, which an open one does not hold
        labels = None if interval.low_open or interval.high_open else class_labels(draft.profile, None)
        if recodable and is_percentage(draft.profile) and _fits_scaled(interval, draft.profile):
            draft.change_target("scale_target", "percentages become fractions", by=PERCENT)
        elif recodable and labels and len(labels) == 2:
            draft.change_target(
                "remap_labels",
                f"the two labels {labels[0]:g} and {labels[1]:g} become 0 and 1",
                values=list(labels),
                dtype="float",
            )
        else:
            _refuse_interval(draft, interval)
    if draft.contract.integer_valued and facts.is_integer_valued is False:
        draft.refuse("whole targets", "fractions", "round them if they are counts, or choose another loss")
    _check_rows(draft)
    if draft.profile.prediction.dtype in (None, "float16", "bfloat16") or draft.profile.prediction.dtype != facts.dtype:
        draft.change_target(
            "to_prediction_dtype", f"the loss computes in the prediction's dtype, the target is {_dtype(facts.dtype)}"
        )


def _code_signs(draft: Draft) -> None:
    """Turn two labels into -1 and 1; a single one says its side only if it is -1 or 1."""
    labels = class_labels(draft.profile, None)
    if labels is None or set(labels) <= {-1.0, 1.0}:
        if labels is None and draft.profile.target.n_unique is not None:
            draft.refuse("two labels", f"{draft.profile.target.n_unique} values", "choose a loss for this target")
    elif len(labels) == 2:
        draft.change_target(
            "remap_labels",
            f"the two labels {labels[0]:g} and {labels[1]:g} become -1 and 1",
            values=list(labels),
            dtype="sign",
        )
    else:
        shown = ", ".join(f"{label:g}" for label in labels[:8])
        draft.refuse("two labels", shown or "none", "recode the target to -1 and 1, or choose another loss")


def _check_rows(draft: Draft) -> None:
    """Rows of class probabilities must be distributions; logarithms of them cannot be checked by their sum."""
    interval = draft.contract.target_interval
    if draft.contract.target_kind != "class_probabilities" or interval.low is None:
        return
    if draft.profile.target.is_simplex is False and interval.contains(
        draft.profile.target.min, draft.profile.target.max
    ):
        low, high = draft.profile.target.row_sum_min, draft.profile.target.row_sum_max
        sums = "no class axis to sum over" if low is None or high is None else f"row sums from {low:g} to {high:g}"
        draft.refuse(
            "rows of probabilities that sum to 1", sums, "normalise the rows, or use BCEWithLogitsLoss for labels"
        )


def _interval(draft: Draft, link: Link) -> Interval:
    """Return the values the target may take; a real quantity behind a sigmoid lies in [0, 1]."""
    bounded = draft.contract.prediction_space == "raw" and link == "sigmoid"
    return Interval(low=0, high=1) if bounded else draft.contract.target_interval


def _fits_scaled(interval: Interval, profile: DataProfile) -> bool:
    low, high = profile.target.min, profile.target.max
    return low is None or high is None or interval.contains(low * PERCENT, high * PERCENT) is True


def _refuse_interval(draft: Draft, interval: Interval) -> None:
    facts = draft.profile.target
    draft.refuse(
        f"targets in {interval}",
        f"values from {facts.min:g} to {facts.max:g}",
        "outside it the loss has no meaning; choose a loss for this range or mend the target",
    )


def _dtype(name: str | None) -> str:
    return name or "of unknown dtype"
