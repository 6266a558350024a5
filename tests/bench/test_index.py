"""The labelled targets: enough of them, each with a reason, every loss by its real name."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch

from nebula.bench.index import read_index
from nebula.bench.task import Labels
from nebula.errors import DataError
from nebula.losses.catalogue import load_builtin
from nebula.losses.registry import entries
from tests.project.tree import ROOT

INDEX = ROOT / "benchmarks" / "selection" / "index"
TASKS = read_index(INDEX)

FAMILY = """
family: count
metric: poisson_deviance
outputs: 1
preferred: [PoissonNLLLoss]
unacceptable: [CrossEntropyLoss]
variants:
  overdispersed: {preferred: [NegativeBinomialNLLLoss], metric: rmse}
tasks:
"""


def write(folder: Path, *tasks: str) -> Path:
    (folder / "count.yaml").write_text(FAMILY + "".join(f"- {task}\n" for task in tasks), encoding="utf-8")
    return folder


def test_there_are_targets_enough_of_every_family() -> None:
    assert len(TASKS) >= 150
    assert len({(task.package, task.item) for task in TASKS}) >= 120
    families = Counter(task.family for task in TASKS)
    assert len(families) >= 11
    assert min(families.values()) >= 5


def test_every_loss_that_a_label_names_is_one_of_nebula_or_torch() -> None:
    load_builtin()
    known = {entry.name for entry in entries()}
    named = {loss.split("(")[0] for task in TASKS for side in vars(task.labels).values() for loss in side}
    unknown = named - known
    assert all(hasattr(torch.nn, loss) for loss in unknown), unknown


def test_a_tag_changes_what_it_says_and_the_task_wins(tmp_path: Path) -> None:
    plain, tagged, own = read_index(
        write(
            tmp_path,
            '{data: "sklearn:a", target: y, why: w}',
            '{data: "sklearn:b", target: y, tags: [overdispersed], why: w}',
            '{data: "sklearn:c", target: y, tags: [overdispersed], metric: mae, preferred: [L1Loss], why: w}',
        )
    )
    assert (plain.labels.preferred, plain.metric) == (("PoissonNLLLoss",), "poisson_deviance")
    assert (tagged.labels.preferred, tagged.metric) == (("NegativeBinomialNLLLoss",), "rmse")
    assert (own.labels.preferred, own.metric) == (("L1Loss",), "mae")
    assert own.labels.unacceptable == ("CrossEntropyLoss",)


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ('{data: "sklearn:a", target: y}', "why"),
        ('{data: "sklearn:a", target: y, why: ""}', "why"),
        ('{data: "nowhere:a", target: y, why: w}', "package"),
        ('{data: "sklearn:a", target: y, why: w, colour: red}', "colour"),
        ('{data: "sklearn:a", target: y, why: w, tags: [rare]}', "expected a tag among overdispersed, found rare"),
        ('{data: "sklearn:a", target: y, why: w, acceptable: [PoissonNLLLoss]}', "PoissonNLLLoss in two"),
    ],
)
def test_a_faulty_task_is_told_with_its_line(tmp_path: Path, task: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as error:
        read_index(write(tmp_path, '{data: "sklearn:ok", target: y, why: w}', task))
    assert "count.yaml:11:" in str(error.value)


def test_a_target_stands_once(tmp_path: Path) -> None:
    task = '{data: "sklearn:a", target: y, why: w}'
    with pytest.raises(DataError, match="found sklearn:a:y twice"):
        read_index(write(tmp_path, task, task))


def test_an_empty_folder_says_where_the_index_is(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="benchmarks/selection/index"):
        read_index(tmp_path)


def test_labels_do_not_contradict_themselves() -> None:
    with pytest.raises(ValueError, match="L1Loss"):
        Labels(preferred=("L1Loss",), unacceptable=("L1Loss",))
