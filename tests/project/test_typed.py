"""`py.typed` holds: mypy reads the types of the installed wheel in a package outside of the repository."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.conftest import Installed

pytestmark = pytest.mark.xdist_group("wheel")

_SETTINGS = """
[mypy]
strict = True
[mypy-torch.*,numpy.*,pandas.*,pyarrow.*,pydantic.*,yaml.*,rich.*,typer.*]
follow_imports = skip
"""
_RIGHT = """
import nebula


def chosen(values: list[float]) -> str | None:
    decision = nebula.select(values, nebula.PredictionSpec(shape=(None, 1)), hints={"metric": "mae"})
    return decision.rule_id


def decided(policy: nebula.Policy, values: list[float]) -> nebula.Decision:
    return policy.decide(nebula.profile(values))


criterion: nebula.Nebula = nebula.Nebula("default.yaml").fit([0.5, 1.5])
told: str = criterion.explain()
"""
_WRONG = """
import nebula

number: int = nebula.select([0.5]).rule_id  # assignment
nebula.load_policy("default.yaml").decides()  # attr-defined
nebula.check()  # call-arg
nebula.select([0.5], policies="default.yaml")  # call-arg
"""


def complaints(installed: Installed, folder: Path) -> set[tuple[str, int, str]]:
    """Module, line and kind of mypy's errors in somebody else's package, which has a right and a wrong module."""
    package = folder / "theirs"
    package.mkdir()
    for name, code in {"__init__": "", "right": _RIGHT, "wrong": _WRONG}.items():
        (package / f"{name}.py").write_text(code)
    (folder / "mypy.ini").write_text(_SETTINGS)
    python = str(installed.folder / "bin" / "python")
    command = [sys.executable, "-m", "mypy", "--python-executable", python, "-p", "theirs"]
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MYPY"))}
    done = subprocess.run(command, cwd=folder, env=outside, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = re.findall(r"^theirs/(\w+)\.py:(\d+): error: .*\[([a-z-]+)\]$", done.stdout, re.MULTILINE)
    assert len(found) == done.stdout.count(": error: "), done.stdout
    return {(module, int(line), kind) for module, line, kind in found}


def test_wrong_uses_alone_are_told_by_their_types(installed: Installed, tmp_path: Path) -> None:
    lines = enumerate(_WRONG.splitlines(), start=1)
    assert complaints(installed, tmp_path) == {("wrong", n, line.split("# ")[1]) for n, line in lines if "# " in line}


def test_without_the_marker_there_are_no_types(installed: Installed, tmp_path: Path) -> None:
    (marker,) = installed.folder.glob("lib/python*/site-packages/nebula/py.typed")
    marker.unlink()
    try:
        told = complaints(installed, tmp_path)
    finally:
        marker.touch()
    assert ("right", 2, "import-untyped") in told
    assert "attr-defined" not in {kind for _, _, kind in told}
