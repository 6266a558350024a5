"""A planted optimum is found, noise is no gain, and only `--write` touches a file."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula.errors import DataError, PolicyError
from nebula.policy.loader import loads
from nebula.tuning.gain import paired_gain
from nebula.tuning.rewriting import rewrite_parameters
from nebula.tuning.search import Costs, fit
from nebula.tuning.space import find_space
from nebula.tuning.table import read_results
from nebula.tuning.tuning import tune
from tests.cli.runner import call
from tests.tuning.results import POLICY, planted, pure_noise, written


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "tails.yaml"
    file.write_text(POLICY, encoding="utf-8")
    return file


@pytest.mark.parametrize("best", [1.1, 3.4, 8.3])
def test_a_planted_optimum_is_found_and_held_out_data_sets_gain(policy: Path, tmp_path: Path, best: float) -> None:
    found = tune(str(policy), written(tmp_path, planted(best)), {"heavy": None}, folds=3, trials=25)
    (heavy,) = found.parameters
    assert heavy.fitted == pytest.approx(best, abs=0.8)
    assert found.gain.proved
    assert found.gain.fitted == pytest.approx(0, abs=0.05)
    assert found.changes == {"heavy": heavy.fitted}


def test_no_gain_where_the_policy_is_at_the_optimum(policy: Path, tmp_path: Path) -> None:
    found = tune(str(policy), written(tmp_path, planted(6.0)), {"heavy": None}, folds=3, trials=15)
    assert found.changes == {}
    assert not found.gain.proved


def test_noise_is_rarely_called_a_gain(policy: Path, tmp_path: Path) -> None:
    proved = [
        tune(str(policy), written(tmp_path, pure_noise(seed)), {"heavy": None}, trials=8, folds=2).gain.proved
        for seed in range(8)
    ]
    assert sum(proved) <= 2  # two-sided 5 %, one side counts: 8 runs give 3 or more with chance 0.001


def test_the_same_seed_gives_the_same_answer_and_ties_keep_the_value(policy: Path, tmp_path: Path) -> None:
    file = written(tmp_path, planted(3.0, data_sets=12))
    assert tune(str(policy), file, folds=2, trials=8) == tune(str(policy), file, folds=2, trials=8)
    (few,) = (p for p in tune(str(policy), file, folds=2, trials=8).parameters if p.name == "few")
    assert few.fitted == 20  # all rows have 500 levels: nothing to learn about `few`


def test_a_fit_does_not_look_at_what_is_held_out(policy: Path, tmp_path: Path) -> None:
    rows = planted(3.0, data_sets=20)
    spoilt = [dict(row) for row in rows]
    for row in spoilt[10:]:
        row["scores"] = {"MSELoss": 0.0, "HuberLoss": 9.0, "L1Loss": 5.0}
    fitted = []
    for table in (rows, spoilt):
        tasks = read_results(written(tmp_path, table))
        costs = Costs(str(policy), find_space(loads(POLICY), {"heavy": None}), tasks)
        fitted.append(fit(costs, range(10), trials=12, seed=1))
    assert fitted[0] == fitted[1]


def test_a_choice_without_a_score_costs_as_much_as_the_worst(tmp_path: Path) -> None:
    (task,) = read_results(written(tmp_path, planted(3.0, data_sets=1, noise=0)))
    assert task.cost("MSELoss") == 0
    assert task.cost(None) == task.cost("PoissonNLLLoss") == pytest.approx(0.4)


@given(st.lists(st.floats(-1, 1), min_size=6, max_size=10))
@settings(max_examples=20, deadline=None)
def test_the_sign_flip_test_counts_every_pattern(differences: list[float]) -> None:
    differences = [round(d, 3) for d in differences]
    gain = paired_gain(differences, [0.0] * len(differences))
    moved = [d for d in differences if d]
    patterns = [
        abs(sum(s * d for s, d in zip(signs, moved, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(moved))
    ]
    share = np.mean([p >= abs(sum(moved)) - 1e-9 for p in patterns]) if moved else 1.0
    assert gain.p == pytest.approx(share, abs=1e-9)
    assert gain.better + gain.worse + gain.alike == len(differences)
    assert gain.low <= gain.mean + 1e-9
    assert gain.mean <= gain.high + 1e-9


def test_five_of_the_same_sign_prove_nothing_and_six_do() -> None:
    assert not paired_gain([0.1] * 5, [0.0] * 5).proved
    assert paired_gain([0.1] * 6, [0.0] * 6).proved
    assert not paired_gain([0.0] * 6, [0.1] * 6).proved


@given(st.floats(0.001, 10) | st.just(0.0), st.integers(2, 60))
@settings(max_examples=50, deadline=None)
def test_only_the_values_change_in_the_file(heavy: float, few: int) -> None:
    heavy = float(f"{heavy:.3g}")
    text = rewrite_parameters(POLICY, {"heavy": heavy, "few": float(few), "line": 0.25}, name="p")
    parameters = yaml.safe_load(text)["parameters"]
    assert (parameters["heavy"]["value"], parameters["few"]["value"], parameters["line"]) == (heavy, few, 0.25)
    assert type(parameters["few"]["value"]) is int
    before, after = POLICY.splitlines(), text.splitlines()
    assert [line for line in after if "heavy:" not in line and "few:" not in line and "line:" not in line] == [
        line for line in before if "heavy:" not in line and "few:" not in line and "line:" not in line
    ]
    assert "# excess kurtosis" in text


def test_the_file_is_touched_only_by_write_and_only_for_a_gain(policy: Path, tmp_path: Path) -> None:
    results = written(tmp_path, planted(3.0))
    shown = call("policy", "tune", policy, results, "--parameter", "heavy", "--trials", 25, "--folds", 3)
    assert shown.exit_code == 0
    assert "more than chance" in shown.output
    assert policy.read_text(encoding="utf-8") == POLICY
    call("policy", "tune", policy, results, "--parameter", "heavy", "--trials", 25, "--folds", 3, "--write")
    tuned = policy.read_text(encoding="utf-8")
    assert 2.2 < yaml.safe_load(tuned)["parameters"]["heavy"]["value"] < 3.8
    noise = written(tmp_path, pure_noise(1))
    said = call("policy", "tune", policy, noise, "--parameter", "heavy", "--trials", 5, "--folds", 2, "--write")
    assert "No gain" in said.output
    assert policy.read_text(encoding="utf-8") == tuned


def test_the_report_as_json(policy: Path, tmp_path: Path) -> None:
    said = call(
        "policy", "tune", policy, written(tmp_path, planted(3.0, data_sets=8)), "--trials", 3, "--folds", 2, "--json"
    )
    assert {"policy", "rows", "data_sets", "parameters", "gain"} == set(json.loads(said.stdout))


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({"heavi": None}, "found 'heavi'"),
        ({"line": None}, "expected `low` and `high` of parameter `line`"),
        ({"heavy": (0, 20)}, "expected a range LOW:HIGH within 0.0:10.0"),
        ({"line": (1, 1)}, "expected a range LOW:HIGH"),
    ],
)
def test_a_wrong_range_is_told(policy: Path, ranges: dict[str, tuple[float, float] | None], message: str) -> None:
    with pytest.raises(DataError, match=message.replace("(", r"\(")):
        find_space(loads(POLICY, name=str(policy)), ranges)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "results.jsonl:1:"),
        ('{"data_set": "a", "facts": {}, "scores": {}}', "`scores`"),
        ('{"data_set": "a", "facts": {"target.kurtosi": 1}, "scores": {"MSELoss": 1}}', "unknown fact"),
        ("", "at least one row"),
    ],
)
def test_a_wrong_table_is_told_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "results.jsonl"
    file.write_text(line, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_results(file)


def test_few_data_sets_and_inherited_parameters_are_refused(policy: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="at least 6 data sets"):
        tune(str(policy), written(tmp_path, planted(3.0, data_sets=5)))
    with pytest.raises(DataError, match="inherited"):
        rewrite_parameters(POLICY, {"elsewhere": 1.0}, name="p")
    with pytest.raises(PolicyError):
        rewrite_parameters(POLICY, {"heavy": 11.0}, name="p")
