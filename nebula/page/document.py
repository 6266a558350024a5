"""A whole page: one file that loads nothing and runs nothing."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from nebula.page.element import Content, element, render
from nebula.page.style import STYLE

__all__ = ["document", "write_page"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""The page loads nothing and runs nothing, whatever stands in it."""


def document(title: str, *body: Content) -> str:
    """Return a page as self-contained HTML.

    Args:
        title: What the browser names it.
        *body: What stands on it, in order.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{title}: nebula"),
        element("style", STYLE),
    )
    return render(element("html", head, element("body", *body), lang="en"))


def write_page(page: str, path: Path) -> None:
    """Write a page, whole or not at all.

    Raises:
        OSError: The file cannot be written.
    """
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        draft.write_text(page, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror or "cannot be written", str(path)) from None
    finally:
        draft.unlink(missing_ok=True)
