"""A code's page as Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from nebula.checking.codes.page import PREAMBLE, CheckPage

__all__ = ["render_check_index", "render_check_page"]

_LEVELS = {
    "error": "the number is meaningless, or the call fails",
    "warning": "it trains worse, or is probably not meant",
    "note": "the data cannot tell",
}


def render_check_page(page: CheckPage) -> str:
    """Return what the code means, how to mend it, and an example before and after."""
    lines = [f"# {page.code}: {page.title}", "", f"{page.severity.capitalize()}: {_LEVELS[page.severity]}.", ""]
    lines += [page.meaning, "", f"**To mend it:** {page.mend}", ""]
    lines += ["Wrong", "", "```python", *PREAMBLE.splitlines(), *page.bad.splitlines(), "```", ""]
    lines += ["Right", "", "```python", *page.good.splitlines(), "```"]
    return "\n".join(lines) + "\n"


def render_check_index(pages: Iterable[CheckPage]) -> str:
    """Return the list of all codes, each linked to its page."""
    lines = [
        "## Findings about a loss",
        "",
        "`nebula check` and `nebula.check` find them; `nebula explain-code CODE` shows these pages. The severity is",
        "the gravest that a code can have: where the numbers cannot tell, it is lower.",
        "",
        "| code | | finding |",
        "|---|---|---|",
        *(f"| [{page.code}]({page.code}.md) | {page.severity} | {page.title} |" for page in pages),
    ]
    return "\n".join(lines) + "\n"
