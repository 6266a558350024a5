"""`nebula explain-code`: what the code of a policy's problem, or of a finding about a loss, means."""

from __future__ import annotations

from typing import Annotated

import typer

from nebula.cli.output import show_table, show_text

__all__ = ["explain_code"]


def explain_code(
    code: Annotated[
        str | None,
        typer.Argument(
            metavar="[CODE]", help="Such as NEB-P052 or p052; left out, all are listed.", show_default=False
        ),
    ] = None,
) -> None:
    """Explain the code of a policy's problem or of a finding: its meaning, how to mend it, an example."""
    from nebula.checking.codes.catalogue import CHECK_CODES
    from nebula.checking.codes.markdown import render_check_page
    from nebula.policy.codes.catalogue import CODES, nearest_code, whole_code
    from nebula.policy.codes.markdown import render_page

    if code is None:
        pages: list[tuple[str, str, str]] = [(page.code, page.severity, page.title) for page in CODES.values()]
        pages += [(page.code, page.severity, page.title) for page in CHECK_CODES.values()]
        show_table(("code", "severity", "problem"), pages)
    elif (whole := whole_code(code)) in CODES:
        show_text(render_page(CODES[whole]).rstrip())
    elif whole in CHECK_CODES:
        show_text(render_check_page(CHECK_CODES[whole]).rstrip())
    else:
        near = nearest_code(code, [*CODES, *CHECK_CODES])
        guess = f" Did you mean {near}?" if near else " `nebula explain-code` lists them."
        raise typer.BadParameter(f"expected a code such as NEB-P052, found {code!r}.{guess}", param_hint="CODE")
