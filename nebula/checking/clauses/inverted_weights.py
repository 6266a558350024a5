"""Weights that follow how common a class is, where they should run against it: NEB-C019."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from nebula.checking.case import Case, found, number
from nebula.checking.clauses.class_axis import class_dim, reads_probabilities
from nebula.checking.clauses.labels import counted
from nebula.checking.report import Finding

__all__ = ["check_inverted_weights"]

_FEWEST = 24
_FEWEST_OF_A_CLASS = 3
_NEAR = math.log(2.0)
"""How far a weight may be from its class's count, as a factor."""
_APART = math.log(3.0)
"""Weights that differ by less than this factor do little either way."""


def check_inverted_weights(case: Case) -> Iterator[Finding]:
    """Find class weights that are the counts themselves, and a `pos_weight` of positives per negative."""
    yield from _class_weights(case)
    yield from _positive_weights(case)


def _class_weights(case: Case) -> Iterator[Finding]:
    weight = case.subject.option("weight")
    if not isinstance(weight, Tensor) or case.subject.traits.layout != "class_axis" or reads_probabilities(case):
        return
    labels = case.target[counted(case)].long()
    if len(labels) < _FEWEST or weight.numel() != case.prediction.shape[class_dim(case.prediction)]:
        return
    counts = torch.bincount(labels, minlength=weight.numel()).double()
    seen = (counts >= _FEWEST_OF_A_CLASS) & (weight.reshape(-1) > 0)
    if int(seen.sum()) < 2:
        return
    logs = weight.reshape(-1).double()[seen].log()
    offsets = logs - counts[seen].log()
    if float(logs.max() - logs.min()) < _APART or float((offsets - offsets.mean()).abs().max()) > _NEAR:
        return
    yield found(
        "NEB-C019",
        "warning",
        "expected `weight` to be larger for rarer classes, found weights in proportion to the classes' counts.",
        f"a class with {number(float(counts[seen].max()))} rows outweighs one with {number(float(counts[seen].min()))} "
        f"once by its rows and once more by its weight; the loss is {number(case.value())}.",
        case.subject.rewritten().replace("weight=loss.weight", "weight=1 / loss.weight"),
    )


def _positive_weights(case: Case) -> Iterator[Finding]:
    weight = case.subject.option("pos_weight")
    target = case.target
    if not isinstance(weight, Tensor) or target.ndim == 0 or bool(((target != 0) & (target != 1)).any()):
        return
    columns = target.double().reshape(-1, 1) if weight.numel() == 1 else target.double()
    if columns.ndim != 2 or len(columns) < _FEWEST or weight.shape not in (torch.Size([]), columns.shape[1:]):
        return
    positives = columns.sum(0)
    negatives = len(columns) - positives
    weights = weight.double().reshape(-1).expand(columns.shape[1])
    seen = (positives >= _FEWEST_OF_A_CLASS) & (negatives >= _FEWEST_OF_A_CLASS) & (weights > 0)
    if not bool(seen.any()):
        return
    odds = (positives / negatives)[seen].log()
    if float((weights[seen].log() - odds).abs().max()) > _NEAR or float(odds.abs().median()) < _APART:
        return
    yield found(
        "NEB-C019",
        "warning",
        "expected `pos_weight` to be negatives / positives, found about positives / negatives, "
        f"{number(float(weights[seen][0]))} where {number(float(positives[seen][0]))} of {len(columns)} are positive.",
        f"the rarer answer is pushed down twice; the loss is {number(case.value())}.",
        case.subject.rewritten().replace("pos_weight=loss.pos_weight", "pos_weight=1 / loss.pos_weight"),
    )
