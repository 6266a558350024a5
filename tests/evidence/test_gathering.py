"""A loader is read until the evidence suffices, or to the stated budget, and says so."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

import nebula
from nebula import Nebula, PredictionSpec
from nebula.errors import DataError
from nebula.evidence.budget import Budget
from nebula.evidence.gathering import gather
from nebula.profiling.hints import Hints
from nebula.profiling.loaders import LoaderTargets

ROWS = 40_000


def labels(n: int = ROWS, seed: int = 0) -> Tensor:
    return torch.randint(0, 5, (n,), generator=torch.Generator().manual_seed(seed))


def loader(target: Tensor, rows: int = 64) -> DataLoader[Any]:
    return DataLoader(TensorDataset(torch.zeros(len(target), 2), target), batch_size=rows)


def fitted(data: Any, outputs: int = 5, **options: Any) -> nebula.Decision:
    decision = Nebula().fit(data, prediction=PredictionSpec(shape=(None, outputs)), **options).decision
    assert decision is not None
    return decision


def test_without_a_budget_all_of_it_is_read() -> None:
    decision = fitted(loader(labels(5000)))
    assert decision.status == "decided"
    assert decision.trace.profile.evidence.rows_seen == 5000


def test_enough_evidence_ends_the_reading_and_the_trace_says_so() -> None:
    decision = fitted(loader(labels()), budget=Budget())
    evidence = decision.trace.profile.evidence
    assert decision.status == "provisional"
    assert (evidence.rows_total, evidence.complete) == (ROWS, False)
    assert evidence.rows_seen is not None
    assert 4096 <= evidence.rows_seen < ROWS / 2
    assert any(
        f"decided on {evidence.rows_seen} of {ROWS} rows: the evidence suffices" in n.text for n in decision.trace.notes
    )
    assert decision.rule_id == fitted(labels()).rule_id


def test_sorted_rows_are_read_to_the_end() -> None:
    decision = fitted(loader(labels().sort().values), budget=Budget())
    assert decision.trace.profile.evidence.complete
    assert decision.trace.profile.target == nebula.profile(labels().sort().values).target


ABOVE_HALF = """
apiVersion: nebula/v1
name: above-half
version: 1.0.0
select:
  - {id: high, when: target.mean > 0.5, use: {loss: L1Loss}, because: Above.}
otherwise: {use: {loss: MSELoss}, because: Below.}
"""


def test_a_fact_near_its_threshold_asks_for_more_rows(tmp_path: Path) -> None:
    (tmp_path / "half.yaml").write_text(ABOVE_HALF, encoding="utf-8")
    noise = torch.randn(ROWS, generator=torch.Generator().manual_seed(1))
    seen = []
    for mean in (0.0, 0.49):
        criterion = Nebula(tmp_path / "half.yaml").fit(loader(noise + mean), budget=Budget())
        assert criterion.decision is not None
        assert criterion.decision.spec is not None
        assert criterion.decision.spec.loss == "MSELoss"
        seen.append(criterion.decision.trace.profile.evidence.rows_seen or 0)
    assert seen[0] == 4096
    assert seen[1] >= 4 * seen[0]


def test_the_choice_made_early_is_almost_always_that_of_all_rows(tmp_path: Path) -> None:
    (tmp_path / "half.yaml").write_text(ABOVE_HALF, encoding="utf-8")
    policy = nebula.load_policy(tmp_path / "half.yaml")
    early = wrong = 0
    for seed in range(60):
        generator = torch.Generator().manual_seed(seed)
        target = torch.randn(16_384, generator=generator) + 0.5 + 0.1 * torch.randn(1, generator=generator)
        source = LoaderTargets(loader(target, 1024))
        found = gather(source, policy, Budget(), prediction=None, hints=Hints(), name=None).profile
        early += not found.evidence.complete
        wrong += policy.decide(found).rule_id != policy.decide(nebula.profile(target)).rule_id
    assert early >= 20
    assert wrong <= 2


@pytest.mark.parametrize(
    ("budget", "rows", "told"),
    [
        (Budget(rows=1000), 1024, "the budget of 1000 rows is spent"),
        (Budget(batches=3), 192, "the budget of 3 batches is spent"),
        (Budget(seconds=1e-9), 64, "seconds is spent"),
    ],
    ids=["rows", "batches", "seconds"],
)
def test_a_budget_is_kept(budget: Budget, rows: int, told: str) -> None:
    decision = fitted(loader(labels()), budget=budget)
    assert decision.trace.profile.evidence.rows_seen == rows
    assert any(told in note.text for note in decision.trace.notes)


def test_a_budget_larger_than_the_data_completes() -> None:
    decision = fitted(loader(labels(3000)), budget=Budget(rows=3000, enough=False))
    assert decision.status == "decided"
    assert decision.trace.profile.evidence.batches == 47


def test_an_endless_stream_ends() -> None:
    stream = ((torch.zeros(64, 2), labels(64, seed)) for seed in itertools.count())
    decision = fitted(stream, budget=Budget())
    assert decision.status == "provisional"
    assert decision.trace.profile.evidence.rows_total is None


def test_the_facts_are_those_of_the_rows_read() -> None:
    target = torch.randn(10_000, generator=torch.Generator().manual_seed(2))
    policy = nebula.load_policy("default.yaml")
    source = LoaderTargets(loader(target, 100))
    found = gather(source, policy, Budget(rows=5000), prediction=None, hints=Hints(), name="y").profile
    rows = found.evidence.rows_seen
    assert rows is not None
    assert found.target == nebula.profile(target[:rows], name="y").target


@pytest.mark.parametrize("data", [[], iter(())], ids=["list", "iterator"])
def test_nothing_to_read(data: Any) -> None:
    with pytest.raises(DataError, match="at least one batch"):
        fitted(data, budget=Budget())


def test_data_in_memory_are_never_cut() -> None:
    assert fitted(labels(), budget=Budget(rows=10)).trace.profile.evidence.rows_seen == ROWS


def test_a_number_is_no_budget() -> None:
    with pytest.raises(TypeError, match=r"budget: expected a Budget such as Budget\(rows=10_000\), found 5000\."):
        nebula.Nebula().fit([0.5, 1.5, 2.25], budget=5000)  # type: ignore[arg-type]
