"""NEB-C080 to NEB-C088: times and events, extra inputs, costs, weights of rows."""

from __future__ import annotations

from nebula.checking.codes.page import CheckPage

__all__ = ["PAGES"]

_COX = 'loss, prediction = "CoxPHLoss", torch.randn(6)\n'
_GROUPS = 'loss, prediction = "DemographicParityLoss", torch.randn(6)\ntarget = torch.tensor([0.0, 1, 1, 0, 1, 0])\n'
_TAUGHT = (
    'loss, prediction, target = "DistillationLoss", torch.randn(8, 3), torch.arange(8) % 3\n'
    "logits = 3 * torch.randn(8, 3)\n"
)
_PAIRS = 'loss, prediction, target = "ContrastiveLoss", torch.randn(4, 5), torch.randn(4, 5)\n'
_COSTS = 'loss, prediction, target = "CostSensitiveLoss", torch.randn(8, 3), torch.arange(8) % 3\n'
_ROWS = "loss, prediction, target = nn.MSELoss(reduction='none'), torch.randn(4), torch.randn(4)\n"


def _survival(time: str, event: str) -> str:
    return f"{_COX}target = torch.stack((torch.tensor({time}), torch.tensor({event})), 1)\n"


_LIVED = "[2.0, 3.5, 1.0, 4.0, 2.5, 0.5]"
_SEEN = "[1.0, 0, 1, 1, 0, 1]"

PAGES = (
    CheckPage(
        "NEB-C080",
        "a target that is not time and event",
        "Survival losses read (N, 2): the time, then 1 if the event was seen and 0 if the row was censored.",
        "Stack the two in this order; recode flags such as 1 and 2.",
        _survival(_SEEN, _LIVED),
        _survival(_LIVED, _SEEN),
    ),
    CheckPage(
        "NEB-C081",
        "times that cannot be",
        "A time below 0 means that the event came before the clock was started; where a logarithm is taken, 0 too.",
        "Count from one origin for all rows; leave out rows that were over before they began.",
        _survival("[2.0, 3.5, -1.0, 4.0, 2.5, 0.5]", _SEEN),
        _survival(_LIVED, _SEEN),
    ),
    CheckPage(
        "NEB-C082",
        "a batch without events",
        "Cox's likelihood is a product over events: without any it is a constant.",
        "Take larger batches, or draw them by event. If it happens in every batch, the flag says `censored`.",
        _survival(_LIVED, "[0.0, 0, 0, 0, 0, 0]"),
        _survival(_LIVED, _SEEN),
        "note",
    ),
    CheckPage(
        "NEB-C083",
        "an extra input of another shape",
        "What a loss takes beside prediction and target has axes of its own, named in its contract; nothing is "
        "broadcast.",
        "Give one value per row, or the prediction's shape, as the loss's page says.",
        f"{_GROUPS}extra = {{'group': torch.tensor([[0, 1, 1, 0, 0, 1]])}}\n",
        f"{_GROUPS}extra = {{'group': torch.tensor([0, 1, 1, 0, 0, 1])}}\n",
    ),
    CheckPage(
        "NEB-C084",
        "flags that are not 0 or 1",
        "A pair that belongs together is 1 and one that does not is 0: with -1 strangers are pulled together.",
        "Recode them with `(same > 0).float()`.",
        f"{_PAIRS}extra = {{'same': torch.tensor([1.0, -1, -1, 1])}}\n",
        f"{_PAIRS}extra = {{'same': torch.tensor([1.0, 0, 0, 1])}}\n",
    ),
    CheckPage(
        "NEB-C085",
        "groups that are none",
        "Groups are numbered from 0, up to one less than the parameter `groups`; a gap needs two of them in a batch.",
        "Number them from 0 and set `groups`; draw batches in which every group has rows.",
        f"{_GROUPS}extra = {{'group': torch.tensor([1, 2, 2, 1, 1, 2])}}\n",
        f"{_GROUPS}extra = {{'group': torch.tensor([0, 1, 1, 0, 0, 1])}}\n",
    ),
    CheckPage(
        "NEB-C086",
        "a teacher's probabilities in place of logits",
        "The teacher's output goes through a softmax with a temperature: probabilities lie so close together that "
        "after it all classes are almost alike, and the student learns that nothing matters.",
        "Give the teacher's logits, or the logarithm of its probabilities.",
        f"{_TAUGHT}extra = {{'teacher': logits.softmax(1)}}\n",
        f"{_TAUGHT}extra = {{'teacher': logits}}\n",
    ),
    CheckPage(
        "NEB-C087",
        "costs that do not fit",
        "There is one row of costs per true class and one column per decision, and the right decision is the "
        "cheapest of its row; costs of a task are not below 0.",
        "Write the costs in output order, the true class first; exchange rows and columns if they were turned.",
        f"{_COSTS}extra = {{'costs': [[3.0, 0, 1], [0, 1, 0], [0, 5, 2]]}}\n",
        f"{_COSTS}extra = {{'costs': [[0.0, 1, 1], [1, 0, 1], [2, 5, 0]]}}\n",
    ),
    CheckPage(
        "NEB-C088",
        "weights of rows that are no weights",
        "A row counts 0 or more. A negative weight rewards wrong answers without end, and a column of weights "
        "(N, 1) pairs every weight with every row.",
        "Give finite weights of 0 or more, (N,).",
        f"{_ROWS}extra = {{'sample_weight': torch.tensor([1.0, 2, -1, 1])}}\n",
        f"{_ROWS}extra = {{'sample_weight': torch.tensor([1.0, 2, 0, 1])}}\n",
    ),
)
