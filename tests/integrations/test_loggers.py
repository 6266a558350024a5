"""What is written for TensorBoard and MLflow is read back with their own readers."""

from __future__ import annotations

from pathlib import Path

import mlflow
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from nebula.decision.trace import DecisionTrace
from nebula.integrations import mlflow as runs
from nebula.integrations import tensorboard as events
from nebula.integrations.record import decision_fields, loss_components
from nebula.selector import Nebula
from tests.integrations.networks import Network, counts, two_terms, undecided


@pytest.fixture
def criterion() -> Nebula:
    fitted = undecided(policy=two_terms()).fit(counts(), Network())
    fitted.loss_function.attach(Network())  # type: ignore[union-attr,operator]
    return fitted


def test_fields_are_short_texts_and_parts_have_names(criterion: Nebula) -> None:
    assert criterion.decision is not None
    fields = decision_fields(criterion.decision)
    assert fields["nebula.loss"] == "CompositeLoss"
    assert all(isinstance(value, str) and len(value) <= 250 for value in fields.values())
    inputs, target = counts()
    criterion(Network()(inputs), target)
    assert list(loss_components(criterion)) == ["bulk", "tails", "penalty_0_l2"]
    assert loss_components(undecided().fit(counts(), Network())) == {}


def test_tensorboard_shows_the_decision_the_trace_and_the_parts(criterion: Nebula, tmp_path: Path) -> None:
    assert criterion.decision is not None
    inputs, target = counts()
    with SummaryWriter(str(tmp_path)) as writer:
        trace = events.write_decision(writer, criterion.decision)
        loss = criterion(Network()(inputs), target)
        events.write_loss(writer, criterion, loss, step=7)
    assert DecisionTrace.model_validate_json(trace.read_text()) == criterion.decision.trace
    read = EventAccumulator(str(tmp_path))
    read.Reload()
    assert set(read.Tags()["scalars"]) == {"nebula/loss", *(f"nebula/loss/{n}" for n in loss_components(criterion))}
    (scalar,) = read.Scalars("nebula/loss")
    assert (scalar.step, scalar.value) == (7, pytest.approx(loss.item()))
    assert b"CompositeLoss by rule `both`" in read.Tensors("nebula/decision/text_summary")[0].tensor_proto.string_val[0]


@pytest.mark.filterwarnings("ignore:::mlflow")
def test_mlflow_keeps_parameters_tags_artifact_and_metrics(
    criterion: Nebula, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert criterion.decision is not None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri(tmp_path.joinpath("runs").as_uri())
    inputs, target = counts()
    with mlflow.start_run() as run:
        runs.log_decision(criterion.decision)
        loss = criterion(Network()(inputs), target)
        runs.log_loss(criterion, loss, step=3)
    kept = mlflow.get_run(run.info.run_id).data
    assert (kept.params["nebula.loss"], kept.params["nebula.policy"]) == ("CompositeLoss", "sums 1.0.0")
    assert kept.tags["nebula.trace"] == criterion.decision.trace.id
    assert kept.metrics["nebula.loss"] == pytest.approx(loss.item())
    assert {"nebula.loss.bulk", "nebula.loss.tails"} <= set(kept.metrics)
    text = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/{runs.TRACE_ARTIFACT}")
    assert DecisionTrace.model_validate_json(text) == criterion.decision.trace
