"""The layer that the raw output comes from is found; where there is none, nothing is set."""

from __future__ import annotations

import torch
from torch import nn

from nebula.integrations.output_layer import see_output, start_at_constant
from tests.integrations.networks import Network, counts, undecided


class Squeezed(Network):
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return super().forward(inputs).squeeze(-1)


class Positive(Network):
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return super().forward(inputs).exp()


def test_a_view_of_the_layer_is_the_layers_output() -> None:
    inputs, _ = counts()
    for kind in (Network, Squeezed):
        model = kind().train()
        layer = see_output(lambda model=model: model(inputs), model).layer
        assert layer is model.layers[-1]
        assert model.training
        assert not any(module._forward_hooks for module in model.modules())


def test_the_last_layer_made_is_not_taken_for_the_last_one_run() -> None:
    model = nn.ModuleDict({"head": nn.Linear(8, 1), "body": nn.Linear(4, 8)})
    assert see_output(lambda: model["head"](model["body"](counts()[0])), model).layer is model["head"]


def test_an_activation_after_the_layer_leaves_the_bias_alone() -> None:
    inputs, target = counts()
    model = Positive()
    criterion = undecided().fit((inputs, target), model)
    before = model.layers[-1].bias.clone()
    assert not start_at_constant(criterion, see_output(lambda: model(inputs), model).layer)
    assert torch.equal(model.layers[-1].bias, before)


def test_the_bias_starts_at_the_constant_predictor() -> None:
    inputs, target = counts()
    model = Squeezed()
    criterion = undecided().fit((inputs, target), model)
    assert start_at_constant(criterion, see_output(lambda: model(inputs), model).layer)
    constant = criterion.predict(model.layers[-1].bias.detach())
    torch.testing.assert_close(constant, target.mean().reshape(1), rtol=1e-4, atol=1e-4)
