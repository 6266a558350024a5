"""Every generated page, by its path below `docs`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from nebula.losses.catalogue import builtin_entries
from nebula.losses.registry import LossEntry
from nebula.reference.choices import choices
from nebula.reference.codes import code_pages, render_code, render_code_index
from nebula.reference.facts import render_facts
from nebula.reference.loss_index import render_loss_index
from nebula.reference.loss_page import render_loss
from nebula.reference.properties import render_properties
from nebula.reference.which_loss import render_which_loss

__all__ = ["OWNED", "pages", "write_pages"]

OWNED = ("errors", "losses", "reference")
"""The folders whose Markdown files are all generated."""


def pages() -> dict[str, Callable[[], str]]:
    """Return each page with the function that renders it."""
    return dict(_pages())


def _pages() -> Iterator[tuple[str, Callable[[], str]]]:
    yield "reference/facts.md", render_facts
    yield "reference/conformance.md", render_properties
    yield "which-loss.md", render_which_loss
    yield "losses/README.md", render_loss_index
    for entry in builtin_entries():
        yield f"losses/{entry.name}.md", partial(_render, entry)
    yield "errors/README.md", render_code_index
    for code in code_pages():
        yield f"errors/{code}.md", partial(render_code, code)


def _render(entry: LossEntry) -> str:
    return render_loss(entry, tuple(choice for choice in choices() if entry.name in choice.losses))


def write_pages(folder: Path) -> list[Path]:
    """Write every page below a folder and return the paths.

    Raises:
        OSError: The folder cannot be written.
    """
    written = []
    for name, render in pages().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(), encoding="utf-8")
        written.append(path)
    return written
