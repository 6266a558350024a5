"""Uses of losses that take more than a prediction and a target."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as torch's own pages write it

from benchmarks.check_corpus.models import Setting, Use, binary, classes, real
from nebula.losses.factory import build_criterion
from nebula.losses.spec import LossSpec, Serve

CUTS = [0.5, 1.0, 2.0, 4.0]
_CUTS = {"DiscreteTimeSurvivalNLLLoss": {"cuts": CUTS}}


def right_extras(s: Setting) -> Iterator[Use]:
    """Yield right uses."""
    risk, target = _survival(s)
    for name in ("CoxPHLoss", "DiscreteTimeSurvivalNLLLoss", "WeibullAFTNLLLoss"):
        yield Use(f"survival, {name}", name, _outputs(name, risk), target, _CUTS.get(name, {}))
    yield Use(
        "survival, integer flags",
        "CoxPHLoss",
        risk,
        target.round().clamp(min=1) * torch.tensor([1.0, 0.0]) + target * torch.tensor([0.0, 1.0]),
    )
    yield Use("survival, all seen", "WeibullAFTNLLLoss", _outputs("WeibullAFTNLLLoss", risk), _with(target, 1, 1.0))
    yield Use("survival, time 0, Cox", "CoxPHLoss", risk, _with(target, 0, 0.0, rows=1))
    z, y = classes(s, 4)
    teacher = 2 * z.detach() + torch.randn(z.shape)
    yield Use("teacher", "DistillationLoss", z, y, {"teacher": teacher})
    yield Use("teacher, log-probabilities", "DistillationLoss", z, y, {"teacher": teacher.log_softmax(1)})
    yield Use("teacher, criterion", _criterion("DistillationLoss"), z, y, {"teacher": teacher})
    yield Use("costs", "CostSensitiveLoss", z, y, {"costs": _costs(4)})
    yield Use("task losses", "StructuredHingeLoss", z, y, {"task_loss": torch.tensor(_costs(4))[y]})
    yield Use("task losses, none", "StructuredHingeLoss", z, y)
    answer, truth = (column[:, 0] for column in binary(s))
    group = torch.arange(s.rows) % 2
    for name in ("DemographicParityLoss", "EqualOpportunityLoss"):
        yield Use(f"groups, {name}", name, answer, truth, {"group": group})
    yield Use("groups, three", "DemographicParityLoss", answer, truth, {"group": torch.arange(s.rows) % 3, "groups": 3})
    other = z.detach().roll(1, 0) + 0.3 * torch.randn(z.shape)
    yield Use("pairs", "ContrastiveLoss", z, other, {"same": (torch.rand(s.rows) < 0.5).float()})
    yield Use("pairs, booleans", "ContrastiveLoss", z, other, {"same": torch.rand(s.rows) < 0.5})
    yield Use("chains", "CRFLoss", *_chain(s))
    p, r = real(s)
    weight = torch.rand(s.rows)
    yield Use("weights", nn.MSELoss(reduction="none"), p, r, {"sample_weight": weight})
    yield Use("weights, whole", nn.L1Loss(reduction="none"), p, r, {"sample_weight": torch.arange(s.rows) % 2 + 1})
    yield Use("weights, criterion", _criterion("MSELoss"), p, r, {"sample_weight": 50 * weight})
    yield Use("weights, classes", F.cross_entropy, z, y, {"sample_weight": weight, "reduction": "none"})
    yield Use("sequences, criterion", _criterion("CTCLoss", "raw"), *_sequences(s))


def wrong_extras(s: Setting) -> Iterator[Use]:
    """Yield wrong uses, each with the codes of which one must be found."""
    risk, target = _survival(s)
    for name in ("CoxPHLoss", "DiscreteTimeSurvivalNLLLoss", "WeibullAFTNLLLoss"):
        z = _outputs(name, risk)
        yield Use(f"survival, columns exchanged, {name}", name, z, target.flip(1), _CUTS.get(name, {}), ("NEB-C080",))
        yield Use(
            f"survival, negative time, {name}",
            name,
            z,
            _with(target, 0, -2.0, rows=1),
            _CUTS.get(name, {}),
            ("NEB-C081",),
        )
    coded = target + torch.tensor([0.0, 1.0])
    yield Use("survival, flags 1 and 2", "CoxPHLoss", risk, _with(coded, 1, 2.0, rows=1), expected=("NEB-C080",))
    yield Use("survival, times alone", "CoxPHLoss", risk, target[:, 0] + 1.5, expected=("NEB-C080",))
    yield Use(
        "survival, two rows",
        "CoxPHLoss",
        risk,
        target.T.contiguous() + 0.0 if s.rows != 2 else target.flip(1),
        expected=("NEB-C080",),
    )
    yield Use(
        "survival, time 0",
        "WeibullAFTNLLLoss",
        _outputs("WeibullAFTNLLLoss", risk),
        _with(_with(target, 1, 1.0), 0, 0.0, rows=1),
        expected=("NEB-C081",),
    )
    yield Use("survival, no event", "CoxPHLoss", risk, _with(target, 1, 0.0), expected=("NEB-C082",))
    z, y = classes(s, 4)
    teacher = 2 * z.detach() + torch.randn(z.shape)
    yield Use("teacher, probabilities", "DistillationLoss", z, y, {"teacher": teacher.softmax(1)}, ("NEB-C086",))
    yield Use(
        "teacher, criterion, probabilities",
        _criterion("DistillationLoss"),
        z,
        y,
        {"teacher": teacher.softmax(1)},
        ("NEB-C086",),
    )
    yield Use("teacher, other classes", "DistillationLoss", z, y, {"teacher": teacher[:, :3]}, ("NEB-C083",))
    yield Use("teacher, turned", "DistillationLoss", z[:3], y[:3], {"teacher": teacher[:3].T}, ("NEB-C083",))
    cheap = [[max(cost - 2.0, 0.0) if i != j else 1.0 for j, cost in enumerate(row)] for i, row in enumerate(_costs(4))]
    yield Use("costs, right dearest", "CostSensitiveLoss", z, y, {"costs": cheap}, ("NEB-C087",))
    yield Use("costs, too few", "CostSensitiveLoss", z, y, {"costs": _costs(3)}, ("NEB-C087",))
    yield Use(
        "task losses, negative", "StructuredHingeLoss", z, y, {"task_loss": -torch.tensor(_costs(4))[y]}, ("NEB-C087",)
    )
    answer, truth = (column[:, 0] for column in binary(s))
    group = torch.arange(s.rows) % 2
    yield Use("groups, from 1", "DemographicParityLoss", answer, truth, {"group": group + 1}, ("NEB-C085",))
    yield Use("groups, floats", "EqualOpportunityLoss", answer, truth, {"group": group.float()}, ("NEB-C085",))
    yield Use("groups, one", "DemographicParityLoss", answer, truth, {"group": 0 * group}, ("NEB-C085",))
    yield Use("groups, one-hot", "DemographicParityLoss", answer, truth, {"group": F.one_hot(group, 2)}, ("NEB-C083",))
    other = z.detach().roll(1, 0) + 0.3 * torch.randn(z.shape)
    sign = 1.0 - 2 * group
    yield Use("pairs, signs", "ContrastiveLoss", z, other, {"same": sign}, ("NEB-C084",))
    yield Use("pairs, a column", "ContrastiveLoss", z, other, {"same": (sign > 0).float()[:, None]}, ("NEB-C083",))
    emissions, labels, extra = _chain(s)
    yield Use("chains, beyond", "CRFLoss", emissions, labels, {**extra, "lengths": extra["lengths"] + 5}, ("NEB-C060",))
    yield Use("chains, empty", "CRFLoss", emissions, labels, {**extra, "lengths": 0 * extra["lengths"]}, ("NEB-C060",))
    p, r = real(s)
    square = nn.MSELoss(reduction="none")
    weight = torch.rand(s.rows)
    for name, wrong in {
        "negative": _first(weight, -1.0),
        "a column": weight[:, None],
        "none": 0 * weight,
        "NaN": _first(weight, torch.nan),
    }.items():
        yield Use(f"weights, {name}", square, p, r, {"sample_weight": wrong}, ("NEB-C088",))
    logits, words, lengths = _sequences(s)
    criterion = _criterion("CTCLoss", "raw")
    yield Use("sequences, criterion, unknown label", criterion, logits, words + 9, lengths, ("NEB-C063",))
    yield Use(
        "sequences, criterion, beyond",
        criterion,
        logits,
        words,
        {**lengths, "input_lengths": lengths["input_lengths"] + 1},
        ("NEB-C060",),
    )


def _criterion(loss: str, functional: str = "mean") -> nn.Module:
    return build_criterion(LossSpec(loss=loss, serve=Serve(functional=functional)))


def _survival(s: Setting) -> tuple[Tensor, Tensor]:
    """Return log hazards (rows,), and times and events (rows, 2)."""
    raw, _ = real(s)
    time = (torch.randn(s.rows) - 0.5 * raw.detach()).exp() + 0.05
    event = (torch.rand(s.rows) < 0.6).float()
    event[0] = 1
    return raw, torch.stack((time, event), 1)


def _outputs(loss: str, risk: Tensor) -> Tensor:
    if loss == "DiscreteTimeSurvivalNLLLoss":
        return torch.stack([risk + 0.1 * k for k in range(len(CUTS))], 1)
    return risk if loss == "CoxPHLoss" else torch.stack((risk, 0.3 * risk.roll(1)), 1)


def _with(target: Tensor, column: int, value: float, rows: int | None = None) -> Tensor:
    changed = target.clone()
    changed[:rows, column] = value
    return changed


def _first(weight: Tensor, value: float) -> Tensor:
    return torch.cat((torch.tensor([value]), weight[1:]))


def _costs(count: int) -> list[list[float]]:
    return [[float(abs(i - j)) for j in range(count)] for i in range(count)]


def _chain(s: Setting) -> tuple[Tensor, Tensor, dict[str, object]]:
    steps = 6
    lengths = torch.randint(2, steps + 1, (s.rows,))
    extra: dict[str, object] = {"lengths": lengths, "classes": 4}
    return torch.randn(s.rows, steps, 4), torch.randint(0, 4, (s.rows, steps)), extra


def _sequences(s: Setting) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    steps, outputs = 15, 5
    lengths = {"input_lengths": torch.full((s.rows,), steps), "target_lengths": torch.full((s.rows,), 4)}
    return torch.randn(steps, s.rows, outputs), torch.randint(1, outputs, (s.rows, 4)), lengths
