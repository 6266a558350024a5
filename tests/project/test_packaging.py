"""The files around the package say the same thing as the package."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import nebula
from tests.project.tree import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONSTRAINTS = [
    line
    for line in (ROOT / "requirements" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]


def pinned(python: str) -> dict[str, str]:
    """Name → version of every constraint that holds on this Python (on Linux)."""
    found: dict[str, str] = {}
    for line in CONSTRAINTS:
        requirement = Requirement(line)
        environment = {"python_version": python, "python_full_version": f"{python}.1"}
        if requirement.marker is None or requirement.marker.evaluate(environment):
            name = canonical(requirement.name)
            assert name not in found, f"{name} is pinned twice for Python {python}"
            found[name] = str(requirement.specifier)
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_version_stands_in_one_place() -> None:
    assert "version" not in PROJECT
    assert PROJECT["dynamic"] == ["version"]
    assert f"## [{nebula.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("python", PYTHONS)
def test_everything_that_is_installed_is_pinned(python: str) -> None:
    asked = [Requirement(text) for text in PROJECT["dependencies"]]
    asked += [Requirement(text) for extra in PROJECT["optional-dependencies"].values() for text in extra]
    wanted = {
        canonical(r.name)
        for r in asked
        if r.name != PROJECT["name"] and (r.marker is None or r.marker.evaluate({"python_version": python}))
    }
    assert wanted - pinned(python).keys() == set()


def test_the_engine_is_pinned_only_where_it_compiles() -> None:
    assert {python: "durable-rules" in pinned(python) for python in PYTHONS} == {
        "3.10": True,
        "3.11": True,
        "3.12": True,
        "3.13": False,
        "3.14": False,
    }


def test_constraints_are_plain_pins_with_torch_first() -> None:
    assert CONSTRAINTS[0] == "torch==2.13.0"
    assert [
        line
        for line in CONSTRAINTS
        if not re.fullmatch(r'[A-Za-z0-9_.-]+==[^\s;+/]+( ; python_version [<>=]+ "[\d.]+")?', line)
    ] == []


@pytest.mark.parametrize(
    "target",
    ["demo", "test", "lint", "format", "type", "bench", "schemas", "docs", "readme", "wheel", "clean", "help", "setup"],
)
def test_make_knows_the_target(target: str) -> None:
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_make_help_lists_every_target() -> None:
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--no-print-directory", "help"]
    listed = subprocess.run(command, cwd=ROOT, env=outside, capture_output=True, text=True, check=True).stdout
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert phony
    assert {line.split()[1] for line in listed.splitlines()} == set(phony[1].split())


def test_set_up_says_which_python_it_needs(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = "--version" ] && echo "Python 3.8.1" && exit 0\nexit 1\n')
    old.chmod(0o755)
    done = subprocess.run(
        ["/bin/bash", str(ROOT / "requirements" / "bootstrap.sh"), str(tmp_path / "venv")],
        env={"PATH": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "expected Python 3.10 or newer, found Python 3.8.1" in done.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize("script", [".ci/run", "requirements/bootstrap.sh"])
def test_scripts_stop_at_the_first_failure(script: str) -> None:
    path = ROOT / script
    assert os.access(path, os.X_OK)
    assert "set -euo pipefail" in path.read_text(encoding="utf-8")
    assert subprocess.run(["bash", "-n", str(path)], check=False).returncode == 0


def test_workflows_cover_every_python_that_is_promised() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))["jobs"]
    assert {"lint", "type", "test"} <= jobs.keys()
    assert jobs["test"]["strategy"]["matrix"]["python-version"] == PYTHONS


@pytest.mark.parametrize("folder", ["nebula", "policies", "schemas", "tests", "docs", "requirements", ".github", ".ci"])
def test_no_file_names_a_machine(folder: str) -> None:
    own = re.compile(r"/(?:home|Users|work|root)/\w")
    files = [
        p
        for p in (ROOT / folder).rglob("*")
        if p.is_file()
        and p.suffix in {".py", ".yaml", ".yml", ".md", ".json", ".txt", ".sh", ""}
        and "__pycache__" not in p.parts
    ]
    assert [str(p.relative_to(ROOT)) for p in files if own.search(p.read_text(encoding="utf-8"))] == []
