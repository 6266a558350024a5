"""The benchmark as a whole, on targets that come with scikit-learn."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nebula.bench.peers import Peer, judge_peer, read_peers
from nebula.bench.robustness import CHANGES, batch_flips, flips
from nebula.bench.selection import ask, count, targets_of
from nebula.bench.target import Target
from nebula.bench.task import Labels, Task
from nebula.decision.policy import load_policy
from nebula.errors import DataError
from tests.cli.runner import call

FAMILY = """
family: {family}
metric: {metric}
{outputs}preferred: [{preferred}]
acceptable: [{acceptable}]
unacceptable: [{unacceptable}]
tasks:
{tasks}
"""


@pytest.fixture
def index(tmp_path: Path) -> Path:
    folder = tmp_path / "index"
    folder.mkdir()
    classes = FAMILY.format(
        family="multiclass",
        metric="log_loss",
        outputs="",
        preferred="CrossEntropyLoss",
        acceptable="NLLLoss",
        unacceptable="MSELoss",
        tasks='- {data: "sklearn:iris", why: species}\n- {data: "sklearn:wine", why: cultivar}',
    )
    (folder / "multiclass.yaml").write_text(classes, encoding="utf-8")
    # The label is wrong on purpose: the benchmark must say so.
    wrong = FAMILY.format(
        family="regression",
        metric="rmse",
        outputs="outputs: 1\n",
        preferred="MSELoss",
        acceptable="L1Loss",
        unacceptable="BCEWithLogitsLoss",
        tasks='- {data: "sklearn:breast_cancer", why: labelled wrong on purpose}',
    )
    (folder / "regression.yaml").write_text(wrong, encoding="utf-8")
    return folder


def test_the_command_counts_what_the_labels_say(index: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    result = call("bench", "selection", "--index", index, "--out", out, "--verbose")
    assert result.exit_code == 0, result.output
    report = json.loads(out.read_text(encoding="utf-8"))
    assert report["data_sets"] == 3
    shape = report["ways"]["shape"]
    assert (shape["targets"], shape["preferred"], shape["wrong"]) == (3, 2 / 3, 1 / 3)
    assert report["families"]["multiclass"]["preferred"] == 1
    assert report["covered"] == 1
    assert report["usable_where_covered"] == pytest.approx(2 / 3)
    assert "sklearn:breast_cancer:target" in result.output
    assert "66.7%" in result.output


def test_what_peers_inferred_is_judged_by_the_same_labels(index: Path, tmp_path: Path) -> None:
    said = {"sklearn:iris:target": "multiclass", "sklearn:wine:target": "regression"}
    answers = tmp_path / "peers.json"
    answers.write_text(json.dumps({"a peer": {"version": "1.0", "said": said}}), encoding="utf-8")
    result = call("bench", "selection", "--index", index, "--peers", answers, "--json")
    peer = json.loads(result.stdout)["peers"]["a peer 1.0"]
    assert (peer["preferred"], peer["wrong"], peer["error"]) == (1 / 3, 1 / 3, 1 / 3)


def test_a_file_that_holds_no_answers_is_told(tmp_path: Path) -> None:
    file = tmp_path / "peers.json"
    file.write_text('{"a peer": {"said": {}}}', encoding="utf-8")
    with pytest.raises(DataError, match="peers"):
        read_peers(file)


def test_exported_targets_carry_the_outputs(index: Path, tmp_path: Path) -> None:
    file = tmp_path / "targets.npz"
    assert call("bench", "selection", "--index", index, "--export", file).exit_code == 0
    with np.load(file, allow_pickle=False) as arrays:
        assert sorted(arrays.files) == [
            "sklearn:breast_cancer:target|1",
            "sklearn:iris:target|3",
            "sklearn:wine:target|3",
        ]
        assert arrays["sklearn:iris:target|3"].tolist() == [0] * 50 + [1] * 50 + [2] * 50


TASK = Task(
    package="sklearn",
    item="none",
    target="y",
    family="count",
    metric="poisson_deviance",
    labels=Labels(preferred=("PoissonNLLLoss",)),
    why="generated",
)


def counts(rows: int) -> Target:
    return Target(np.random.default_rng(0).poisson(3, rows), 1, "visits", None)


def test_harmless_changes_do_not_flip_a_clear_count() -> None:
    pairs = [(TASK, counts(2000))]
    shares = flips(load_policy("default.yaml"), pairs)
    assert set(shares) == set(CHANGES)
    assert not any(shares.values())


def test_a_policy_that_counts_rows_flips_with_the_batch(tmp_path: Path) -> None:
    file = tmp_path / "rows.yaml"
    file.write_text(
        "apiVersion: nebula/v1\nname: rows\nversion: 1.0.0\nselect:\n"
        "  - {id: many, when: target.n > 1000, use: {loss: L1Loss}, because: many rows}\n"
        "  - {id: few, when: target.n <= 1000, use: {loss: MSELoss}, because: few rows}\n"
        'otherwise: {error: "no rows"}\n',
        encoding="utf-8",
    )
    policy = load_policy(file)
    pairs = [(TASK, counts(2000))]
    assert batch_flips(policy, pairs) == {8: 1.0, 32: 1.0, 128: 1.0}
    shares = flips(policy, pairs)
    assert shares["half of the rows"] == 1
    assert shares["rows shuffled"] == 0


def test_every_way_of_asking_is_counted() -> None:
    answers = ask(load_policy("default.yaml"), [(TASK, counts(500))])
    assert [answer.way for answer in answers] == ["target", "shape", "named"]
    assert all(sum(counted.values()) == 1 for counted in count(answers).values())


def test_a_peer_that_was_not_asked_counts_as_an_error() -> None:
    assert judge_peer(Peer(version="1", said={}), [TASK]) == ["error"]
    assert list(targets_of([])) == []
