"""Accelerate's own loop: decided on the prepared loader, kept in its checkpoints."""

from __future__ import annotations

from pathlib import Path

import torch
from accelerate import Accelerator

import nebula
from nebula.integrations.accelerate import fit_criterion
from tests.integrations.networks import Network, counts, loader, undecided


def started() -> tuple[Accelerator, Network, torch.optim.Optimizer, object, nebula.Nebula]:
    accelerator = Accelerator(cpu=True)
    model = Network()
    parts = accelerator.prepare(model, torch.optim.SGD(model.parameters(), lr=0.01), loader())
    criterion = undecided()
    accelerator.register_for_checkpointing(criterion)
    return accelerator, *parts, criterion


def test_a_loop_trains_and_a_resumed_one_keeps_its_decision(tmp_path: Path) -> None:
    accelerator, model, optimizer, batches, criterion = started()
    fit_criterion(accelerator, criterion, batches, model)
    assert criterion.decision is not None
    constant = criterion.predict(model.layers[-1].bias.detach())
    torch.testing.assert_close(constant, counts()[1].mean().reshape(1), rtol=1e-4, atol=1e-4)
    first = []
    for inputs, target in batches:
        loss = criterion(model(inputs), target)
        accelerator.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
        first.append(float(loss.detach()))
    assert len(first) == 3
    accelerator.save_state(str(tmp_path))

    again, other, _, rows, resumed = started()
    again.load_state(str(tmp_path))
    fit_criterion(again, resumed, rows, other)
    assert resumed.decision is not None
    assert resumed.decision.trace == criterion.decision.trace
    torch.testing.assert_close(other.layers[-1].bias, model.layers[-1].bias)  # and not the constant predictor again
