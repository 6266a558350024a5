"""`nebula demo`: the whole way on real data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["demo"]

Quick = Annotated[bool, typer.Option("--quick", help="Fewer data sets and steps: a smoke test, not a comparison.")]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Paired repetitions.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the figure, the numbers and the traces.")]


def demo(quick: Quick = False, seeds: Seeds = 3, out: Out = Path("artifacts")) -> None:
    """Choose losses for real data sets, train with them, and compare with the naive rule."""
    from nebula.demo.run import run_demo

    run_demo(out, seeds=seeds, quick=quick)
