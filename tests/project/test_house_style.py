"""What every file keeps to: size, name, and no way to run what a file says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.project.tree import dotted, modules

MOST_LINES = 300
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc"}
FORBIDDEN_CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "yaml.load",
    "yaml.unsafe_load",
    "yaml.full_load",
    "pickle.load",
    "pickle.loads",
    "os.system",
}


def calls(path: Path) -> list[ast.Call]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_a_file_holds_one_idea(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < MOST_LINES
    assert path.stem not in DRAWERS
    assert ast.get_docstring(ast.parse(text)), "every module opens with its one idea in a sentence"


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_nothing_runs_what_a_file_says(path: Path) -> None:
    assert not [ast.unparse(call) for call in calls(path) if ast.unparse(call.func) in FORBIDDEN_CALLS]
    for call in calls(path):
        if ast.unparse(call.func) == "torch.load":
            assert any(k.arg == "weights_only" and ast.unparse(k.value) == "True" for k in call.keywords)


def test_modules_are_imported_by_name_only_from_a_fixed_table() -> None:
    importing = {
        dotted(path) for path in modules() for call in calls(path) if "import_module" in ast.unparse(call.func)
    }
    assert importing == {"nebula", "nebula.losses.building", "nebula.conformance.pytest_plugin"}
