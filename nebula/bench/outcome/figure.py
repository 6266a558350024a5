"""nebula's regret on every problem as one picture, beside the peer rule's and the spread of the candidates."""

from __future__ import annotations

from pathlib import Path

from nebula.bench.outcome.report import OutcomeReport

__all__ = ["draw_outcome"]

# Okabe and Ito (2008): told apart with every common colour vision
_NEBULA, _PEER, _CANDIDATE = "#0072B2", "#E69F00", "0.75"
_LINEAR = 0.02


def draw_outcome(report: OutcomeReport, file: Path) -> None:
    """Write the figure as SVG; the same report gives the same bytes.

    Args:
        report: What was found.
        file: The file; overwritten.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure  # without pyplot: no global state, no display

    ordered = sorted(report.problems, key=lambda problem: problem.regrets["nebula"].normalised)
    with mpl.rc_context({"svg.hashsalt": "nebula", "svg.fonttype": "path"}):
        figure = Figure(figsize=(9, 1.6 + 0.32 * len(ordered)), layout="constrained")
        axes = figure.add_subplot()
        for place, problem in enumerate(ordered):
            spread = problem.constant - problem.best_score
            tried = [(score - problem.best_score) / spread for score in problem.candidates.values()]
            axes.scatter(tried, [place] * len(tried), s=14, color=_CANDIDATE, zorder=2)
            axes.scatter(problem.regrets["peer_inferred"].normalised, place, s=40, marker="s", color=_PEER, zorder=3)
            axes.scatter(problem.regrets["nebula"].normalised, place, s=40, color=_NEBULA, zorder=4)
        axes.axvline(0, color="0.35", linewidth=1, zorder=1)
        axes.axvline(1, color="0.35", linewidth=1, linestyle=":", zorder=1)
        axes.set_xscale("symlog", linthresh=_LINEAR)
        axes.set_yticks(range(len(ordered)), [_label(problem.problem) for problem in ordered], fontsize=8)
        axes.set_xlabel("normalised regret: 0 = best candidate in hindsight, 1 = constant predictor")
        for name, colour, marker in (
            ("nebula", _NEBULA, "o"),
            ("peer rule as inferred", _PEER, "s"),
            ("a candidate", _CANDIDATE, "o"),
        ):
            axes.scatter([], [], color=colour, marker=marker, label=name)
        axes.legend(loc="lower right", fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})


def _label(problem: str) -> str:
    _, item, column, metric = problem.split(":")
    return f"{item.rpartition('/')[2]} {'' if column == 'target' else column} ({metric})".replace("  ", " ")
