"""Every page is reached from the table of contents, every link leads somewhere, and `make docs` writes them all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.tree import ROOT

DOCS = ROOT / "docs"
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def links(page: Path) -> Iterator[Path]:
    """The files that a page links, fenced blocks left out."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return ((page.parent / target).resolve() for target in _LINK.findall(text) if "://" not in target)


@pytest.mark.parametrize("page", [*sorted(DOCS.rglob("*.md")), ROOT / "README.md"], ids=lambda p: p.stem)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [str(target) for target in links(page) if not target.exists()] == []


def test_every_page_is_reached_from_the_contents() -> None:
    contents = DOCS / "README.md"
    reached, waiting = {contents}, [contents]
    while waiting:
        for target in links(waiting.pop()):
            if target.suffix == ".md" and target.is_relative_to(DOCS) and target not in reached:
                reached.add(target)
                waiting.append(target)
    assert sorted(str(page) for page in set(DOCS.rglob("*.md")) - reached) == []
    assert {page for page in DOCS.glob("*.md") if page != contents} <= set(links(contents))


def test_every_page_stands_in_the_menu_of_the_site() -> None:
    (menu,) = re.findall(r"^nav:\n(.*)", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    listed = {DOCS / name for name in re.findall(r"(\S+\.md)$", menu, re.MULTILINE)}
    indexed = {page for page in DOCS.rglob("*.md") if page.parent.name in {"losses", "errors"}}
    assert sorted(str(page) for page in set(DOCS.rglob("*.md")) - indexed - listed) == []


def test_the_front_pages_lead_to_the_contents() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        assert DOCS / "README.md" in set(links(ROOT / name)), name


def test_make_docs_writes_every_page_that_a_module_writes() -> None:
    (pages,) = re.findall(r"^PAGES := (.*?[^\\])$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    writers = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "tests").rglob("*.py")
        if path != Path(__file__)
        and '__name__ == "__main__"' in (text := path.read_text(encoding="utf-8"))
        and '"docs"' in text
    }
    assert len(writers) >= 5
    assert writers == set(re.findall(r"[\w.]+", pages))
