"""The lists are valid, disjoint and hashed; whatever decides a row changes the hash."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from nebula.bench.outcome.manifest import Manifest, read_manifest
from nebula.errors import DataError
from nebula.losses.catalogue import load_builtin
from nebula.losses.registry import find
from tests.bench.outcome.hand_made import small_manifest
from tests.project.tree import ROOT

LISTS = ROOT / "benchmarks" / "outcome"


def test_no_data_set_is_in_both_lists_and_the_locked_one_is_long_enough() -> None:
    development, locked = (read_manifest(LISTS / f"{name}.yaml") for name in ("development", "locked"))
    ours, theirs = ({problem.data for problem in manifest.problems} for manifest in (development, locked))
    assert not ours & theirs
    assert len(theirs) >= 30
    assert len(ours) >= 8
    assert development.budget == locked.budget
    assert development.families == locked.families
    assert locked.seeds >= 10
    assert len(locked.budget.learning_rates) == 3


def test_every_family_is_tried_and_every_candidate_names_a_loss_there_is() -> None:
    load_builtin()
    locked = read_manifest(LISTS / "locked.yaml")
    assert {problem.family for problem in locked.problems} == set(locked.families)
    for family in locked.families.values():
        assert all(find(candidate.use.loss) for candidate in family.candidates.values())


def test_the_hash_is_of_what_is_written_and_of_nothing_else() -> None:
    first = small_manifest()
    assert first.digest == small_manifest().digest
    reordered = Manifest.model_validate(dict(reversed(list(first.model_dump(exclude_unset=True).items()))))
    assert reordered.digest == first.digest
    assert len({first.digest, small_manifest(rope=0.02).digest, small_manifest(seeds=3).digest}) == 3
    assert first.quick().digest != first.digest


def test_a_candidate_is_tried_only_where_it_is_meant() -> None:
    locked = read_manifest(LISTS / "locked.yaml")
    quantile = {p.metric: set(locked.candidates(p)) for p in locked.problems if p.family == "quantile"}
    assert "pinball_90" in quantile["pinball@0.9"] - quantile["pinball@0.1"]


@pytest.mark.parametrize(
    ("problems", "said"),
    [
        ([{"data": "sklearn:diabetes", "family": "colour", "metric": "rmse"}], "family"),
        ([{"data": "sklearn:diabetes", "family": "regression", "metric": "beauty"}], "metric"),
        ([{"data": "web:diabetes", "family": "regression", "metric": "rmse"}], "data"),
        ([{"data": "sklearn:diabetes", "family": "regression", "metric": "rmse"}] * 2, "once"),
    ],
)
def test_what_cannot_be_run_is_refused(problems: list[dict[str, object]], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        small_manifest(*problems)


def test_the_same_candidate_twice_must_be_a_candidate() -> None:
    families = small_manifest().model_dump(exclude_unset=True)["families"]
    families["regression"]["twice"] = ["cubist"]
    with pytest.raises(ValidationError, match="cubist"):
        small_manifest(families=families)


def test_a_file_that_is_missing_or_holds_something_else_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.yaml: expected a manifest"):
        read_manifest(tmp_path / "absent.yaml")
    (tmp_path / "list.yaml").write_text("name: x\nrope: 2\n", encoding="utf-8")
    (tmp_path / "candidates.yaml").write_text("count: {}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"list\.yaml: expected a manifest, found"):
        read_manifest(tmp_path / "list.yaml")
    (tmp_path / "list.yaml").write_text("[1, 2]\n", encoding="utf-8")
    with pytest.raises(DataError, match="expected a mapping, found list"):
        read_manifest(tmp_path / "list.yaml")
