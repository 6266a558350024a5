"""docs/python-api.md and docs/schemas.md, from the public names and the schemas: `python -m tests.pages.reference`."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import nebula
from nebula.reference.markdown import NOTICE, page, table
from nebula.schemas import SCHEMAS
from tests.project.tree import ROOT

_KINDS = {
    "Decide": ["Nebula", "select", "build", "check"],
    "Look at data": ["profile", "Hints", "PredictionSpec", "DataProfile", "register_fact"],
    "Read a decision": ["Decision", "DecisionTrace", "LossSpec", "CheckReport"],
    "Policies": ["load_policy", "Policy"],
    "Losses": ["Criterion", "LossFunction", "register_loss", "use_plugins"],
}


def python_page() -> str:
    """Every public name: one sentence, and on the site its signature and docstring."""
    assert sorted(name for names in _KINDS.values() for name in names) == sorted(nebula.__all__)
    lines = ["# Python", "", NOTICE, "", "Everything public is a name of `nebula`, loaded when it is first used.", ""]
    for kind, names in _KINDS.items():
        lines += [f"## {kind}", ""]
        rows = [(f"`nebula.{name}`", (inspect.getdoc(getattr(nebula, name)) or "").split("\n")[0]) for name in names]
        lines += [*table(("name", "what it is"), rows), ""]
        lines += [
            f"::: {getattr(nebula, name).__module__}.{name}\n    options: {{heading_level: 3}}\n" for name in names
        ]
        lines += [""]
    return page(lines)


def schema_page() -> str:
    """Every schema with what it describes."""
    lines = ["# Schemas", "", NOTICE, "", "`nebula schema NAME` prints one; the wheel holds them all.", ""]
    rows = []
    for name in sorted(SCHEMAS):
        described = " ".join(str(SCHEMAS[name]().get("description", "")).split("\n\n")[0].split())
        rows.append((f"[`{name}`](../schemas/{name}.schema.json)", described))
    return page([*lines, *table(("name", "what it describes"), rows)])


WRITTEN: dict[str, Callable[[], str]] = {"python-api.md": python_page, "schemas.md": schema_page}


if __name__ == "__main__":
    for name, write in WRITTEN.items():
        (ROOT / "docs" / name).write_text(write(), encoding="utf-8")
