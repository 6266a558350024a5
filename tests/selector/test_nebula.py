"""`Nebula` behaves like torch's own losses and keeps its decision."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.data import DataLoader, TensorDataset

import nebula
from nebula import Nebula, PredictionSpec
from nebula.audit.log import AuditLog
from nebula.errors import AmbiguousDecision, DataError, DecisionError


def labels(n: int = 120, k: int = 3) -> Tensor:
    return torch.arange(n) % k


def logits(n: int = 120, k: int = 3) -> Tensor:
    return torch.randn(n, k, generator=torch.Generator().manual_seed(0))


def fitted(**options: Any) -> Nebula:
    return Nebula.from_policy("default.yaml", **options).fit(labels(), prediction=PredictionSpec(shape=(None, 3)))


def test_it_is_the_plain_torch_loss_once_decided() -> None:
    torch.testing.assert_close(fitted()(logits(), labels()), nn.CrossEntropyLoss()(logits(), labels()))


def test_the_papers_names() -> None:
    criterion = Nebula()
    assert criterion.loss_function is None
    assert criterion.decision is None
    criterion.determine_loss_function(logits(), labels())
    assert criterion.decision is not None
    assert criterion.loss_function is not None
    torch.testing.assert_close(criterion.compute_loss(logits(), labels()), criterion.loss_function(logits(), labels()))
    assert isinstance(criterion, nebula.LossFunction)


class _Operations(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


def test_a_decided_call_runs_only_the_loss() -> None:
    criterion, raw, prediction, target = fitted(), nn.CrossEntropyLoss(), logits(), labels()
    with _Operations() as ours:
        criterion(prediction, target)
    with _Operations() as theirs:
        raw(prediction, target)
    assert ours.names == theirs.names


def test_fit_sees_every_batch_and_the_model() -> None:
    inputs = torch.randn(120, 4)
    model = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5), nn.BatchNorm1d(3))
    before = copy.deepcopy(model.state_dict())
    loader = DataLoader(TensorDataset(inputs, labels()), batch_size=16)
    criterion = Nebula().fit(loader, model)
    assert criterion.decision is not None
    evidence = criterion.decision.trace.profile.evidence
    assert (evidence.rows_seen, evidence.batches, evidence.complete) == (120, 8, True)
    assert criterion.decision.trace.profile.prediction.n_outputs == 3
    assert model.training
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name])
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_first_use_is_provisional_and_then_locked(caplog: pytest.LogCaptureFixture) -> None:
    criterion = Nebula()
    with caplog.at_level("WARNING", logger="nebula"):
        criterion(logits(30), labels(30))
    assert criterion.decision is not None
    assert criterion.decision.status == "provisional"
    assert "call fit()" in caplog.text
    chosen = criterion.loss_function
    criterion(logits(30), torch.zeros(30, dtype=torch.long))
    assert criterion.loss_function is chosen


def test_several_data_sets_in_one_object() -> None:
    criterion = Nebula()
    criterion.fit(labels(), prediction=PredictionSpec(shape=(None, 3)), dataset="species")
    criterion.fit(torch.randn(200), prediction=PredictionSpec(shape=(None, 1)), dataset="height")
    assert {name: d.task for name, d in criterion.decisions.items()} == {
        "species": "multiclass",
        "height": "regression",
    }
    torch.testing.assert_close(criterion(torch.zeros(5, 1), torch.ones(5), "height"), torch.tensor(1.0))
    with pytest.raises(DecisionError, match="expected one of"):
        criterion.explain("weight")
    with pytest.raises(DecisionError, match="expected one of"):
        criterion.explain()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))], ids=["deepcopy", "pickle"])
def test_copies_decide_the_same(copied: Any) -> None:
    criterion = fitted(hints={"weights": "balanced"})
    twin = copied(criterion)
    assert twin.decision.trace.canonical_json() == criterion.decision.trace.canonical_json()
    assert twin.policy.digest == criterion.policy.digest
    torch.testing.assert_close(twin(logits(), labels()), criterion(logits(), labels()))
    twin.fit(torch.randn(200), prediction=PredictionSpec(shape=(None, 1)), dataset="other")
    assert list(criterion.decisions) == [None]


def test_a_state_dict_restores_the_decision_without_data(tmp_path: Path) -> None:
    criterion = fitted(hints={"weights": "balanced"})
    torch.save({"model": nn.Linear(2, 2).state_dict(), "loss": criterion.state_dict()}, tmp_path / "checkpoint.pt")
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    restored = Nebula()
    restored.load_state_dict(state["loss"])
    assert restored.decision is not None
    assert criterion.decision is not None
    assert restored.decision.trace.to_json() == criterion.decision.trace.to_json()
    torch.testing.assert_close(restored(logits(), labels()), criterion(logits(), labels()))


def test_weights_are_buffers_and_nothing_learns() -> None:
    uneven = torch.cat([torch.zeros(90), torch.ones(20), torch.full((10,), 2.0)]).long()
    criterion = Nebula(hints={"weights": "balanced"}).fit(uneven, prediction=PredictionSpec(shape=(None, 3)))
    buffers = [buffer for _, buffer in criterion.named_buffers()]
    assert any(torch.allclose(b, torch.tensor([120 / 270, 2.0, 4.0])) for b in buffers)
    assert list(criterion.parameters()) == []
    assert all(buffer.device.type == "meta" for _, buffer in criterion.to("meta").named_buffers())


def test_train_and_eval_do_not_matter() -> None:
    criterion = fitted()
    torch.testing.assert_close(criterion.train()(logits(), labels()), criterion.eval()(logits(), labels()))


def test_output_bias_and_serving() -> None:
    counts = torch.poisson(torch.full((2000,), 3.0), generator=torch.Generator().manual_seed(0))
    criterion = Nebula().fit(counts, prediction=PredictionSpec(shape=(None, 1)))
    layer = nn.Linear(4, 1)
    nn.init.zeros_(layer.weight)
    criterion.init_output_bias(layer)
    served = criterion.predict(layer(torch.randn(6, 4)))
    torch.testing.assert_close(served, counts.mean().expand_as(served), rtol=1e-4, atol=1e-4)


def test_caches_hit_on_content(tmp_path: Path) -> None:
    criterion, shape = Nebula(audit=tmp_path / "traces.jsonl"), PredictionSpec(shape=(None, 3))
    base = labels()
    wide = torch.stack([base, base], dim=1)
    for target in (base, base.clone(), wide[:, 0]):
        criterion.fit(target, prediction=shape)
    changed = base.clone()
    changed[0] = 1
    criterion.fit(changed, prediction=shape)
    uses = [(t.cache.target, t.cache.decision) for t in AuditLog(tmp_path / "traces.jsonl").read()]
    assert uses == [("miss", "miss"), ("hit", "hit"), ("hit", "hit"), ("miss", "miss")]
    criterion.fit(base, prediction=PredictionSpec(shape=(None, 4)))
    assert criterion.decision is not None
    assert criterion.decision.trace.cache.model_dump() == {"target": "hit", "decision": "miss"}


def test_hints_and_policies_do_not_share_entries() -> None:
    cache, shape = nebula.decision.cache.DecisionCache(), PredictionSpec(shape=(None, 1))
    target = torch.randn(300)
    plain = Nebula(cache=cache).fit(target, prediction=shape)
    absolute = Nebula(cache=cache, hints={"metric": "mae"}).fit(target, prediction=shape)
    paper = Nebula("paper.yaml", cache=cache).fit(target, prediction=shape)
    light = Nebula(cache=cache, parameters={"heavy_kurtosis": -3.0}).fit(target, prediction=shape)
    chosen = [c.decision.spec.loss for c in (plain, absolute, paper, light) if c.decision and c.decision.spec]
    assert chosen == ["MSELoss", "L1Loss", "MSELoss", "HuberLoss"]
    assert cache.decisions.info().hits == 0


def test_strict_asks_instead_of_guessing() -> None:
    with pytest.raises(AmbiguousDecision, match=r"declare hints\.task"):
        Nebula("strict.yaml").fit(labels())


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: Nebula().explain(), DecisionError, "call fit"),
        (lambda: Nebula().predict(torch.zeros(2)), DecisionError, "call fit"),
        (lambda: Nebula().fit(torch.zeros(3, dtype=torch.complex64)), DataError, "complex"),
        (lambda: Nebula().fit(torch.zeros(0)), nebula.errors.NoRuleFits, "no finite value"),
        (lambda: Nebula(hints={"taks": "count"}), nebula.errors.HintError, "Did you mean `task`"),
        (lambda: Nebula("defualt.yaml"), nebula.errors.PolicyError, "default.yaml"),
        (lambda: Nebula(parameters={"imbalance_ration": 1.0}), nebula.errors.PolicyError, "imbalance_ratio"),
    ],
    ids=["explain", "predict", "complex", "empty", "hint", "policy", "parameter"],
)
def test_misuse_has_one_clear_sentence(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_the_audit_file_holds_what_was_decided(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "traces.jsonl"
    criterion = fitted(audit=path)
    (trace,) = AuditLog(path).read()
    assert criterion.decision is not None
    assert trace == criterion.decision.trace
    assert json.loads(path.read_text())["trace"]["rule_id"] == "multiclass"
