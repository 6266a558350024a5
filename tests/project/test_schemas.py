"""The checked-in schemas and pages are the derived ones, and an independent validator agrees."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError

from nebula.losses.catalogue import builtin_entries, load_builtin
from nebula.losses.registry import LossEntry, entries
from nebula.profiling.hints import Hints
from nebula.profiling.model import DataProfile
from nebula.reference.pages import OWNED, pages, write_pages
from nebula.schemas import SCHEMAS, render
from tests.project.tree import ROOT

load_builtin()
POLICIES = sorted((ROOT / "policies").glob("*.yaml"))
VALIDATORS = {kind: Draft202012Validator(derive()) for kind, derive in SCHEMAS.items()}

SMALLEST: dict[str, Any] = {
    "apiVersion": "nebula/v1",
    "name": "small",
    "version": "1.0.0",
    "select": [{"id": "any", "when": True, "use": {"loss": "MSELoss"}, "because": "It is there."}],
    "otherwise": {"error": "no rule fits"},
}


def leaves(errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
    """The innermost errors: an alternative reports what failed inside it as its context."""
    for error in errors:
        yield error
        yield from leaves(error.context or ())


def policy_with(**rule: Any) -> dict[str, Any]:
    return {**SMALLEST, "select": [{**SMALLEST["select"][0], **rule}]}


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_checked_in_schema_is_the_derived_one(kind: str) -> None:
    written = (ROOT / "schemas" / f"{kind}.schema.json").read_text(encoding="utf-8")
    assert written == render(kind), "run `make schemas`"


@pytest.mark.parametrize("page", pages())
def test_the_checked_in_page_is_the_derived_one(page: str) -> None:
    written = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert written == pages()[page](), "run `make docs`"


@pytest.mark.parametrize("folder", OWNED)
def test_no_page_is_left_over(folder: str) -> None:
    found = {f"{folder}/{path.name}" for path in (ROOT / "docs" / folder).glob("*.md")}
    assert found == {page for page in pages() if page.startswith(f"{folder}/")}


def test_pages_are_written_where_they_belong(tmp_path: Path) -> None:
    assert write_pages(tmp_path) == [tmp_path / page for page in pages()]
    assert (tmp_path / "errors" / "NEB-P052.md").is_file()


def test_every_loss_has_a_plot_and_no_other() -> None:
    plots = {path.name for path in (ROOT / "docs" / "losses" / "plots").iterdir()}
    assert plots == {f"{entry.name}.svg" for entry in builtin_entries() if not entry.composed}, "run `make docs`"


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_itself_valid(kind: str) -> None:
    Draft202012Validator.check_schema(json.loads(render(kind)))


def test_policies_are_shipped() -> None:
    assert {"default.yaml", "paper.yaml", "strict.yaml"} <= {path.name for path in POLICIES}


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.name)
def test_a_shipped_policy_fits_the_schema_it_names(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=../schemas/policy.schema.json\n")
    assert list(VALIDATORS["policy"].iter_errors(yaml.safe_load(text))) == []


@pytest.mark.parametrize(
    "document",
    [
        SMALLEST,
        policy_with(when="target.min >= 0"),
        policy_with(when={"all": ["target.min >= 0", {"not": {"any": [False, "known(hints.task)"]}}]}),
        policy_with(use={"loss": "HuberLoss", "params": {"delta": 2}}),
        policy_with(use={"loss": "HuberLoss", "params": {"delta": "$target.iqr"}}),
        policy_with(use={"loss": "BCEWithLogitsLoss", "params": {"pos_weight": "$target.pos_weight"}}),
        policy_with(use={"loss": "BCEWithLogitsLoss", "params": {"pos_weight": 2.5, "weight": [1, 2]}}),
        policy_with(use={"loss": "CrossEntropyLoss", "serve": {"functional": "threshold", "threshold": "prior"}}),
    ],
    ids=["smallest", "condition", "tree", "number", "reference", "weights", "one-weight", "serve"],
)
def test_a_sound_policy_is_accepted(document: dict[str, Any]) -> None:
    assert list(VALIDATORS["policy"].iter_errors(document)) == []


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({**SMALLEST, "apiVersion": "nebula/v2"}, ["apiVersion"]),
        ({**SMALLEST, "name": "Has Spaces"}, ["name"]),
        ({**SMALLEST, "version": "1"}, ["version"]),
        ({**SMALLEST, "selct": []}, []),
        ({k: v for k, v in SMALLEST.items() if k != "name"}, []),
        (policy_with(use={"loss": "HuberLos"}), ["select", 0, "use", "loss"]),
        (policy_with(use={"loss": "MSELoss", "params": {"delta": 1}}), ["select", 0, "use", "params"]),
        (policy_with(use={"loss": "HuberLoss", "params": {"delta": 0}}), ["select", 0, "use", "params", "delta"]),
        (policy_with(use={"loss": "HuberLoss", "params": {"delta": "iqr"}}), ["select", 0, "use", "params", "delta"]),
        (
            policy_with(use={"loss": "BCEWithLogitsLoss", "params": {"pos_weight": -1}}),
            ["select", 0, "use", "params", "pos_weight"],
        ),
        (policy_with(use={"loss": "MSELoss", "link": "probit"}), ["select", 0, "use", "link"]),
        (policy_with(when={"all": []}), ["select", 0, "when"]),
        (policy_with(when=7), ["select", 0, "when"]),
        (policy_with(because=""), ["select", 0, "because"]),
        (policy_with(ambiguous={"between": ["one"], "ask": "?"}), ["select", 0, "ambiguous"]),
    ],
    ids=[
        "api",
        "name",
        "version",
        "unknown-key",
        "no-name",
        "unknown-loss",
        "unknown-param",
        "param-range",
        "param-text",
        "weight-range",
        "link",
        "empty-tree",
        "number-condition",
        "no-reason",
        "one-reading",
    ],
)
def test_a_broken_policy_is_refused_at_the_right_place(document: dict[str, Any], where: list[Any]) -> None:
    paths = [list(error.absolute_path) for error in leaves(VALIDATORS["policy"].iter_errors(document))]
    assert any(path[: len(where)] == where for path in paths), paths


@pytest.mark.parametrize("entry", list(entries()), ids=lambda entry: entry.name)
def test_each_loss_admits_its_own_parameters_only(entry: LossEntry) -> None:
    def errors(params: dict[str, Any]) -> list[Any]:
        chosen: dict[str, Any] = {"compose": [{"loss": "MSELoss"}]} if entry.composed else {}
        return list(VALIDATORS["policy"].iter_errors(policy_with(use={"loss": entry.name, "params": params, **chosen})))

    defaults = json.loads(entry.params().model_dump_json())
    assert errors(defaults) == []
    assert errors(dict.fromkeys(defaults, "$target.mean")) == []
    assert errors({**defaults, "no_such_parameter": 1})


@pytest.mark.parametrize(
    ("kind", "document", "fits"),
    [
        ("hints", {"task": "count"}, True),
        ("hints", {"metric": "pinball@0.9"}, True),
        ("hints", {"metric": "pinball@9"}, False),
        ("hints", {"taks": "count"}, False),
        ("hints", {"quantile": 1}, False),
        ("profile", json.loads(DataProfile().model_dump_json()), True),
        ("profile", json.loads(DataProfile(hints=Hints(task="count")).model_dump_json()), True),
        ("profile", {"target": {"n": "many"}}, False),
        ("trace", {}, False),
    ],
)
def test_other_documents(kind: str, document: dict[str, Any], fits: bool) -> None:
    assert VALIDATORS[kind].is_valid(document) is fits


@pytest.mark.parametrize("target", [[0, 1, 1, 0, 1], [0.1, 2.5, -3.0, 4.25], [0, 3, 1, 7, 2, 2, 0, 1]], ids=str)
def test_a_real_trace_fits_its_schema(target: list[float]) -> None:
    import nebula

    document = json.loads(nebula.select(target).trace.to_json())
    assert list(VALIDATORS["trace"].iter_errors(document)) == []
    assert VALIDATORS["profile"].is_valid(document["profile"])
