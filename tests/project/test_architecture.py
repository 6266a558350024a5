"""Imports run one way, and what must not need torch does not load it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.project.tree import ROOT, dotted, modules

_BASE = {"errors", "plugins"}
_PROFILING = _BASE | {"profiling"}
_LOSSES = _PROFILING | {"losses"}
_POLICY = _LOSSES | {"policy"}
_SMT = _POLICY | {"smt"}
_DECISION = _SMT | {"decision"}
_PAGE = _DECISION | {"page"}
_AUDIT = _PAGE | {"audit"}
_PROOF = _AUDIT | {"proof"}
_STORE = _DECISION | {"store"}
_SELECTION = _STORE | {"selection"}
_EVIDENCE = _SELECTION | {"evidence"}
_DRIFT = _EVIDENCE | {"drift"}
_SELECTOR = _DRIFT | _AUDIT | {"lockfile", "selector"}
_FACE = _SELECTOR | {"nebula"}

MAY_IMPORT: dict[str, set[str]] = {
    "errors": {"errors"},
    "plugins": _BASE,
    "profiling": _PROFILING,
    "losses": _LOSSES,
    "policy": _POLICY,
    "smt": _SMT,
    "decision": _DECISION,
    "page": _PAGE,
    "audit": _AUDIT,
    "proof": _PROOF,
    "store": _STORE,
    "lockfile": _DECISION | {"lockfile"},
    "selection": _SELECTION,
    "evidence": _EVIDENCE,
    "drift": _DRIFT,
    "selector": _SELECTOR,
    "stability": _DECISION | {"stability"},
    "workbench": _SELECTION | {"workbench"},
    "tuning": _SELECTION | {"workbench", "tuning"},
    "checking": _LOSSES | {"checking"},
    "schemas": _AUDIT | {"lockfile", "schemas"},
    "conformance": _LOSSES | {"conformance"},
    "reference": _POLICY | {"reference", "checking", "conformance"},
    "bench": _SELECTION | {"bench", "nebula", "demo"},
    "nebula": _FACE,
    "demo": _FACE | {"demo"},
    "training": _FACE | {"training"},
    "integrations": _FACE | {"training", "integrations"},
    "cli": _FACE
    | {"cli", "demo", "training", "integrations", "schemas", "reference"}
    | {"stability", "workbench", "tuning", "proof", "checking", "bench", "store", "lockfile"},
}
"""Room → rooms it may import; `nebula` is the public face itself."""

_TORCH_FREE_ROOMS = {
    "errors", "nebula", "policy", "decision", "page", "audit", "cli", "schemas", "reference", "store", "lockfile",
}  # fmt: skip
TORCH_FREE_LOSSES = {"contract", "registry", "spec", "catalogue", "adaptation", "bias", "capability"}
TORCH_FREE_PROFILING = {"model", "hints", "vocabulary", "custom", "custom_fact"}


def room(module: str) -> str:
    """`nebula.policy.model` → `policy`; the package itself → `nebula`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "nebula"


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports anywhere, type-checking blocks left out."""
    yield from _walk(ast.parse(path.read_text(encoding="utf-8")).body)


def _walk(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _walk(node.orelse)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the arrows"
            yield node.module or ""
            if node.module == "nebula":
                yield from (f"nebula.{alias.name}" for alias in node.names if alias.name != "__version__")
        else:
            yield from _walk(ast.iter_child_nodes(node))


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_imports_run_one_way(path: Path) -> None:
    here = room(dotted(path))
    assert here in MAY_IMPORT, f"the room `{here}` is not in the plan of the house: add it to MAY_IMPORT"
    wrong = {name for name in imports(path) if name.split(".")[0] == "nebula" and room(name) not in MAY_IMPORT[here]}
    assert not wrong


def test_the_walk_sees_function_imports_and_skips_type_checking(tmp_path: Path) -> None:
    source = tmp_path / "sample.py"
    source.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import hidden\nelse:\n    import shown\n"
        "def late():\n    import torch.nn\n    from nebula import selector\n"
    )
    assert set(imports(source)) == {"typing", "shown", "torch.nn", "nebula", "nebula.selector"}


@pytest.mark.parametrize("path", [p for p in modules() if room(dotted(p)) == "policy"], ids=dotted)
def test_policy_never_names_torch(path: Path) -> None:
    assert not [name for name in imports(path) if name.split(".")[0] == "torch"]


def _torch_free() -> list[str]:
    free = []
    for module in map(dotted, modules()):
        parts = module.split(".")
        last = parts[-1]
        if (
            room(module) in _TORCH_FREE_ROOMS
            or (room(module) == "losses" and last in TORCH_FREE_LOSSES)
            or (room(module) == "profiling" and last in TORCH_FREE_PROFILING)
        ):
            free.append(module)
    return free


def test_the_torch_free_rooms_load_without_torch() -> None:
    names = _torch_free()
    assert len(names) > 20
    code = (
        "import importlib, sys\n"
        f"for name in {names!r}:\n"
        "    importlib.import_module(name)\n"
        "    assert 'torch' not in sys.modules, name\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("heavy", ["torch", "numpy", "pydantic", "yaml", "durable"])
def test_importing_the_package_loads_nothing_heavy(heavy: str) -> None:
    code = f"import nebula, sys; dir(nebula); nebula.__version__; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_every_public_name_loads() -> None:
    import nebula

    assert {name for name in nebula.__all__ if getattr(nebula, name).__name__ != name} == set()
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        nebula.nothing  # noqa: B018
