"""Prediction space: which steps turn what the model emits into what the loss reads."""

from __future__ import annotations

from collections.abc import Callable

from nebula.losses.draft import Draft
from nebula.losses.spec import Link
from nebula.profiling.model import PredictionSpace

__all__ = ["FLOAT32_TINY", "LOGIT_EPS", "VARIANCE_FLOOR", "adapt_space"]

# The smallest normal float32: the logarithm below it would be of a denormal or of 0.
FLOAT32_TINY = 1.1754943508222875e-38
# The float32 spacing just below 1: logits stay within ±16.
LOGIT_EPS = 5.9604644775390625e-08
# torch's own floor of a Gaussian's variance.
VARIANCE_FLOOR = 1e-6


def adapt_space(draft: Draft, link: Link) -> None:
    """Append the steps on the prediction's values, or refuse a space from which there is no way."""
    space = draft.profile.prediction.space or "unknown"
    _SPACES[draft.contract.prediction_space](draft, link, space)


def _raw(draft: Draft, link: Link, space: PredictionSpace) -> None:
    if draft.contract.layout == "mean_and_variance":
        if link != "identity":
            draft.refuse("link identity for the mean", f"link {link}", "leave the link out")
        draft.change_prediction(
            "split_mean_variance", "the second output becomes a variance above 0 by softplus", floor=VARIANCE_FLOOR
        )
        return
    if draft.contract.layout == "parameters":
        _need_link(draft, link, ("identity",))
        return
    linked = {"probabilities": ("sigmoid", "softmax"), "rate": ("exp", "softplus")}
    if link != "identity" and link not in linked.get(space, ()):
        draft.change_prediction("apply_link", f"the quantity is {link} of the raw output", link=link)


def _logits(draft: Draft, link: Link, space: PredictionSpace) -> None:
    softmax = draft.contract.target_kind in ("class_index", "class_probabilities", "label_sequence")
    _need_link(draft, link, ("softmax", "identity") if softmax else ("sigmoid", "identity"))
    if space == "probabilities" and softmax:
        draft.change_prediction(
            "log_of_probabilities", "the model emits probabilities; their logarithm is a logit", floor=FLOAT32_TINY
        )
    elif space == "probabilities":
        draft.change_prediction(
            "logit_of_probabilities", "the model emits probabilities, the loss reads logits", eps=LOGIT_EPS
        )
    elif space == "rate" or (space == "log_probabilities" and not softmax):
        _refuse_space(draft, "logits", space)


def _log_probabilities(draft: Draft, link: Link, space: PredictionSpace) -> None:
    _need_link(draft, link, ("softmax", "identity"))
    if space == "probabilities":
        draft.change_prediction(
            "log_of_probabilities", "the model emits probabilities, the loss reads their logarithm", floor=FLOAT32_TINY
        )
    elif space == "rate":
        _refuse_space(draft, "logits or probabilities", space)
    elif space != "log_probabilities":
        draft.change_prediction("log_softmax", "the loss reads log-probabilities, the model emits logits", axis=1)


def _rate(draft: Draft, link: Link, space: PredictionSpace) -> None:
    if space in ("probabilities", "log_probabilities"):
        _refuse_space(draft, "rates, or raw outputs for the link", space)
    elif space == "rate":
        draft.change_prediction("apply_link", "the model emits rates already", link="identity")
    else:
        _need_link(draft, link, ("exp", "softplus", "identity"))
        draft.change_prediction("apply_link", f"the rate is {link} of the raw output", link=link)


def _log_rate(draft: Draft, link: Link, space: PredictionSpace) -> None:
    if space in ("probabilities", "log_probabilities") or (space == "rate" and draft.contract.layout == "parameters"):
        _refuse_space(draft, "log rates", space)
    elif space == "rate":
        draft.change_prediction(
            "log_of_rate", "the model emits rates, the loss reads their logarithm", floor=FLOAT32_TINY
        )
    else:
        _need_link(draft, link, ("exp", "identity"))


def _need_link(draft: Draft, link: Link, allowed: tuple[Link, ...]) -> None:
    if link not in allowed:
        draft.refuse(
            f"link {' or '.join(allowed)} with predictions read as {draft.contract.prediction_space}",
            f"link {link}",
            "set log_input to false to use another link"
            if draft.contract.prediction_space == "log_rate"
            else "leave the link out",
        )


def _refuse_space(draft: Draft, expected: str, space: PredictionSpace) -> None:
    draft.refuse(expected, f"predictions that are {space}", "return the raw outputs of the last layer")


def _as_is(draft: Draft, link: Link, space: PredictionSpace) -> None:
    """Read outputs that no declared space can be turned into: hazards, embeddings, energies, scores."""
    if space in ("probabilities", "log_probabilities", "rate"):
        _refuse_space(draft, draft.contract.prediction_space.replace("_", " ") + "s", space)
    _need_link(draft, link, ("identity",))


_SPACES: dict[str, Callable[[Draft, Link, PredictionSpace], None]] = {
    "raw": _raw,
    "logits": _logits,
    "log_probabilities": _log_probabilities,
    "rate": _rate,
    "log_rate": _log_rate,
    **dict.fromkeys(("log_hazard", "embedding", "energy", "score"), _as_is),
}
