"""Names of axes: how shapes are written in contracts.

N rows, M rows of another side, C classes or columns, D features of an embedding, K parameters or thresholds, Q quantile
levels, T input steps, S target steps, 1 an axis of size one; an ellipsis is any number of further axes.
"""

from __future__ import annotations

__all__ = ["LAYOUT_AXES", "Axes", "write_axes"]

Axes = tuple[str, ...]

LAYOUT_AXES: dict[str, tuple[Axes, Axes]] = {
    "same": (("N", "…"), ("N", "…")),
    "class_axis": (("N", "C", "…"), ("N", "…")),
    "mean_and_variance": (("N", "…", "2"), ("N", "…")),
    "parameters": (("N", "…", "K"), ("N", "…")),
    "levels": (("N", "…", "Q"), ("N", "…")),
    "thresholds": (("N", "K", "…"), ("N", "…")),
    "time_and_event": (("N",), ("N", "2")),
}


def write_axes(axes: Axes) -> str:
    """Return axes as people write shapes: `(N, C, …)`."""
    return f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"
