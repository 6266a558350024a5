"""A decision's stability on the screen, drawn with a progress bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nebula.cli.output import show_json, show_table, show_text

if TYPE_CHECKING:
    from nebula.cli.request import DataRequest

__all__ = ["RESAMPLES", "show_stability"]

RESAMPLES = 200
"""How many, unless told otherwise: where all choose one loss, the 95 % interval of its share begins at 98 %."""


def show_stability(
    request: DataRequest, policy: str, parameters: list[str] | None, resamples: int, *, json: bool
) -> None:
    """Resample the request's rows and say how often the same loss wins."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("resampling", total=resamples)
        found = request.resample(policy, parameters, resamples, lambda: progress.advance(task))
    if json:
        show_json(found.model_dump_json(indent=2))
        return
    low, high = found.interval
    show_text(
        f"{found.loss} wins on {found.same_loss:.0%} of {found.resamples} resamples of {found.rows} rows "
        f"(95 % interval {low:.0%} to {high:.0%})"
    )
    show_table(("loss", "share"), ((name, f"{share:.1%}") for name, share in found.losses.items()))
    show_table(("rule", "share"), ((name, f"{share:.1%}") for name, share in found.rules.items()))
    if found.nearest:
        edge = found.nearest
        show_text(
            f"nearest boundary: {edge.fact} = {edge.value:.6g}, across `{edge.comparison}`: "
            f"{edge.would_choose or 'no loss'}"
        )
