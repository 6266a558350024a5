"""NEB-C060 to NEB-C070: sequences, and the unit of the target."""

from __future__ import annotations

from nebula.checking.codes.page import CheckPage

__all__ = ["PAGES"]

_CTC = "loss, prediction = nn.CTCLoss(), torch.randn(12, 2, 5).log_softmax(-1)\n"


def _with(target: str, inputs: str = "[12, 12]", targets: str = "[3, 3]") -> str:
    return (
        f"{_CTC}target = torch.tensor({target})\n"
        f"extra = {{'input_lengths': torch.tensor({inputs}), 'target_lengths': torch.tensor({targets})}}\n"
    )


_GOOD = _with("[[1, 2, 3], [4, 3, 1]]")

PAGES = (
    CheckPage(
        "NEB-C060",
        "lengths that do not fit the sequences",
        "There is one length a sequence, and none is beyond its data; beyond them CTCLoss may read foreign memory.",
        "Compute the lengths from the data, after the model's strides.",
        _with("[[1, 2, 3], [4, 3, 1]]", inputs="[12, 20]"),
        _GOOD,
    ),
    CheckPage(
        "NEB-C061",
        "labels longer than the input",
        "Every label needs a step, and a repeated one a blank between: shorter inputs have an infinite loss and a NaN "
        "gradient.",
        "Leave these sequences out, use fewer strides, or set zero_infinity=True, which leaves them out in silence.",
        _with("[[1, 2, 3], [4, 3, 1]]", inputs="[12, 2]"),
        _GOOD,
    ),
    CheckPage(
        "NEB-C062",
        "the blank among the labels",
        "The blank stands for no label, so a target that holds it cannot be what was said.",
        "Number the labels from 1, or set `blank` to the last output.",
        _with("[[1, 0, 3], [2, 3, 1]]"),
        _GOOD,
    ),
    CheckPage(
        "NEB-C063",
        "labels of a sequence that no output stands for",
        "torch does not check them: on a CPU it reads, and in the backward pass writes, memory that is not its own. "
        "`nebula check` does not run such a call.",
        "Give the last layer one output per label and one for the blank.",
        _with("[[1, 2, 7], [4, 3, 1]]"),
        _GOOD,
    ),
    CheckPage(
        "NEB-C070",
        "a turning point far below the targets",
        "HuberLoss and SmoothL1Loss turn from squared to linear at an error of `delta` or `beta`, in the target's "
        "unit: with prices in thousands every error is beyond, and what is left is L1Loss.",
        "Scale the targets, or set it to about 1.35 times the spread of the residuals.",
        "loss, prediction, target = nn.HuberLoss(), torch.zeros(50), 1000 * torch.randn(50)\n",
        "loss, prediction, target = nn.HuberLoss(), torch.zeros(50), torch.randn(50)\n",
        "warning",
    ),
)
