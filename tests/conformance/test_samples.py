"""Samples are what the contract says, and the same for the same seed."""

from __future__ import annotations

import pytest
import torch

from nebula.conformance.sample import ROWS
from nebula.conformance.subject import Subject, subjects_of
from nebula.losses.catalogue import builtin_entries

SUBJECTS = [subject for entry in builtin_entries() for subject in subjects_of(entry)]
every_subject = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.id)


def test_every_loss_has_a_subject_under_a_name_of_its_own() -> None:
    assert len({subject.id for subject in SUBJECTS}) == len(SUBJECTS)
    assert {subject.entry.name for subject in SUBJECTS} == {e.name for e in builtin_entries() if not e.composed}


@every_subject
def test_targets_keep_to_the_contract(subject: Subject) -> None:
    contract = subject.contract
    for seed in range(5):
        sample = subject.sample(seed)
        target = sample.target.double()
        if contract.target_kind != "time_and_event":
            assert contract.target_interval.contains(target.min().item(), target.max().item())
        assert sample.target.is_floating_point() is (contract.target_dtype == "float")
        if contract.integer_valued and contract.target_kind != "time_and_event":
            assert (target == target.round()).all()
        assert set(sample.extra) == {given.name for given in contract.extra_inputs}


@every_subject
def test_axes_of_one_name_have_one_size(subject: Subject) -> None:
    sample, sizes = subject.sample(0), {"N": ROWS}
    for axes, tensor in zip(subject.contract.shapes, (sample.prediction, sample.target), strict=True):
        if "…" in axes or (subject.contract.layout == "levels" and tensor.ndim != len(axes)):
            continue
        assert tensor.ndim == len(axes)
        for name, size in zip(axes, tensor.shape, strict=True):
            assert sizes.setdefault(name, size) == size


@every_subject
def test_a_seed_gives_one_sample_and_rows_can_be_taken(subject: Subject) -> None:
    first, again, other = subject.sample(0), subject.sample(0), subject.sample(1)
    assert torch.equal(first.prediction, again.prediction)
    assert torch.equal(first.target, again.target)
    assert not torch.equal(first.prediction, other.prediction)
    taken = first.take(torch.tensor([2, 0]))
    axis = subject.contract.shapes[0].index("N")
    assert torch.equal(taken.prediction, first.prediction.index_select(axis, torch.tensor([2, 0])))
