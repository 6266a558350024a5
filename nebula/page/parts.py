"""What a page is put together from: sections, tables, lists of terms, sentences with code in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element

from nebula.page.element import Content, element

__all__ = ["bullets", "section", "sentence", "table", "terms"]


def section(title: str, *content: Element | None) -> Iterator[Element]:
    """Yield a section with its heading, unless all of its content is empty."""
    present = [part for part in content if part is not None and len(part)]
    if present:
        yield element("section", element("h2", title), *present)


def sentence(tag: str, text: str, **attributes: str) -> Element:
    """Return a text in which what stands between backticks is code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backtick without its twin
        return element(tag, text, **attributes)
    content = (element("code", part) if place % 2 else part for place, part in enumerate(parts))
    return element(tag, *content, **attributes)


def terms(pairs: Iterable[tuple[str, Content]]) -> Element:
    """Return a list of names with what they stand for."""
    return element("dl", *(part for name, told in pairs for part in (element("dt", name), element("dd", told))))


def bullets(lines: Iterable[str]) -> Element:
    """Return a list of sentences."""
    return element("ul", *(sentence("li", line) for line in lines))


def table(columns: tuple[str, ...], rows: Iterable[tuple[Content, ...]]) -> Element | None:
    """Return a table whose cells name their column, for screens too narrow for a heading; None without rows."""
    made = [
        element(
            "tr",
            *(element("td", cell, data_name=name, class_=name) for name, cell in zip(columns, row, strict=True)),
        )
        for row in rows
    ]
    head = element("thead", element("tr", *(element("th", name, scope="col", class_=name) for name in columns)))
    return element("table", head, element("tbody", *made)) if made else None
