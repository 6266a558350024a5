"""The pages of codes: what can be wrong with a policy or with the use of a loss."""

from __future__ import annotations

from nebula.checking.codes.catalogue import CHECK_CODES
from nebula.checking.codes.markdown import render_check_index, render_check_page
from nebula.policy.codes.catalogue import CODES
from nebula.policy.codes.markdown import render_index, render_page
from nebula.reference.markdown import with_notice

__all__ = ["code_pages", "render_code", "render_code_index"]


def code_pages() -> tuple[str, ...]:
    """Return every code that has a page."""
    return (*CODES, *CHECK_CODES)


def render_code_index() -> str:
    """Return the list of all codes."""
    return with_notice(f"{render_index(list(CODES.values()))}\n{render_check_index(CHECK_CODES.values())}")


def render_code(code: str) -> str:
    """Return the page of a code."""
    return with_notice(render_check_page(CHECK_CODES[code]) if code in CHECK_CODES else render_page(CODES[code]))
