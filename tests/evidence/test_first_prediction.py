"""A model that is asked once is left as it was, module by module."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nebula.errors import DecisionError
from nebula.evidence.first_prediction import predict_first


def frozen() -> nn.Sequential:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))
    model.train()
    model[1].eval()
    return model


def test_frozen_parts_stay_frozen_and_no_buffer_moves() -> None:
    model = frozen()
    modes = [part.training for part in model.modules()]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert predict_first(model, torch.randn(5, 3)).shape == (5, 2)
    assert [part.training for part in model.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_model_that_fails_is_left_as_it_was_too() -> None:
    model = frozen()
    modes = [part.training for part in model.modules()]
    with pytest.raises(RuntimeError):
        predict_first(model, torch.randn(5, 7))
    assert [part.training for part in model.modules()] == modes


def test_what_is_no_tensor_is_told() -> None:
    class Pair(nn.Module):
        def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return inputs, inputs

    with pytest.raises(DecisionError):
        predict_first(Pair(), torch.randn(2, 2))
