"""A code's page as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from nebula.policy.codes.page import CodePage

__all__ = ["render_index", "render_page"]


def render_page(page: CodePage) -> str:
    """Return what the code means, how to mend it, and an example before and after."""
    level = "keeps the policy from loading" if page.severity == "error" else "the policy loads all the same"
    lines = [f"# {page.code}: {page.title}", "", f"{page.severity.capitalize()}: {level}.", "", page.meaning, ""]
    lines += [f"**To mend it:** {page.mend}", "", "Wrong", *_condition_of(page), "", "```yaml"]
    lines += [*page.bad.splitlines(), "```", "", "Right", "", "```yaml", *page.good.splitlines(), "```"]
    return "\n".join(lines) + "\n"


def _condition_of(page: CodePage) -> Iterator[str]:
    """Yield what must be known about the wrong example beside its text."""
    if page.encoding != "utf-8":
        yield f"(saved as {page.encoding})"
    if page.settings:
        yield f"(with `{' '.join(f'--set {name}={value}' for name, value in page.settings.items())}`)"
    if "extends: [policy.yaml]" in page.bad:
        yield "(in the file `policy.yaml` itself)"
    if page.beside:
        yield f"({', '.join(f'`{name}`' for name in page.beside)} each extend the next one)"


def render_index(pages: list[CodePage]) -> str:
    """Return the list of all codes, each linked to its page."""
    lines = [
        "# Problems of a policy",
        "",
        "`nebula policy lint FILE...` finds them; `nebula explain-code CODE` shows these pages. An error keeps a",
        "policy from loading; a warning is told by `lint` only, and `lint --strict` refuses it.",
        "",
        "| code | | problem |",
        "|---|---|---|",
        *(f"| [{page.code}]({page.code}.md) | {page.severity} | {page.title} |" for page in pages),
    ]
    return "\n".join(lines) + "\n"
