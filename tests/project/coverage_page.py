"""What the texts name and what answers it, as a page: `python -m tests.project.coverage_page` writes it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import yaml

from nebula.losses.catalogue import builtin_entries
from nebula.profiling.vocabulary import vocabulary
from nebula.reference.markdown import page, table
from tests.project.tree import ROOT

SOURCE = ROOT / "docs" / "coverage.yaml"
PAGE = ROOT / "docs" / "coverage.md"
_NOTICE = "<!-- Generated from coverage.yaml by `python -m tests.project.coverage_page`. -->"


@dataclass(frozen=True)
class Item:
    """One thing that a text names."""

    item: str
    sections: tuple[str, ...]
    by: tuple[str, ...]
    advice: str


def read() -> tuple[dict[str, str], list[Item]]:
    """Sections by number, and the items."""
    document: dict[str, Any] = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    items = [
        Item(row.pop("item"), tuple(row.pop("in")), tuple(row.pop("by", ())), row.pop("advice", ""))
        for row in map(dict, document["items"])
    ]
    return {str(number): title for number, title in document["sections"].items()}, items


def exists(name: str) -> bool:
    """Whether a loss, a parameter, a fact, a page or a Python object of that name is there."""
    params = {entry.name: entry.params.model_fields for entry in builtin_entries()}
    first, _, rest = name.partition(".")
    if name.startswith("docs/"):
        return (ROOT / name).is_file()
    if ":" in name:
        module, _, thing = name.partition(":")
        if module.startswith("nebula.integrations."):  # imports a framework that may not be installed
            return thing in _defined(ROOT / f"{module.replace('.', '/')}.py")
        try:
            return resolve_name(name) is not None
        except (ImportError, AttributeError):
            return False
    return name in params or name in vocabulary() or rest in params.get(first, {})


def _defined(file: Path) -> set[str]:
    """The names that a module defines, read and not run."""
    if not file.is_file():
        return set()
    return {
        node.name
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }


def rendered() -> str:
    """The page."""
    return page(_lines())


def _lines() -> Iterator[str]:
    sections, items = read()
    yield from ("# Coverage", "", _NOTICE, "")
    yield "What the paper and the guide name, by their sections, and what answers it here; or why it is advice."
    yield ""
    for number, title in sections.items():
        yield from (f"## {number} {title}".replace("## P", "## "), "")
        here = (item for item in items if number in item.sections)
        yield from table(
            ("named", "answered by", "remark"),
            ((item.item, ", ".join(map(_link, item.by)), item.advice) for item in here),
        )
        yield ""


def _link(name: str) -> str:
    if any(entry.name == name.partition(".")[0] for entry in builtin_entries()):
        return f"[{name}](losses/{name.partition('.')[0]}.md)"
    return f"[{name}]({name.removeprefix('docs/')})" if name.startswith("docs/") else f"`{name.replace(':', '.')}`"


if __name__ == "__main__":
    PAGE.write_text(rendered(), encoding="utf-8")
