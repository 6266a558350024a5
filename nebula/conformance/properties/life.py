"""Life as a module: written down, copied, moved, learned, compiled."""

from __future__ import annotations

import copy
import pickle
import warnings

import torch

from nebula.conformance.property import Nonconformity, Property, expect, expect_close
from nebula.conformance.subject import Subject
from nebula.losses.criterion import Criterion
from nebula.losses.spec import LossSpec

__all__ = ["PROPERTIES"]


def _same_value(subject: Subject, criterion: Criterion, other: Criterion, what: str) -> None:
    sample = subject.sample(1)
    wanted = criterion(sample.prediction, sample.target, **sample.extra)
    expect_close(other(sample.prediction, sample.target, **sample.extra), wanted, f"the loss of {what}", rtol=0, atol=0)


def _spec_and_back(subject: Subject) -> None:
    criterion = subject.criterion()
    spec = LossSpec.model_validate_json(criterion.spec.model_dump_json())
    expect(spec == criterion.spec, "the spec to survive JSON", spec)
    _same_value(subject, criterion, subject.build(spec), "the module built from the written spec")


def _copies(subject: Subject) -> None:
    criterion = subject.criterion()
    twin = copy.deepcopy(criterion)
    expect(twin.spec == criterion.spec, "a copy with the same spec", twin.spec)
    _same_value(subject, criterion, twin, "a deep copy")
    try:
        pickle.dumps(criterion)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise Nonconformity(f"expected a criterion that can be pickled, found {error}.") from error


def _state(subject: Subject) -> None:
    criterion, learnable = subject.criterion(), subject.contract.learnable
    state, kept = criterion.state_dict(), learnable or subject.contract.stateful
    expect(kept == bool(state), "an empty state dict, the spec being the state" if not kept else "a state", list(state))
    expect(learnable == bool(list(criterion.parameters())), f"learnable={learnable} as declared", "otherwise")
    other = subject.criterion()
    other.load_state_dict(state)
    _same_value(subject, criterion, other, "a module with the same state")


def _learns(subject: Subject) -> None:
    criterion, sample = subject.criterion(), subject.sample(2)
    criterion(sample.prediction, sample.target, **sample.extra).backward()
    for name, parameter in criterion.named_parameters():
        expect(parameter.grad is not None, f"a gradient for the parameter {name}", "none")


def _moves(subject: Subject) -> None:
    """Run on the meta device: whatever reads a value of a tensor fails there, as it waits on a GPU."""
    criterion, sample = subject.criterion().to("meta"), subject.sample(3, torch.float32).to("meta")
    value = criterion(sample.prediction, sample.target, **sample.extra)
    expect(value.device.type == "meta", "a loss on the device of its inputs", value.device)


def _compiles(subject: Subject) -> None:
    sample, criterion = subject.sample(4, torch.float32).requiring_grad(), subject.criterion()
    torch.compiler.reset()
    compiled = torch.compile(criterion, fullgraph=True, backend="eager")
    wanted = criterion(sample.prediction, sample.target, **sample.extra)
    with warnings.catch_warnings():
        # the compiler makes an instance of an autograd function while it traces, and warns of itself
        warnings.filterwarnings("ignore", "<class 'torch.autograd.function.Function'>", DeprecationWarning)
        found = compiled(sample.prediction, sample.target, **sample.extra)
    expect_close(found, wanted, "the compiled loss", rtol=1e-5, atol=1e-6)
    found.backward()
    torch.compiler.reset()


def _in_one_graph(subject: Subject) -> bool:
    return subject.contract.compiles


PROPERTIES = (
    Property("spec_and_back", "A spec survives JSON and builds the same module.", _spec_and_back),
    Property("copies", "Deep copies compute the same, and the module can be pickled.", _copies),
    Property("state", "It has parameters and a state exactly if it is declared learnable.", _state),
    Property(
        "learns", "Every parameter of its own gets a gradient.", _learns, lambda subject: subject.contract.learnable
    ),
    Property("moves", "It runs on another device without reading a value.", _moves, _in_one_graph),
    Property("compiles", "torch.compile takes it as one graph.", _compiles, _in_one_graph),
)
