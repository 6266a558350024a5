"""The loss-comparison plots: values of losses as the paper shows them, and what trained networks score."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

from nebula.bench.paper.report import PaperReport

__all__ = ["draw_paper"]

_NEBULA, _OTHER, _POINT = "#0072B2", "#BBBBBB", "#222222"


def draw_paper(report: PaperReport, folder: Path) -> tuple[Path, Path]:
    """Write `paper-values.svg` and `paper-trained.svg`; the folder is made when it is not there."""
    values = {f"{part.task}: value of the loss": part.values for part in report.described}
    scores = {f"{part.task}: {part.metric}": part.scores | {"constant": part.constant} for part in report.trained}
    folder.mkdir(parents=True, exist_ok=True)
    return _bars(values, folder / "paper-values.svg"), _bars(scores, folder / "paper-trained.svg")


def _bars(panels: dict[str, dict[str, tuple[float, ...]]], file: Path) -> Path:
    """Draw one panel a question, one bar a loss at its mean, one dot a draw or seed."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "nebula", "svg.fonttype": "none"}):
        figure = Figure(figsize=(3.4 * len(panels), 3.2), layout="constrained")
        for axes, (title, found) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
            places = range(len(found))
            axes.bar(
                places, [fmean(v) for v in found.values()], color=[_NEBULA if n == "nebula" else _OTHER for n in found]
            )
            for place, values in zip(places, found.values(), strict=True):
                axes.plot([place] * len(values), values, ".", color=_POINT, markersize=3)
            axes.set_xticks(list(places), list(found), rotation=35, ha="right", fontsize=8)
            axes.set_title(title, fontsize=9, loc="left")
            axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(file, metadata={"Date": None, "Creator": None})
    file.write_text("".join(f"{line.rstrip()}\n" for line in file.read_text().splitlines()), encoding="utf-8")
    return file
