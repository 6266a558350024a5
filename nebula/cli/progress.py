"""A progress bar on standard error, while a person waits."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["show_progress"]


@contextmanager
def show_progress(what: str, unit: str = "rows") -> Iterator[Callable[[int], None] | None]:
    """Give a function that takes how many came with each step; None where no terminal shows standard error.

    Args:
        what: What is going on.
        unit: What is counted.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn(f"{{task.completed:,}} {unit}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what)
        yield lambda rows: bar.advance(task, rows)
