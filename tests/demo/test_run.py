"""The whole demonstration, quickly."""

from __future__ import annotations

import importlib.util
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console

from nebula.audit.log import AuditLog
from nebula.demo import experiment
from nebula.demo.catalogue import DATASETS
from nebula.demo.datasets import load
from nebula.demo.report import DemoReport
from nebula.demo.run import run_demo
from nebula.demo.training import Budget
from nebula.errors import MissingExtraError, NebulaError
from nebula.selection import build

BY_NAME = {about.name: about for about in DATASETS}
TINY = Budget(learning_rates=(1e-2, 1e-3), steps=20, evaluate_every=10)


def run(out: Path) -> tuple[DemoReport, str]:
    stream = io.StringIO()
    report = run_demo(out, seeds=2, quick=True, console=Console(file=stream, width=100))
    return report, stream.getvalue()


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[DemoReport, str, Path]:
    out = tmp_path_factory.mktemp("quick") / "made" / "artifacts"
    return *run(out), out


def test_every_artifact_is_there_and_whole(quick: tuple[DemoReport, str, Path]) -> None:
    report, _, out = quick
    assert sorted(path.name for path in out.iterdir()) == ["demo.json", "demo.png", "traces.jsonl", "traces.policies"]
    assert (out / "demo.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert DemoReport.model_validate_json((out / "demo.json").read_text()) == report
    assert {"torch", "nebula", "scikit-learn"} <= set(report.versions)


def test_the_traces_are_those_of_the_rows(quick: tuple[DemoReport, str, Path]) -> None:
    report, _, out = quick
    traces = list(AuditLog(out / "traces.jsonl").read())
    assert [trace.id for trace in traces] == [name for row in report.rows for name in row.trace_ids]
    firsts = {trace.id: trace for trace in traces}
    for row in report.rows:
        trace = firsts[row.trace_ids[0]]
        assert trace.spec.loss == row.nebula.loss
        assert trace.rule_id == row.rules[0]
        assert trace.because == row.because
        assert f"{trace.profile.hints.metric}" in row.metric


def test_every_row_has_a_finite_pair_for_every_seed(quick: tuple[DemoReport, str, Path]) -> None:
    report, _, _ = quick
    assert len(report.rows) >= 5
    for row in report.rows:
        for arm in (row.naive, row.nebula):
            assert len(arm.test) == len(arm.valid) == len(row.constant) == 2
            assert torch.isfinite(torch.tensor([*arm.test, *arm.valid, *row.constant])).all()


def test_the_terminal_names_every_data_set_its_loss_and_its_reason(quick: tuple[DemoReport, str, Path]) -> None:
    report, text, out = quick
    flat = " ".join(text.split())
    for row in report.rows:
        assert row.name in flat
        assert row.nebula.loss in flat
        assert " ".join(row.because.split()) in flat
    assert f"of {len(report.rows)} data sets" in flat
    assert str(out / "demo.png").replace("/", "") in flat.replace("/", "").replace(" ", "")


def test_a_second_run_gives_the_same_numbers_and_overwrites(quick: tuple[DemoReport, str, Path]) -> None:
    first, _, out = quick
    lines = len((out / "traces.jsonl").read_text().splitlines())
    (out / "mine.txt").write_text("keep")
    second, _ = run(out)
    drop = {"trace_ids"}
    assert [row.model_dump(exclude=drop) for row in second.rows] == [row.model_dump(exclude=drop) for row in first.rows]
    assert len((out / "traces.jsonl").read_text().splitlines()) == lines
    assert (out / "mine.txt").read_text() == "keep"
    (out / "mine.txt").unlink()


def test_the_quick_run_has_the_threads_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nebula.demo.run._compare_all", fail)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_demo(tmp_path, quick=True, console=Console(file=io.StringIO()))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("name", ["doctor_visits", "poor_health", "wine", "linnerud", "diabetes"])
def test_both_arms_see_the_same_rows_in_the_same_order_from_the_same_start(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, list[torch.Tensor]] = {"naive": [], "nebula": []}
    starts: dict[str, list[torch.Tensor]] = {"naive": [], "nebula": []}

    def spy(make):
        def made(*args):
            arm = make(*args)

            def loss(raw, target):
                seen[arm.name].append(target.clone())
                return arm.loss(raw, target)

            return replace(arm, loss=loss)

        return made

    real_train = experiment.train

    def train(arm, data, metric, budget, **rest):
        from nebula.demo.training import start

        starts[arm.name].append(start(arm, data, rest["n_outputs"], rest["seed"]).hidden[0].weight.clone())
        starts[arm.name].extend([data.train.places, data.valid.places, data.test.places])
        return real_train(arm, data, metric, budget, **rest)

    monkeypatch.setattr(experiment, "naive_arm", spy(experiment.naive_arm))
    monkeypatch.setattr(experiment, "selected_arm", spy(experiment.selected_arm))
    monkeypatch.setattr(experiment, "train", train)
    experiment.compare(load(BY_NAME[name]), 2, TINY, lambda: None)

    assert len(seen["naive"]) == len(seen["nebula"]) == 2 * 2 * TINY.steps
    assert all(torch.equal(a, b) for a, b in zip(seen["naive"], seen["nebula"], strict=True))
    assert all(torch.equal(a, b) for a, b in zip(starts["naive"], starts["nebula"], strict=True))


@pytest.mark.parametrize("about", DATASETS, ids=lambda about: about.name)
def test_nebula_names_a_loss_that_runs_for_every_data_set(about) -> None:
    data = load(about)
    target = torch.from_numpy(data.target)
    decision = experiment.decide(data, target)
    criterion = build(decision)
    raw = torch.zeros(len(target), about.n_outputs, requires_grad=True)
    criterion(raw, target).backward()
    assert torch.isfinite(raw.grad).all()
    assert raw.grad.abs().max() > 0
    assert len(criterion.predict(raw)) == len(target)


def test_the_decision_stands_on_training_rows_alone() -> None:
    outcome = experiment.compare(load(BY_NAME["wine"]), 1, replace(TINY, learning_rates=(1e-2,)), lambda: None)
    assert outcome.decisions[0].trace.profile.target.n == 106


def test_progress_is_told_of_every_training() -> None:
    told: list[int] = []
    experiment.compare(load(BY_NAME["wine"]), 2, TINY, lambda: told.append(1))
    assert len(told) == 2 * 2 * len(TINY.learning_rates)


def test_a_missing_extra_is_named_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr("nebula.demo.extras.find_spec", lambda name: None if name == "statsmodels" else real(name))
    with pytest.raises(MissingExtraError, match=r"`statsmodels`.*nebula-selector\[demo\]"):
        run_demo(tmp_path / "none", quick=True)
    assert not (tmp_path / "none").exists()


def test_a_file_in_the_way_of_the_folder_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(NebulaError, match=r"expected a folder to write to, found .*taken"):
        run_demo(tmp_path / "taken", quick=True, console=Console(file=io.StringIO()))


@pytest.mark.parametrize("seeds", [0, -1])
def test_no_seed_is_refused(tmp_path: Path, seeds: int) -> None:
    with pytest.raises(NebulaError, match=f"at least 1 seed, found {seeds}"):
        run_demo(tmp_path, seeds=seeds, quick=True)


def test_the_report_is_json_that_any_reader_takes(quick: tuple[DemoReport, str, Path]) -> None:
    _, _, out = quick
    document = json.loads((out / "demo.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    assert document["settings"]["seeds"] == 2
