"""Elements of a page; text and attributes are escaped when they are written, whatever they hold."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, tostring

__all__ = ["Content", "element", "render", "svg"]

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

Content = Element | str | None
"""What an element may hold; None is nothing."""


def element(tag: str, *content: Content, **attributes: str | float) -> Element:
    """Return an element.

    Args:
        tag: Its name.
        *content: Text and elements in order; None is left out.
        **attributes: `class_` is `class`, `stroke_width` is `stroke-width`.
    """
    made = Element(tag, {_name(name): _clean(_number(value)) for name, value in attributes.items()})
    for part in content:
        if isinstance(part, Element):
            made.append(part)
        elif part is not None:
            _add_text(made, _clean(part))
    return made


def svg(width: int, height: int, label: str, *shapes: Content) -> Element:
    """Return a drawing that scales with the page and says what it shows."""
    return element("svg", *shapes, viewBox=f"0 0 {width} {height}", role="img", aria_label=label)


def render(page: Element) -> str:
    """Return a page as HTML text."""
    return "<!doctype html>\n" + tostring(page, encoding="unicode", method="html") + "\n"


def _name(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _number(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub("\ufffd", text)


def _add_text(made: Element, text: str) -> None:
    if len(made):
        made[-1].tail = (made[-1].tail or "") + text
    else:
        made.text = (made.text or "") + text
