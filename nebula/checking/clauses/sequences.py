"""Lengths and labels of CTCLoss, which torch does not check: NEB-C011, NEB-C060 to NEB-C063."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from nebula.checking.case import Case, found, number, shape_of
from nebula.checking.report import Finding

__all__ = ["check_sequences"]


def check_sequences(case: Case) -> Iterator[Finding]:
    """Find lengths and labels for which CTCLoss is infinite, or reads memory that is not its own."""
    if case.name != "CTCLoss" or case.prediction.numel() == 0:
        return
    p, t = case.prediction, case.target
    inputs, targets = case.tensors["input_lengths"], case.tensors["target_lengths"]
    problem = _layout(p, t, inputs) or _lengths(p, t, inputs, targets)
    if problem is None:
        rows = _rows(t, targets)
        problem = _labels(case, p, rows) or _too_long(case, inputs, rows)
    if problem is not None:
        yield problem


def _layout(p: Tensor, t: Tensor, inputs: Tensor) -> Finding | None:
    if p.ndim not in (2, 3) or t.ndim not in (1, 2) or inputs.is_floating_point() or t.is_floating_point():
        return found(
            "NEB-C060",
            "error",
            f"CTCLoss expected log-probabilities (T, N, C), labels (N, S) and whole lengths, found {shape_of(p)}, "
            f"{t.dtype} {shape_of(t)} and {inputs.dtype} {shape_of(inputs)}.",
            "torch takes floating labels too, rounds them, and reads where it should not.",
            "target, input_lengths, target_lengths = target.long(), input_lengths.long(), target_lengths.long()",
        )
    if p.ndim == 3 and inputs.numel() == p.shape[0] != p.shape[1] and int(inputs.max()) <= p.shape[1]:
        return found(
            "NEB-C011",
            "error",
            f"expected log-probabilities (T, N, C), found {shape_of(p)} and {inputs.numel()} lengths: batch first.",
            "time and batch are exchanged: the call fails, or with N = T aligns the wrong sequences.",
            "prediction = prediction.transpose(0, 1)",
        )
    return None


def _lengths(p: Tensor, t: Tensor, inputs: Tensor, targets: Tensor) -> Finding | None:
    rows = p.shape[1] if p.ndim == 3 else 1
    room = int(targets.sum()) if t.ndim == 1 and p.ndim == 3 else t.shape[-1]
    fix = f"input_lengths = torch.full(({rows},), {p.shape[0]})"
    if inputs.numel() != rows or targets.numel() != rows:
        said, fix = f"{inputs.numel()} and {targets.numel()} lengths for {rows} sequences", _both_lengths(p, t, rows)
    elif t.ndim == 2 and len(t) != rows:
        said, fix = (
            f"{len(t)} rows of labels for {rows} sequences",
            f"target = target[:{rows}]  # one row of labels a sequence",
        )
    elif not bool(((inputs >= 0) & (inputs <= p.shape[0])).all()):
        said = f"an input length of {int(inputs.max())} for {p.shape[0]} steps"
    elif bool((targets < 0).any()) or (t.ndim == 2 and int(targets.max()) > t.shape[1]):
        said, fix = f"a target length of {int(targets.max())} for {t.shape[-1]} labels", _both_lengths(p, t, rows)
    elif t.ndim == 1 and room != len(t):
        said, fix = f"target lengths that sum to {room} for {len(t)} labels", "target = target[: target_lengths.sum()]"
    else:
        return None
    return found(
        "NEB-C060",
        "error",
        f"CTCLoss expected one length a sequence, none beyond its data, found {said}.",
        "the call fails, or reads beyond the data; it was not run.",
        fix,
    )


def _both_lengths(p: Tensor, t: Tensor, rows: int) -> str:
    size = t.shape[-1] if t.ndim == 2 else len(t) // max(rows, 1)
    return f"input_lengths, target_lengths = torch.full(({rows},), {p.shape[0]}), torch.full(({rows},), {size})"


def _rows(t: Tensor, targets: Tensor) -> list[Tensor]:
    lengths = [int(length) for length in targets.flatten()]
    if t.ndim == 2:
        return [row[:length].long() for row, length in zip(t, lengths, strict=True)]
    return [part.long() for part in t[: sum(lengths)].tensor_split(torch.tensor(lengths).cumsum(0)[:-1])]


def _labels(case: Case, p: Tensor, rows: list[Tensor]) -> Finding | None:
    labels = torch.cat(rows) if rows else torch.zeros(0, dtype=torch.long)
    outputs, blank = p.shape[-1], int(case.subject.option("blank", 0))
    outside = (labels < 0) | (labels >= outputs)
    if bool(outside.any()):
        return found(
            "NEB-C063",
            "error",
            f"CTCLoss expected labels below {outputs}, found {int(labels[outside][0])} in {int(outside.sum())} of "
            f"{labels.numel()}.",
            "torch does not check: on a CPU it reads, and in the backward pass writes, memory that is not its own; "
            "it was not run.",
            f"target = target.clamp(0, {outputs - 1})  # better: give the last layer {int(labels.max()) + 1} outputs",
        )
    share = float((labels == blank).double().mean()) if labels.numel() else 0.0
    if share:
        blank_last = bool((labels < outputs - 1).all()) and blank == 0
        return found(
            "NEB-C062",
            "error",
            f"CTCLoss expected labels other than the blank {blank}, found it in {share:.0%} of them.",
            f"the blank stands for no label, so these cannot be emitted: loss {number(case.value())}.",
            case.subject.rewritten(blank=outputs - 1)
            if blank_last
            else f"prediction = F.pad(prediction, (0, 1), value=-30.0); {case.subject.rewritten(blank=outputs)}",
        )
    return None


def _too_long(case: Case, inputs: Tensor, rows: list[Tensor]) -> Finding | None:
    needed = [len(row) + int((row[1:] == row[:-1]).sum()) for row in rows]
    short = [length for length, need in zip(inputs.flatten().tolist(), needed, strict=True) if length < need]
    if not short:
        return None
    zeroed = bool(case.subject.option("zero_infinity"))
    return found(
        "NEB-C061",
        "warning" if zeroed else "error",
        f"CTCLoss expected inputs at least as long as their labels, with a blank between repeats, found "
        f"{len(short)} of {len(rows)} too short (such as {short[0]} steps).",
        "they are left out and nothing is learnt from them."
        if zeroed
        else f"the loss is {number(case.value())} and the gradient NaN.",
        "keep = torch.tensor([n >= len(t) + int((t[1:] == t[:-1]).sum()) for n, t in "
        "zip(input_lengths, (r[:k] for r, k in zip(target, target_lengths)))]); "
        "prediction, target, input_lengths, target_lengths = "
        "prediction[:, keep], target[keep], input_lengths[keep], target_lengths[keep]"
        "  # or fewer strides in the model",
    )
