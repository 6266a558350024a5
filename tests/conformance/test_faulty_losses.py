"""The suite notices every planted fault, and passes the loss that has none."""

from __future__ import annotations

import pytest

from nebula.conformance.suite import PROPERTIES, broken
from nebula.losses.registry import LossEntry
from tests.conformance.faulty_losses import FAULTS, sound

# The criterion's own work, which no loss can undo.
UNBREAKABLE = {
    "half_precision_is_upcast",
    "refuses_other_extras",
    "refuses_other_weights",
    "refuses_unknown_params",
    "spec_and_back",
    "weights_are_refused",
    "weights_multiply",
}


def test_a_sound_loss_conforms() -> None:
    assert broken(sound()) == {}


@pytest.mark.parametrize(("name", "entry"), FAULTS, ids=[f"{name}-{number}" for number, (name, _) in enumerate(FAULTS)])
def test_a_planted_fault_is_noticed(name: str, entry: LossEntry) -> None:
    assert f"SoundLoss-{name}" in broken(entry)


def test_every_property_has_a_planted_fault() -> None:
    names = [item.name for item in PROPERTIES]
    assert len(set(names)) == len(names)
    assert set(names) - UNBREAKABLE == {name for name, _ in FAULTS}
