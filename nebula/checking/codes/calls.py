"""NEB-C001 to NEB-C019: the call, its numbers, and the shapes of its arguments."""

from __future__ import annotations

from nebula.checking.codes.page import CheckPage

__all__ = ["PAGES"]

PAGES = (
    CheckPage(
        "NEB-C001",
        "the call fails",
        "The loss raises for a reason that no other code names; the finding quotes it.",
        "Read the quoted message; the shapes or types are not what the loss takes.",
        "loss, prediction, target = nn.MultiMarginLoss(p=2), torch.randn(4, 3, 2), torch.randint(0, 3, (4, 2))\n",
        "loss, prediction, target = nn.MultiMarginLoss(p=2), torch.randn(8, 3), torch.randint(0, 3, (8,))\n",
    ),
    CheckPage(
        "NEB-C002",
        "NaN or infinity in the prediction",
        "One such number makes the loss NaN, and the next step every weight.",
        "Find the layer that made it; look for a division, a logarithm, or a learning rate that is too high.",
        "loss, prediction, target = nn.MSELoss(), torch.tensor([0.5, float('nan')]), torch.tensor([0.4, 0.2])\n",
        "loss, prediction, target = nn.MSELoss(), torch.tensor([0.5, 0.1]), torch.tensor([0.4, 0.2])\n",
    ),
    CheckPage(
        "NEB-C003",
        "NaN or infinity in the target",
        "Missing values were read as NaN; one in a batch makes every weight NaN.",
        "Drop the rows, or mask them with reduction='none'.",
        "loss, prediction, target = nn.MSELoss(), torch.tensor([0.5, 0.1]), torch.tensor([float('nan'), 0.2])\n",
        "loss, prediction, target = nn.MSELoss(), torch.tensor([0.5]), torch.tensor([0.2])\n",
    ),
    CheckPage(
        "NEB-C004",
        "overflow",
        "The loss or its gradient exceeds what the type can hold, while float64 gives a number: float16 ends at 65504.",
        "Compute the loss in float32; scale targets that are in the hundreds.",
        "loss, prediction, target = nn.MSELoss(), torch.zeros(4).half(), torch.full((4,), 300.0).half()\n",
        "loss, prediction, target = nn.MSELoss(), torch.zeros(4), torch.full((4,), 300.0)\n",
    ),
    CheckPage(
        "NEB-C005",
        "nothing counts",
        "The batch has no rows, or every label is left out: the mean of nothing is NaN.",
        "Skip such batches, or give 0 in their place.",
        "loss, prediction, target = nn.CrossEntropyLoss(), torch.randn(4, 3), torch.full((4,), -100)\n",
        "loss, prediction, target = nn.CrossEntropyLoss(), torch.randn(4, 3), torch.tensor([0, -100, 2, 1])\n",
    ),
    CheckPage(
        "NEB-C006",
        "no gradient",
        "The loss is above 0 and its gradient is 0 for every prediction: the batch changes nothing.",
        "Look for embeddings that collapsed to one point, or saturated outputs.",
        "same = torch.ones(4, 3)\nloss, prediction, target = nn.TripletMarginLoss(), (same, same, same), None\n",
        "loss, target = nn.TripletMarginLoss(), None\nprediction = tuple(torch.randn(3, 8, 4))\n",
        "warning",
    ),
    CheckPage(
        "NEB-C007",
        "a result that is no number",
        "The loss or its gradient is NaN or infinite, in float64 too, and no argument is.",
        "Bound what goes into exp, log and division.",
        "loss = lambda prediction, target: (prediction - target).log().mean()\n"
        "prediction, target = torch.zeros(4), torch.ones(4)\n",
        "loss = lambda prediction, target: (prediction - target).square().mean()\n"
        "prediction, target = torch.zeros(4), torch.ones(4)\n",
    ),
    CheckPage(
        "NEB-C008",
        "integers where numbers with a gradient are needed",
        "A prediction of integers carries no gradient; integer targets stop the step of a floating loss.",
        "Call `.float()` on targets; take no argmax or rounding before the loss.",
        "loss, prediction, target = nn.BCEWithLogitsLoss(), torch.randn(4), torch.tensor([0, 1, 1, 0])\n",
        "loss, prediction, target = nn.BCEWithLogitsLoss(), torch.randn(4), torch.tensor([0, 1, 1, 0]).float()\n",
    ),
    CheckPage(
        "NEB-C010",
        "arguments of different shapes",
        "torch pairs every row of one with every row of the other, (N, 1) against (N,), and averages N × N terms; "
        "the best answer is then one number for all rows. Other shapes raise.",
        "Give both one shape; `squeeze(1)` the prediction.",
        "loss, prediction, target = nn.MSELoss(), torch.randn(8, 1), torch.randn(8)\n",
        "loss, prediction, target = nn.MSELoss(), torch.randn(8, 1).squeeze(1), torch.randn(8)\n",
    ),
    CheckPage(
        "NEB-C011",
        "classes on the wrong axis",
        "The losses over classes read axis 1 as the classes: (N, C), (N, C, T), (N, C, H, W); CTCLoss reads (T, N, C).",
        "Move the axis with `movedim(-1, 1)`, or flatten both arguments.",
        "loss, prediction, target = nn.CrossEntropyLoss(), torch.randn(4, 7, 3), torch.randint(0, 3, (4, 7))\n",
        "loss, prediction = nn.CrossEntropyLoss(), torch.randn(4, 7, 3).movedim(-1, 1)\n"
        "target = torch.randint(0, 3, (4, 7))\n",
    ),
    CheckPage(
        "NEB-C012",
        "as many positions as classes",
        "With (N, C, C) torch cannot see that the classes are on the last axis, and neither can shapes: only the loss "
        "under both readings tells, and before training it does not.",
        "Make sure that the model gives (N, classes, positions).",
        "target = torch.randint(0, 3, (8, 3))\n"
        "loss, prediction = nn.CrossEntropyLoss(), 4 * F.one_hot(target, 3).float()\n",
        "target = torch.randint(0, 3, (8, 3))\n"
        "loss, prediction = nn.CrossEntropyLoss(), 4 * F.one_hot(target, 3).float().movedim(-1, 1)\n",
        "warning",
    ),
    CheckPage(
        "NEB-C013",
        "one vector read as one distribution",
        "CrossEntropyLoss reads a floating (N,) against (N,) as the N class probabilities of a single row.",
        "For yes/no use BCEWithLogitsLoss; for classes give (N, C) and integer labels.",
        "loss, prediction, target = nn.CrossEntropyLoss(), torch.randn(6), torch.tensor([0.0, 1, 1, 0, 1, 0])\n",
        "loss, prediction, target = nn.BCEWithLogitsLoss(), torch.randn(6), torch.tensor([0.0, 1, 1, 0, 1, 0])\n",
    ),
    CheckPage(
        "NEB-C014",
        "one output under a softmax",
        "A softmax over one column is always 1: the loss is a constant 0 and nothing is learnt.",
        "Use BCEWithLogitsLoss, or give one output per class.",
        "loss, prediction, target = nn.CrossEntropyLoss(), torch.randn(6, 1), torch.zeros(6).long()\n",
        "loss, prediction, target = nn.BCEWithLogitsLoss(), torch.randn(6), torch.tensor([0.0, 1, 1, 0, 1, 0])\n",
    ),
    CheckPage(
        "NEB-C015",
        "multi-hot rows in place of lists of labels",
        "MultiLabelMarginLoss reads a row as the numbers of its labels, ended by -1; 0 and 1 are the labels 0 and 1.",
        "Turn the rows into lists, or use MultiLabelSoftMarginLoss, which reads multi-hot rows.",
        "loss, prediction = nn.MultiLabelMarginLoss(), torch.randn(2, 4)\n"
        "target = torch.tensor([[0, 1, 0, 1], [1, 0, 0, 0]])\n",
        "loss, prediction = nn.MultiLabelMarginLoss(), torch.randn(2, 4)\n"
        "target = torch.tensor([[1, 3, -1, -1], [0, -1, -1, -1]])\n",
    ),
    CheckPage(
        "NEB-C016",
        "weights that do not match the classes",
        "There is one weight per class, on axis 1. BCEWithLogitsLoss multiplies a vector along the last axis, which on "
        "(N, C, H, W) are pixels, and says nothing when there are as many.",
        "Give one number per class; for dense predictions `reshape(-1, 1, 1)`.",
        "loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor([1.0, 2.0, 5.0]))\n"
        "prediction, target = torch.randn(4, 3, 3, 3), torch.ones(4, 3, 3, 3)\n",
        "loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor([1.0, 2.0, 5.0]).reshape(-1, 1, 1))\n"
        "prediction, target = torch.randn(4, 3, 3, 3), torch.ones(4, 3, 3, 3)\n",
    ),
    CheckPage(
        "NEB-C017",
        "weights that are no weights",
        "A class that is absent has a count of 0 and an inverse frequency of infinity; a weight of 0 leaves out a "
        "class that does occur.",
        "Give absent classes 0 and present ones a finite weight.",
        "loss = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, float('inf')]), label_smoothing=0.1)\n"
        "prediction, target = torch.randn(4, 3), torch.tensor([0, 1, 0, 1])\n",
        "loss = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 0.0]), label_smoothing=0.1)\n"
        "prediction, target = torch.randn(4, 3), torch.tensor([0, 1, 0, 1])\n",
    ),
    CheckPage(
        "NEB-C018",
        "prediction and target exchanged",
        "torch's losses take the model's output first; the gradient flows to the second argument only.",
        "Exchange them.",
        "logits, truth = torch.randn(6, requires_grad=True), torch.tensor([0.0, 1, 1, 0, 1, 0])\n"
        "loss, prediction, target = nn.BCEWithLogitsLoss(), truth, logits\n",
        "logits, truth = torch.randn(6, requires_grad=True), torch.tensor([0.0, 1, 1, 0, 1, 0])\n"
        "loss, prediction, target = nn.BCEWithLogitsLoss(), logits, truth\n",
    ),
    CheckPage(
        "NEB-C019",
        "weights that follow the counts",
        "Weights are meant to make up for rare classes. In proportion to the counts, or `pos_weight` as positives / "
        "negatives, they make the commonest class rule twice.",
        "Give weights in proportion to 1 / count, and `pos_weight` as negatives / positives.",
        "loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(4 / 36))\n"
        "prediction, target = torch.randn(40), (torch.arange(40) < 4).float()\n",
        "loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(36 / 4))\n"
        "prediction, target = torch.randn(40), (torch.arange(40) < 4).float()\n",
        "warning",
    ),
)
