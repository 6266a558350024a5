"""Shapes: which steps lay the target along the prediction, from the shapes alone.

A shape here is without its first (row) axis, as in `shape_tail`.
"""

from __future__ import annotations

from nebula.losses.draft import Draft
from nebula.profiling.model import DataProfile

__all__ = [
    "align_class_axis",
    "align_outputs",
    "align_same",
    "align_thresholds",
    "align_time_and_event",
    "column_count",
    "has_an_output_per_level",
]

Tail = tuple[int, ...]

_COUNTS = {2: "two", 3: "three", 4: "four"}


def align_same(draft: Draft) -> None:
    """Make the target's shape the prediction's, by a trailing axis or a channel of size 1 at most."""
    target, prediction = draft.profile.target.shape_tail, draft.profile.prediction.shape_tail
    if prediction is None:
        draft.change_target(
            "align_trailing_axis", "the prediction's shape is unknown: a trailing axis of 1 follows it at call"
        )
    elif target is not None and target != prediction:
        _align_axis_of_one(draft, target, prediction)
    _need_outputs(draft, column_count(draft))


def align_outputs(draft: Draft, outputs: int, meaning: str) -> None:
    """Give every value its own outputs on a last axis: lay the target along the axes before it.

    Args:
        draft: The plan.
        outputs: How many outputs a value has.
        meaning: What they are, for the message.
    """
    target, prediction = draft.profile.target.shape_tail, draft.profile.prediction.shape_tail
    if prediction is None:
        if target == (1,):
            draft.change_target("squeeze_last", "the target has a trailing axis of 1, its values have none")
    elif not prediction or prediction[-1] != outputs:
        draft.refuse(
            f"{_COUNTS.get(outputs, str(outputs))} outputs per value, {meaning}, on the last axis",
            f"predictions of shape {_rows(prediction)}",
            f"give the model's last layer {_COUNTS.get(outputs, str(outputs))} outputs",
        )
    elif target is not None and target != prediction[:-1]:
        _align_axis_of_one(draft, target, prediction[:-1], outputs=f"(…, {outputs}), without their last axis,")


def align_time_and_event(draft: Draft) -> None:
    """Require targets (N, 2): the time under observation, and 1 where the event was seen, 0 where not."""
    facts = draft.profile.target
    stack = "stack the two columns: torch.stack((time, event), dim=1)"
    if facts.shape_tail is not None and facts.shape_tail != (2,):
        draft.refuse("targets (N, 2), time and event", f"targets {_rows(facts.shape_tail)}", stack)
    elif facts.last_column_is_binary is False:
        found = "them in the first" if facts.n_binary_columns else "other values"
        draft.refuse("events of 0 and 1 in the second column, after the times", found, stack)
    _check_outputs_of_times(draft)


def _check_outputs_of_times(draft: Draft) -> None:
    """Refuse a prediction that has not the one or two outputs per row that the contract's axes name."""
    prediction, axes = draft.profile.prediction.shape_tail, draft.contract.shapes[0]
    if prediction is None or axes[-1] == "K":
        return
    wanted = (2,) if axes[-1] == "2" else (1,)
    if prediction != wanted and (wanted == (2,) or prediction):
        draft.refuse(
            f"predictions {_rows(wanted)}",
            f"predictions {_rows(prediction)}",
            f"give the model's last layer {_COUNTS.get(wanted[0], 'one')} output{'s' if wanted == (2,) else ''}",
        )


def align_class_axis(draft: Draft) -> int | None:
    """Lay labels (N, …) along predictions (N, C, …).

    Returns:
        The number of outputs on the class axis; None while the prediction is unknown, and after a refusal.
    """
    facts = draft.profile
    target, prediction = facts.target.shape_tail, facts.prediction.shape_tail
    if target is None or prediction is None:
        return _align_unknown(draft, target)
    found = _find_class_axis(target, prediction)
    if found is not None:
        squeeze, axis = found
        if squeeze == "squeeze_last":
            draft.change_target("squeeze_last", "labels have no class axis; the trailing axis of 1 is dropped")
        elif squeeze == "squeeze_axis":
            draft.change_target("squeeze_axis", "labels have no class axis; axis 1 of size 1 is dropped", axis=1)
        if axis != 1:
            draft.change_prediction(
                "move_class_axis", f"the classes stand on axis {axis}, the loss reads them on axis 1", **{"from": axis}
            )
        outputs = prediction[axis - 1]
        _need_outputs(draft, outputs)
        return outputs
    if target == prediction and facts.target.is_one_hot:
        _decode_one_hot(draft)
        return prediction[0]
    draft.refuse(
        "predictions (N, C, …) against class labels (N, …)",
        f"predictions {_rows(prediction)} against targets {_rows(target)}",
        "give one label per row and one output per class"
        if target != prediction or not prediction or prediction == (1,)
        else "targets of the prediction's shape must be one-hot, or rows of probabilities that sum to 1",
    )
    return None


def align_thresholds(draft: Draft) -> int | None:
    """Lay levels (N, …) along log-odds of thresholds (N, K - 1, …), or along the logits of the levels themselves.

    Returns:
        The number of levels K; None while the prediction is unknown, and after a refusal.
    """
    outputs = align_class_axis(draft)
    if outputs is None:
        return None
    if not has_an_output_per_level(draft.profile, outputs):
        return outputs + 1
    if draft.contract.prediction_space != "logits":
        draft.refuse(
            "one output per threshold between neighbouring levels",
            f"{outputs} outputs, as many as levels",
            f"give the model {outputs - 1} outputs, or use CORALLoss, which also reads one logit per level",
        )
        return None
    if draft.profile.prediction.space == "probabilities":
        draft.refuse(
            "one logit per level",
            "one probability per level",
            "return the raw outputs of the last layer, or use CrossEntropyLoss",
        )
        return None
    draft.change_prediction(
        "cumulative_logits", "the loss reads log-odds of thresholds, the model has a logit per level"
    )
    return outputs


def has_an_output_per_level(profile: DataProfile, outputs: int) -> bool:
    """Say whether the model gives ordered levels an output each, rather than one per threshold between them."""
    levels = profile.target.n_classes
    if levels in (outputs, outputs + 1):
        return levels == outputs
    return bool(profile.relation.labels_fit or profile.relation.labels_fit_shifted)


def column_count(draft: Draft) -> int | None:
    """Return how many columns a same-shape prediction has on axis 1; None while unknown."""
    prediction = draft.profile.prediction.shape_tail
    if prediction is not None:
        return prediction[0] if prediction else 1
    return draft.profile.target.n_columns


def _align_unknown(draft: Draft, target: Tail | None) -> int | None:
    """Assume a class axis at 1 unless the profile knows it without the whole shape."""
    facts = draft.profile
    if facts.relation.class_axis is None and facts.target.is_one_hot:
        _decode_one_hot(draft)
        return facts.prediction.n_outputs
    if target == (1,):
        draft.change_target("squeeze_last", "labels have no class axis; the trailing axis of 1 is dropped")
    axis = facts.relation.class_axis
    if axis is None:
        return None
    if axis != 1:
        draft.change_prediction(
            "move_class_axis", f"the classes stand on axis {axis}, the loss reads them on axis 1", **{"from": axis}
        )
    return facts.prediction.n_outputs


def _find_class_axis(target: Tail, prediction: Tail) -> tuple[str | None, int] | None:
    """Return the step on the target, if any, and the axis that the prediction has more."""
    variants: list[tuple[str | None, Tail]] = [(None, target)]
    if target[-1:] == (1,):
        variants.append(("squeeze_last", target[:-1]))
    if len(target) > 1 and target[0] == 1:
        variants.append(("squeeze_axis", target[1:]))
    for step, shape in variants:
        if len(prediction) != len(shape) + 1:
            continue
        axes = [1, len(prediction), *range(2, len(prediction))]
        for axis in axes:
            if prediction[: axis - 1] + prediction[axis:] == shape:
                return step, axis
    return None


def _decode_one_hot(draft: Draft) -> None:
    draft.change_target("one_hot_to_index", "every row has exactly one 1: its place is the class", axis=1)


def _align_axis_of_one(draft: Draft, target: Tail, wanted: Tail, outputs: str = "") -> None:
    if (*target, 1) == wanted:
        draft.change_target("unsqueeze_last", "the prediction has a trailing axis of 1, the target has none")
    elif target == (*wanted, 1):
        draft.change_target("squeeze_last", "the target has a trailing axis of 1, the prediction has none")
    elif (1, *target) == wanted:
        draft.change_target("unsqueeze_axis", "the prediction has a channel of 1, the target has none", axis=1)
    elif target == (1, *wanted):
        draft.change_target("squeeze_axis", "the target has a channel of 1, the prediction has none", axis=1)
    else:
        draft.refuse(
            " ".join(f"predictions {outputs} and targets of one shape".split()),
            f"predictions {_rows(draft.profile.prediction.shape_tail or ())} against targets {_rows(target)}",
            "torch could at best broadcast them; give one output per target value",
        )


def _need_outputs(draft: Draft, outputs: int | None) -> None:
    least = draft.contract.min_outputs
    if outputs is not None and outputs < least:
        draft.refuse(
            f"at least {least} outputs, one per class",
            f"{outputs}",
            "a softmax over one column is constant; give one output per class, or use BCEWithLogitsLoss",
        )


def _rows(tail: Tail) -> str:
    return f"(N{''.join(f', {size}' for size in tail)}{'' if tail else ','})"
