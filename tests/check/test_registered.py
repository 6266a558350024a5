"""Every registered loss can be checked by its name, on whatever it is given."""

from __future__ import annotations

import contextlib

import pytest
import torch

from nebula.checking.run import check
from nebula.errors import NebulaError
from nebula.losses.catalogue import load_builtin
from nebula.losses.registry import entries

load_builtin()


@pytest.mark.parametrize("name", [entry.name for entry in entries()])
def test_a_registered_loss_gives_a_report_or_an_error_of_nebula(name: str) -> None:
    raw, labels = torch.randn(16, 4), torch.randint(0, 4, (16,))
    batches = (
        (raw, labels),
        (raw.softmax(1), labels),
        (raw, torch.rand(16, 4)),
        (raw, raw),
        (raw[:, 0], (raw[:, 1] > 0).float()),
    )
    for prediction, target in batches:
        with contextlib.suppress(NebulaError):
            assert all(finding.fix for finding in check(name, prediction, target).findings)
