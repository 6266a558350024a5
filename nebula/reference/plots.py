"""The curve of every loss: `python -m nebula.reference.plots docs/losses/plots` (needs matplotlib).

The value and the gradient of the first element's loss, or of the whole batch where rows depend on
each other, as the first raw output moves and all else stays as drawn from the contract. The same
code and matplotlib give the same files, byte for byte.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nebula.errors import MissingExtraError
from nebula.losses.catalogue import builtin_entries

if TYPE_CHECKING:
    from nebula.conformance.subject import Subject
    from nebula.losses.registry import LossEntry

__all__ = ["Curve", "curves_of", "write_plots"]

_POINTS = 81
_REACH = 4.0
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "nebula",
    "font.size": 8,
    "axes.grid": True,
    "grid.alpha": 0.3,
}
_SIZE = (3.2, 2.4)


@dataclass(frozen=True)
class Curve:
    """A loss along one raw output.

    Attributes:
        label: Under which contract, and the first target.
        outputs: Values of the output.
        losses: The loss at each.
        gradients: Its derivative at each.
    """

    label: str
    outputs: list[float]
    losses: list[float]
    gradients: list[float]


def curves_of(entry: LossEntry) -> tuple[Curve, ...]:
    """Return one curve for each of a loss's contracts, at most three."""
    from nebula.conformance.subject import subjects_of

    return tuple(_curve(subject) for subject in subjects_of(entry)[:3])


def _curve(subject: Subject) -> Curve:
    import torch

    contract = subject.contract
    alone = "none" in contract.reductions and not contract.couples_samples
    sample, criterion = subject.sample(0), subject.criterion(**({"reduction": "none"} if alone else {}))
    positive = contract.prediction_space in ("rate", "probabilities")
    high = 0.98 if contract.prediction_space == "probabilities" else _REACH
    outputs = torch.linspace(0.02 if positive else -_REACH, high, _POINTS, dtype=torch.float64)
    losses, gradients = [], []
    for output in outputs:
        prediction = sample.prediction.clone()
        prediction[(0,) * prediction.ndim] = output
        prediction.requires_grad_()
        value = criterion(prediction, sample.target, **sample.extra).flatten()[0]
        (slope,) = torch.autograd.grad(value, prediction)
        losses.append(value.item())
        gradients.append(slope.flatten()[0].item())
    needs = [f"{name}={value}" for name, value in contract.requires_params.items()]
    label = ", ".join([*needs, f"y = {sample.target.flatten()[0].item():.3g}"])
    return Curve(label, outputs.tolist(), losses, gradients)


def write_plots(folder: Path, entries: Iterable[LossEntry]) -> list[Path]:
    """Write one SVG a loss and return the paths; a loss made of other losses has none.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OSError: The folder cannot be written.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "demo", "a plot of losses") from error

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for entry in entries:
        if entry.composed:
            continue
        path = folder / f"{entry.name}.svg"
        with mpl.rc_context(_SETTINGS):
            figure = Figure(figsize=(2 * _SIZE[0], _SIZE[1]), layout="constrained")
            value, slope = figure.subplots(1, 2)
            for curve in curves_of(entry):
                value.plot(curve.outputs, curve.losses, label=curve.label, linewidth=1.2)
                slope.plot(curve.outputs, curve.gradients, linewidth=1.2)
            value.set(xlabel="one raw output", title=entry.name)
            slope.set(xlabel="one raw output", title="gradient")
            value.legend(fontsize=6)
            # a date would make every run another file
            figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
        written.append(path)
    return written


if __name__ == "__main__":
    for plot in write_plots(Path(sys.argv[1]), builtin_entries()):
        sys.stderr.write(f"wrote {plot}\n")
