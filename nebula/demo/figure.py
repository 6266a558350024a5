"""The report as one picture: every seed's pair, on the scale from the best constant to a perfect answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nebula.demo.report import DemoReport, Row, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw"]

# Okabe and Ito (2008): told apart with every common colour vision
_NAIVE, _NEBULA = "#E69F00", "#0072B2"


def draw(report: DemoReport, path: Path) -> None:
    """Write the figure as PNG.

    Args:
        report: What was found.
        path: The file; overwritten.
    """
    from matplotlib.figure import Figure  # without pyplot: no global state, no display

    height = 1.8 + 0.5 * len(report.rows)
    figure = Figure(figsize=(10, height), dpi=140, layout="constrained")
    axes = figure.add_subplot()
    places = range(len(report.rows) - 1, -1, -1)
    for place, row in zip(places, report.rows, strict=True):
        _draw_row(axes, place, row)
    axes.axvline(0, color="0.35", linewidth=1, zorder=0)
    axes.set_yticks(list(places), [f"{row.name}\n{row.metric}" for row in report.rows], fontsize=9)
    axes.set_ylim(-0.7, len(report.rows) - 0.3)
    axes.set_xlabel("held-out skill by the declared metric:  0 = best constant,  1 = perfect")
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    seeds = report.settings.seeds
    axes.set_title(f"Naive rule (circles) and nebula (diamonds), {seeds} paired seeds", loc="left")
    handles = [
        axes.plot([], [], "o", color=_NAIVE, markeredgecolor="black", label="naive rule by type")[0],
        axes.plot([], [], "D", color=_NEBULA, markeredgecolor="black", label="nebula")[0],
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    figure.savefig(path)


def _draw_row(axes: Axes, place: int, row: Row) -> None:
    theirs, ours = row.skill(row.naive), row.skill(row.nebula)
    step = min(0.12, 0.7 / len(theirs))
    lanes = [place + step * (lane - (len(theirs) - 1) / 2) for lane in range(len(theirs))]
    axes.hlines(lanes, theirs, ours, color="0.6", linewidth=1.2, zorder=1)
    axes.plot(theirs, lanes, "o", color=_NAIVE, markeredgecolor="black", markeredgewidth=0.5, markersize=6, zorder=2)
    axes.plot(ours, lanes, "D", color=_NEBULA, markeredgecolor="black", markeredgewidth=0.5, markersize=5.5, zorder=3)
    axes.annotate(
        f"{percent(row.gain)} {row.verdict}",
        (1.01, place),
        xycoords=("axes fraction", "data"),
        fontsize=9,
        verticalalignment="center",
    )
