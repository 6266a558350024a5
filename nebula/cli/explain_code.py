"""`nebula explain-code`: what the code of a policy's problem means."""

from __future__ import annotations

from typing import Annotated

import typer

from nebula.cli.output import show_table, show_text

__all__ = ["explain_code"]


def explain_code(
    code: Annotated[
        str | None,
        typer.Argument(metavar="[CODE]", help="Such as NEB-P052; left out, all are listed.", show_default=False),
    ] = None,
) -> None:
    """Explain the code of a policy's problem: its meaning, how to mend it, an example."""
    from nebula.policy.codes.catalogue import CODES, nearest_code
    from nebula.policy.codes.markdown import render_page

    if code is None:
        show_table(("code", "severity", "problem"), [(page.code, page.severity, page.title) for page in CODES.values()])
        return
    page = CODES.get(code.upper())
    if page is None:
        near = nearest_code(code)
        guess = f" Did you mean {near}?" if near else " `nebula explain-code` lists them."
        raise typer.BadParameter(f"expected a code such as NEB-P052, found {code!r}.{guess}", param_hint="CODE")
    show_text(render_page(page).rstrip())
