"""Declarations: documented, buildable by default, and serving what they say."""

from __future__ import annotations

import torch

from nebula.conformance.property import Property, expect, expect_finite
from nebula.conformance.subject import Subject

__all__ = ["PROPERTIES"]


def _documented(subject: Subject) -> None:
    entry = subject.entry
    for what in ("name", "family", "summary", "formula", "reference", "limits"):
        expect(bool(getattr(entry, what).strip()), f"a {what}", "none")
    for name, parameter in entry.params.model_fields.items():
        expect(bool(parameter.description), f"a description of the parameter `{name}`", "none")
    for given in subject.contract.extra_inputs:
        expect(bool(given.description), f"a description of the extra input `{given.name}`", "none")


def _whole(subject: Subject) -> None:
    entry, contract = subject.entry, subject.contract
    expect(contract in entry.contracts_for(subject.params), "the contract to hold under its own parameters", "not")
    fields = entry.params.model_fields
    offered = set(contract.reductions)
    expect("reduction" in fields or len(offered) == 1, "a parameter `reduction` to choose by", "none")
    expect(contract.supports_ignore_index <= ("ignore_index" in fields), "a parameter `ignore_index`", "none")


def _serves(subject: Subject) -> None:
    for functional in subject.entry.serves:
        criterion = subject.build(subject.spec(functional))
        raw = subject.sample(1, torch.float32).prediction
        answer = criterion.predict(raw)
        expect(answer.shape[0] == raw.shape[0], f"one {functional} a row", tuple(answer.shape))
        expect_finite(answer, f"the {functional}")


PROPERTIES = (
    Property("documented", "Everything a reader needs is written down.", _documented),
    Property("whole", "The contract fits the parameters and is complete.", _whole),
    Property("serves", "Every functional it serves is finite.", _serves, lambda subject: bool(subject.entry.serves)),
)
