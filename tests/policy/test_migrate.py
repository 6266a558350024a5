"""Older versions of the format are brought up to the present one, and nothing else about the text changes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
import yaml
from hypothesis import given, settings

from nebula.cli.exit_codes import ExitCode
from nebula.errors import PolicyError
from nebula.policy.files import shipped_policies
from nebula.policy.formatting import format_policy
from nebula.policy.migration import MIGRATIONS, Migration, migrate_policy
from nebula.policy.model import PolicyFile
from nebula.policy.source_map import Source
from tests.cli.runner import call
from tests.policy.random_policies import Sample, samples

VERSION = re.compile(r"^apiVersion: nebula/v1\n", re.MULTILINE)

PLACED = [
    ("first key", "name: a\n", "apiVersion: nebula/v1\nname: a\n"),
    ("head", "# head\nname: a\n", "# head\napiVersion: nebula/v1\nname: a\n"),
    (
        "comment of the key",
        "# head\n\n# why a\nname: a\n",
        "# head\n\napiVersion: nebula/v1\n# why a\nname: a\n",
    ),
    ("windows", "name: a\r\nversion: 1.0.0\r\n", "apiVersion: nebula/v1\r\nname: a\r\nversion: 1.0.0\r\n"),
    ("indented", "  name: a\n  version: 1.0.0\n", "  apiVersion: nebula/v1\n  name: a\n  version: 1.0.0\n"),
    ("document mark", "---\nname: a\n", "---\napiVersion: nebula/v1\nname: a\n"),
    ("block text", "description: |\n  # no key\n  b\n", "apiVersion: nebula/v1\ndescription: |\n  # no key\n  b\n"),
]


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in PLACED], ids=[case[0] for case in PLACED])
def test_the_version_is_put_on_top_and_the_rest_stays(text: str, expected: str) -> None:
    found = migrate_policy(text)
    assert (found.text, found.versions) == (expected, ("", "nebula/v1"))
    assert migrate_policy(found.text).versions == ("nebula/v1",)


@pytest.mark.parametrize("source", list(shipped_policies()), ids=lambda path: path.name)
def test_a_shipped_policy_without_its_version_gets_it_back(source: Path) -> None:
    written = source.read_text(encoding="utf-8")
    assert migrate_policy(written).text == written
    bare, removed = VERSION.subn("", written)
    assert removed == 1
    assert yaml.safe_load(migrate_policy(bare).text) == yaml.safe_load(written)
    assert sorted(migrate_policy(bare).text.splitlines()) == sorted(written.splitlines())


@settings(max_examples=40, deadline=None)
@given(samples())
def test_no_value_changes(sample: Sample) -> None:
    bare = VERSION.sub("", format_policy(sample.text()))
    found = yaml.safe_load(migrate_policy(bare).text)
    assert found == {**yaml.safe_load(bare), "apiVersion": "nebula/v1"}


REFUSED = [
    ("newer", "apiVersion: nebula/v2\nname: a\n", "NEB-P027", 1, "newer than this nebula"),
    ("never released", "name: a\napiVersion: v1\n", "NEB-P027", 2, "no such version"),
    ("a number", "apiVersion: 1\n", "NEB-P027", 1, "no such version"),
    ("one line", "{name: a, version: 1.0.0}\n", "NEB-P004", 1, "a key on each line"),
    ("no mapping", "- a\n", "NEB-P020", 1, "expected a mapping"),
    ("empty", "{}\n", "NEB-P020", 1, "expected a mapping"),
    ("twice", "name: a\nname: b\n", "NEB-P009", 2, "duplicate key"),
]


@pytest.mark.parametrize(
    ("text", "code", "line", "part"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_what_cannot_be_migrated_is_refused_with_its_place(text: str, code: str, line: int, part: str) -> None:
    with pytest.raises(PolicyError, match=part) as caught:
        migrate_policy(text, "old.yaml")
    (problem,) = caught.value.problems
    assert (problem.file, problem.code, problem.line) == ("old.yaml", code, line)


def test_steps_are_taken_one_after_the_other_and_a_step_that_fails_is_noticed() -> None:
    def to_v2(source: Source) -> str:
        return source.text.replace("nebula/v1", "nebula/v2").replace("because:", "reason:")

    steps = (*MIGRATIONS, Migration("nebula/v1", "nebula/v2", to_v2))
    found = migrate_policy("name: a\nbecause: b  # why\n", steps=steps)
    assert found.versions == ("", "nebula/v1", "nebula/v2")
    assert found.text == "apiVersion: nebula/v2\nname: a\nreason: b  # why\n"
    idle = (*MIGRATIONS, Migration("nebula/v1", "nebula/v2", lambda source: source.text))
    with pytest.raises(PolicyError, match="migrated to nebula/v2"):
        migrate_policy("name: a\n", steps=idle)


def test_the_chain_leads_to_the_version_that_policies_have() -> None:
    assert [step.new for step in MIGRATIONS[:-1]] == [step.old for step in MIGRATIONS[1:]]
    assert get_args(PolicyFile.model_fields["api_version"].annotation) == (MIGRATIONS[-1].new,)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.yaml"
    path.write_bytes(b"# head\r\nname: a\r\nversion: 1.0.0\r\n")
    return path


def test_the_command_changes_the_file_and_says_so(old: Path) -> None:
    before = old.read_bytes()
    would = call("policy", "migrate", "--check", old)
    assert (would.exit_code, old.read_bytes()) == (ExitCode.POLICY, before)
    assert would.stdout == f"{old}: would be migrated: no version -> nebula/v1\n"
    done = call("policy", "migrate", old)
    assert done.exit_code == ExitCode.OK
    assert old.read_bytes() == before.replace(b"# head\r\n", b"# head\r\napiVersion: nebula/v1\r\n")
    assert call("policy", "migrate", "--check", old).stdout == f"{old}: already nebula/v1\n"
    assert "`nebula policy migrate` adds it" not in call("policy", "lint", old).stdout


def test_one_file_that_cannot_be_migrated_keeps_all_as_they_are(old: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer.yaml"
    newer.write_text("apiVersion: nebula/v2\n", encoding="utf-8")
    before = old.read_bytes()
    done = call("policy", "migrate", old, newer)
    assert (done.exit_code, old.read_bytes()) == (ExitCode.POLICY, before)
    assert f"{newer}:1:13: " in done.stderr


@pytest.mark.parametrize("command", ["fmt", "migrate"])
def test_files_that_cannot_be_rewritten(command: str, tmp_path: Path) -> None:
    assert call("policy", command, "default.yaml").exit_code == ExitCode.USAGE
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("name: Größe\n".encode("latin-1"))
    done = call("policy", command, latin)
    assert (done.exit_code, latin.read_bytes()) == (ExitCode.POLICY, "name: Größe\n".encode("latin-1"))
    assert "expected UTF-8 text" in done.stderr
