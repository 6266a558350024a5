"""What an expert says of one answer."""

from __future__ import annotations

from typing import Literal

from nebula.bench.task import Labels

__all__ = ["Verdict", "judge"]

Verdict = Literal["preferred", "acceptable", "weak", "wrong", "ambiguous", "error"]


def judge(labels: Labels, loss: str, *, weighted: bool) -> Verdict:
    """Judge the loss that was named.

    Args:
        labels: The expert's lists.
        loss: Name of the loss.
        weighted: The loss carries class weights (`weight` or `pos_weight`).

    Returns:
        `weak` for a loss in no list: it computes, nobody would pick it.
    """
    forms = {loss, f"{loss}(weight)", f"{loss}(pos_weight)"} - ({loss} if weighted else set())
    plain = {loss}
    if forms & set(labels.preferred) if weighted else plain & set(labels.preferred):
        return "preferred"
    listed = set(labels.preferred) | set(labels.acceptable)
    if (forms | plain) & listed:
        return "acceptable"
    return "wrong" if loss in labels.unacceptable else "weak"
