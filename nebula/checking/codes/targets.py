"""NEB-C020 to NEB-C033: the coding of targets."""

from __future__ import annotations

from nebula.checking.codes.page import CheckPage

__all__ = ["PAGES"]

PAGES = (
    CheckPage(
        "NEB-C020",
        "labels that no output stands for",
        "A label is the number of an output, from 0; others raise on a CPU and stop a GPU with a device assertion.",
        "Give the last layer one output per class, or mend the labels.",
        "loss, prediction, target = nn.CrossEntropyLoss(), torch.randn(4, 3), torch.tensor([0, 5, 2, 7])\n",
        "loss, prediction, target = nn.CrossEntropyLoss(), torch.randn(4, 8), torch.tensor([0, 5, 2, 7])\n",
    ),
    CheckPage(
        "NEB-C021",
        "labels that start at 1",
        "The labels are 1 to C where 0 to C - 1 are read.",
        "Subtract 1.",
        "loss, prediction, target = nn.CrossEntropyLoss(), torch.randn(4, 3), torch.tensor([1, 3, 2, 1])\n",
        "loss, prediction, target = nn.CrossEntropyLoss(), torch.randn(4, 3), torch.tensor([1, 3, 2, 1]) - 1\n",
    ),
    CheckPage(
        "NEB-C022",
        "a void label that is not declared",
        "One value, such as 255 or -1, marks what has no label, and `ignore_index` names another one.",
        "Set `ignore_index` to it.",
        "loss, prediction, target = nn.CrossEntropyLoss(), torch.randn(4, 3), torch.tensor([0, 255, 2, 255])\n",
        "loss, prediction = nn.CrossEntropyLoss(ignore_index=255), torch.randn(4, 3)\n"
        "target = torch.tensor([0, 255, 2, 255])\n",
    ),
    CheckPage(
        "NEB-C023",
        "floating labels",
        "Labels of classes are int64; floating targets are read as probabilities of the prediction's shape.",
        "Call `.long()`.",
        "loss, prediction, target = nn.CrossEntropyLoss(), torch.randn(4, 3), torch.tensor([0.0, 1.0, 2.0, 1.0])\n",
        "loss, prediction, target = nn.CrossEntropyLoss(), torch.randn(4, 3), torch.tensor([0, 1, 2, 1])\n",
    ),
    CheckPage(
        "NEB-C024",
        "integer rows where one label is expected",
        "One-hot rows of integers are neither labels nor probabilities for torch.",
        "Take `argmax(1)`; of several labels a row make floats for BCEWithLogitsLoss.",
        "loss, prediction, target = nn.CrossEntropyLoss(), torch.randn(3, 3), torch.eye(3).long()\n",
        "loss, prediction, target = nn.CrossEntropyLoss(), torch.randn(3, 3), torch.eye(3).argmax(1)\n",
    ),
    CheckPage(
        "NEB-C025",
        "target rows that do not sum to 1",
        "Class probabilities sum to 1; a row that sums to 2 weighs double, a negative one makes the loss negative.",
        "Normalise the rows; of several labels a row use BCEWithLogitsLoss.",
        "loss, prediction = nn.CrossEntropyLoss(), torch.randn(2, 3)\n"
        "target = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]])\n",
        "loss, prediction = nn.CrossEntropyLoss(), torch.randn(2, 3)\n"
        "target = torch.tensor([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0]])\n",
    ),
    CheckPage(
        "NEB-C026",
        "class numbers in a regression",
        "Whole numbers 0, 1, …, K - 1 look like classes, whose order means nothing; a count or a grade looks alike.",
        "For classes use CrossEntropyLoss with one output per class.",
        "loss, prediction, target = nn.MSELoss(), torch.randn(60), torch.arange(60) % 3\n",
        "loss, prediction, target = nn.CrossEntropyLoss(), torch.randn(60, 3), torch.arange(60) % 3\n",
        "warning",
    ),
    CheckPage(
        "NEB-C030",
        "targets outside [0, 1]",
        "Below 0 or above 1 the loss has no minimum: it falls for ever as the logit grows.",
        "Give 0, 1, or a fraction between.",
        "loss, prediction, target = nn.BCEWithLogitsLoss(), torch.randn(4), torch.tensor([0.0, 2.0, 1.0, 2.0])\n",
        "loss, prediction, target = nn.BCEWithLogitsLoss(), torch.randn(4), torch.tensor([0.0, 1.0, 1.0, 1.0])\n",
    ),
    CheckPage(
        "NEB-C031",
        "±1 where 0/1 is read",
        "For the label -1 the loss falls without bound; nothing raises.",
        "Map them by `(target + 1) / 2`.",
        "loss, prediction, target = nn.BCEWithLogitsLoss(), torch.randn(4), torch.tensor([-1.0, 1.0, 1.0, -1.0])\n",
        "loss, prediction, target = nn.BCEWithLogitsLoss(), torch.randn(4), torch.tensor([0.0, 1.0, 1.0, 0.0])\n",
    ),
    CheckPage(
        "NEB-C032",
        "0/1 where ±1 is read",
        "The loss multiplies by the target, so rows of 0 have no gradient, or fall into no branch.",
        "Map them by `2 * target - 1`.",
        "loss, prediction, target = nn.SoftMarginLoss(), torch.randn(4), torch.tensor([0.0, 1.0, 1.0, 0.0])\n",
        "loss, prediction, target = nn.SoftMarginLoss(), torch.randn(4), torch.tensor([-1.0, 1.0, 1.0, -1.0])\n",
    ),
    CheckPage(
        "NEB-C033",
        "percentages or grey levels where fractions are read",
        "Targets from 0 to 100, or to 255, are read as probabilities.",
        "Divide by 100 or 255.",
        "loss, prediction, target = nn.BCEWithLogitsLoss(), torch.randn(4), torch.tensor([12.5, 80.0, 99.0, 3.0])\n",
        "loss, prediction = nn.BCEWithLogitsLoss(), torch.randn(4)\ntarget = torch.tensor([0.125, 0.8, 0.99, 0.03])\n",
    ),
)
