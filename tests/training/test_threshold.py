"""The cut that serves a metric best, kept with the decision."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, f1_score
from torch import Tensor

from nebula import Nebula, PredictionSpec
from nebula.errors import ContractError, DecisionError
from nebula.training.threshold import tune_threshold

METRICS = {"balanced_accuracy": balanced_accuracy_score, "f1": f1_score}


def rare(n: int = 600, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    target = (torch.rand(n, generator=generator) < 0.1).long()
    return torch.randn(n, generator=generator) + 2.0 * target - 3.0, target


def decided(target: Tensor, outputs: int) -> Nebula:
    return Nebula().fit(target, prediction=PredictionSpec(shape=(None, outputs)))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("outputs", [1, 2])
def test_no_other_cut_on_the_data_is_much_better(metric: str, outputs: int) -> None:
    logit, target = rare()
    raw = logit[:, None] if outputs == 1 else torch.stack([torch.zeros_like(logit), logit], 1)
    criterion = decided(target, outputs)
    cut = tune_threshold(criterion, raw, target, metric)
    score: Any = METRICS[metric]
    served = score(target, criterion.predict(raw).flatten())
    every = [score(target, logit.sigmoid() >= at) for at in logit.sigmoid().unique()]
    assert served >= max(every) - 0.02
    assert served > score(target, logit > 0)
    assert 0 < cut < 1


def test_it_is_kept_with_the_decision() -> None:
    logit, target = rare()
    criterion = decided(target, 1)
    before = criterion(logit[:, None], target)
    cut = tune_threshold(criterion, logit[:, None], target)
    torch.testing.assert_close(criterion(logit[:, None], target), before)
    held = io.BytesIO()
    torch.save(criterion.state_dict(), held)
    held.seek(0)
    restored = Nebula()
    restored.load_state_dict(torch.load(held, weights_only=True))
    assert torch.equal(restored.predict(logit[:, None]), criterion.predict(logit[:, None]))
    assert restored.decision is not None
    assert any(f"predict cuts at {cut:.6g}" in note.text for note in restored.decision.trace.notes)


def test_the_users_labels_are_served() -> None:
    logit, target = rare()
    named = torch.where(target == 1, 7, 3)
    criterion = decided(named, 1)
    tune_threshold(criterion, logit[:, None], named)
    assert set(np.unique(criterion.predict(logit[:, None]))) == {3, 7}


def test_what_cannot_be_tuned_says_so() -> None:
    logit, target = rare()
    with pytest.raises(DecisionError, match="call fit"):
        tune_threshold(Nebula(), logit, target)
    with pytest.raises(ContractError, match="both classes"):
        tune_threshold(decided(target, 1), logit[:, None], torch.zeros(600))
    with pytest.raises(ContractError, match="both classes"):
        tune_threshold(decided(torch.arange(60) % 3, 3), torch.zeros(60, 3), torch.arange(60) % 3)
