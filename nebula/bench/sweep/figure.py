"""One SVG a sweep: the metric of every candidate against the level, with the policy's boundary drawn in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nebula.bench.sweep.catalogue import SWEEPS, Sweep
from nebula.bench.sweep.point import Point
from nebula.bench.sweep.summary import Reading, boundary, read_point

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_sweeps"]

# Okabe and Ito (2008): told apart with every common colour vision
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00")
_MARKERS = "osD^v"
_MOST = 1.6  # times the best: a candidate that fails must not flatten the rest


def draw_sweeps(points: Sequence[Point], parameters: Mapping[str, object], folder: Path) -> tuple[Path, ...]:
    """Write `sweep-NAME.svg` for every sweep that has points.

    Args:
        points: What was found.
        parameters: Thresholds of the policy that was asked.
        folder: Of the pictures; made when it is not there.

    Returns:
        The files.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for sweep in SWEEPS:
        found = {m: [read_point(p) for p in points if (p.sweep, p.metric) == (sweep.name, m)] for m in sweep.metrics}
        found = {metric: readings for metric, readings in found.items() if readings}
        if not found:
            continue
        with mpl.rc_context({"svg.hashsalt": "nebula", "svg.fonttype": "none"}):
            figure = Figure(figsize=(5.2 * len(found), 3.8), layout="constrained")
            for axes, (metric, readings) in zip(
                figure.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True
            ):
                _draw(axes, sweep, metric, readings, parameters.get(sweep.parameter or ""))
            file = folder / f"sweep-{sweep.name}.svg"
            figure.savefig(file, metadata={"Date": None, "Creator": None})
        file.write_text("".join(f"{line.rstrip()}\n" for line in file.read_text().splitlines()), encoding="utf-8")
        written.append(file)
    return tuple(written)


def _draw(axes: Axes, sweep: Sweep, metric: str, readings: Sequence[Reading], threshold: object) -> None:
    levels = [reading.level for reading in readings]
    for place, name in enumerate(readings[0].means):
        axes.plot(
            levels, [r.means[name] for r in readings], f"-{_MARKERS[place]}", color=_COLOURS[place], label=name, ms=5
        )
    chosen = [(r.level, r.means[r.chosen]) for r in readings if r.chosen in r.means]
    if chosen:
        axes.plot(*zip(*chosen, strict=True), "o", ms=13, mfc="none", mec="0.3", ls="", label="what the policy names")
    crossed = boundary(readings, float(threshold)) if isinstance(threshold, int | float) else None
    if crossed is not None:
        axes.axvline(crossed, color="0.2", ls="--", lw=1.2, label=f"{sweep.parameter} = {threshold}")
    bests = [r.means[r.best] for r in readings]
    low, high = axes.get_ylim()
    axes.set_ylim(low, min(high, _MOST * max(bests)))
    if sweep.log_axis:
        axes.set_xscale("log")
    axes.set_xlabel(sweep.axis)
    axes.set_ylabel(metric)
    axes.grid(color="0.92")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7, frameon=False)
