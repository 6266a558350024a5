"""Cox's partial likelihood, in log space and without shapes that depend on the data."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nebula.errors import ContractError
from nebula.losses.modules.log_cumulative import log_cumulative
from nebula.losses.modules.reduction import reduce
from nebula.losses.modules.served_raw import ServedRaw

__all__ = ["CoxPH"]

_BITS = {2: torch.int16, 4: torch.int32, 8: torch.int64}


class CoxPH(ServedRaw, nn.Module):
    """Negative log partial likelihood of log hazards, ties by Breslow or Efron.

    Args:
        ties: `breslow`: every event of a tie against the whole risk set; `efron`: the tied events
            leave the risk set by equal parts.
        reduction: `mean` over the events, or `sum`.
    """

    def __init__(self, ties: str = "efron", reduction: str = "mean") -> None:
        super().__init__()
        self.ties, self.reduction = ties, reduction

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss of log hazards (N,) or (N, 1) against time and event (N, 2).

        Raises:
            ContractError: There is not one log hazard per row.
        """
        if prediction.ndim > 2 or prediction.shape[1:] not in ((), (1,)):
            raise ContractError(
                f"CoxPHLoss: expected one log hazard per row, (N,) or (N, 1), found "
                f"{tuple(prediction.shape)}: give the last layer one output."
            )
        # latest first, so that a risk set is a beginning of the batch
        earliness, order = _earliness(target[:, 0]).sort()
        hazard = prediction.reshape(-1).index_select(0, order)
        event = target[:, 1].to(prediction.dtype).index_select(0, order)
        first, last = _ties(earliness)
        at_risk = log_cumulative(hazard).index_select(0, last)
        if self.ties == "efron":
            at_risk = at_risk + torch.log1p(-_departed(hazard, event, first, last, at_risk))
        return reduce(event * (at_risk - hazard), self.reduction, event)


def _earliness(time: Tensor) -> Tensor:
    """Return whole numbers that fall as times rise, and are equal where times are, (N,).

    The bits of floats of one sign are ordered as the floats are, and whole numbers take half the time to sort.
    """
    if not time.is_floating_point():
        return time.neg()
    size = time.abs().view(_BITS[time.element_size()])
    return torch.where(time < 0, size, -size)


def _ties(sorted_times: Tensor) -> tuple[Tensor, Tensor]:
    """Return the place of the first and of the last row of every row's time, (N,) each."""
    place = torch.arange(len(sorted_times), device=sorted_times.device)
    starts = torch.ones_like(sorted_times, dtype=torch.bool)
    ends = starts.clone()
    starts[1:] = ends[:-1] = sorted_times[1:] != sorted_times[:-1]
    first = torch.where(starts, place, 0).cummax(0).values
    last = torch.where(ends, place, len(sorted_times)).flip(0).cummin(0).values.flip(0)
    return first, last


def _departed(hazard: Tensor, event: Tensor, first: Tensor, last: Tensor, at_risk: Tensor) -> Tensor:
    """Return the share of the risk set that the earlier events of the same tie take with them, below 1.

    A hazard is at most the sum of its own risk set, so the exponentials cannot overflow.

    Args:
        hazard: Log hazards, latest time first, (N,).
        event: 1 where the event was seen.
        first: Place of the first row of the same time.
        last: Place of the last.
        at_risk: Log of the risk set's sum of hazards.
    """
    seen = event.cumsum(0)
    before = (seen - event).index_select(0, first)
    fraction = (seen - event - before) / (seen.index_select(0, last) - before).clamp(min=1)
    parts = event * (hazard - at_risk).exp()
    share = torch.zeros_like(parts).index_add(0, first, parts).index_select(0, first).clamp(max=1.0)
    return event * fraction * share
