"""From the raw output to the answer: the functional that a decision serves."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist

import torch
from torch import Tensor, nn

from nebula.errors import ContractError
from nebula.losses.label_table import LabelTable
from nebula.losses.links import link_output
from nebula.losses.prediction_steps import SplitMeanVariance
from nebula.losses.registry import LossEntry
from nebula.losses.spec import AdaptStep, Link, LossSpec

__all__ = ["Serving"]

# Steps that undo a link which the model applied itself: its raw output is the quantity already.
_LINKED = frozenset(("log_of_probabilities", "logit_of_probabilities", "log_of_rate"))


class Serving(nn.Module):
    """Serves one functional of the raw output.

    Args:
        spec: The decision's spec.
        entry: The registered loss.
        steps: The spec's steps on the prediction, built.
    """

    def __init__(self, spec: LossSpec, entry: LossEntry, steps: nn.ModuleList) -> None:
        super().__init__()
        self.loss, self.serve = spec.loss, spec.serve
        on_prediction = [step for step in spec.adapt if step.on == "prediction"]
        self.link = _served_link(spec.link, on_prediction)
        self.class_axis = next((int(s.params["from"]) for s in on_prediction if s.step == "move_class_axis"), 1)
        self.variance = next((step for step in steps if isinstance(step, SplitMeanVariance)), None)
        self.labels = LabelTable(spec.serve.labels) if spec.serve.labels else None
        logits = all(c.prediction_space in ("logits", "log_probabilities", "score") for c in entry.contracts)
        linked = any(step.step in _LINKED for step in on_prediction)
        self.unlinked = logits and not linked and self.link not in ("sigmoid", "softmax")

    def forward(self, raw: Tensor) -> Tensor:
        """Return the answer.

        Args:
            raw: The model's raw output, as given to the loss.

        Returns:
            `mean`, `median`, `quantile`: the quantity in the target's unit; `probability`: of every output,
            in the raw output's shape; `threshold`, `argmax`: the user's labels; `expectation`: Σ p_k label_k.

        Raises:
            ContractError: The functional needs what the spec does not hold, or the shape does not fit.
        """
        answer: Callable[[Tensor], Tensor] = getattr(self, f"_{self.serve.functional}")
        return answer(raw)

    def _quantity(self, raw: Tensor) -> Tensor:
        if self.variance is not None:
            return raw[..., 0]
        if self.link == "softmax":
            self._need_classes(raw)
        return link_output(raw, self.link, self.class_axis)

    def _scaled(self, quantity: Tensor) -> Tensor:
        return quantity if self.serve.scale == 1 else quantity * self.serve.scale

    def _mean(self, raw: Tensor) -> Tensor:
        return self._scaled(self._quantity(raw))

    def _raw(self, raw: Tensor) -> Tensor:
        return raw

    # every link is monotone, so a quantile of the raw output is one of the quantity
    _median = _mean

    def _quantile(self, raw: Tensor) -> Tensor:
        if self.variance is None:
            return self._mean(raw)
        level = self.serve.quantile
        if level is None:
            raise self._missing("quantile", "serve.quantile, a level in (0, 1)")
        mean, variance = self.variance(raw, raw).unbind(-1)
        return self._scaled(mean + NormalDist().inv_cdf(level) * variance.sqrt())

    def _probability(self, raw: Tensor) -> Tensor:
        return self._scaled(self._probabilities(raw))

    def _threshold(self, raw: Tensor) -> Tensor:
        cut = self.serve.threshold
        if cut is None:
            raise self._missing("threshold", "serve.threshold, a cut in (0, 1)")
        probability = self._probabilities(raw)
        if self.link == "softmax":
            if probability.shape[self.class_axis] != 2:
                raise ContractError(
                    f"{self.loss}: expected 2 outputs to cut a probability, found raw output {tuple(raw.shape)}: "
                    "serve `argmax`."
                )
            probability = probability.select(self.class_axis, 1)
        return self._labelled((probability >= cut).long(), outputs=2)

    def _argmax(self, raw: Tensor) -> Tensor:
        self._need_classes(raw)
        return self._labelled(raw.argmax(self.class_axis), outputs=raw.shape[self.class_axis])

    def _expectation(self, raw: Tensor) -> Tensor:
        self._need_classes(raw)
        probability = self._probabilities(raw).movedim(self.class_axis, -1)
        outputs = probability.shape[-1]
        places = torch.arange(outputs, device=raw.device)
        labels = self._labelled(places, outputs=outputs).to(probability.dtype)
        return self._scaled(probability @ labels)

    def _probabilities(self, raw: Tensor) -> Tensor:
        if self.unlinked:
            raise ContractError(
                f"{self.loss}: expected link sigmoid or softmax to serve {self.serve.functional}, "
                f"found {self.link}: set the spec's link."
            )
        return self._quantity(raw)

    def _labelled(self, places: Tensor, outputs: int) -> Tensor:
        if self.labels is None:
            return places
        if len(self.labels) != outputs:
            raise ContractError(
                f"{self.loss}: expected one label per output, {outputs}, found {len(self.labels)} in serve.labels: "
                "match the model's outputs to the labels."
            )
        labels: Tensor = self.labels()
        return labels[places]

    def _need_classes(self, raw: Tensor) -> None:
        if raw.ndim <= self.class_axis or raw.shape[self.class_axis] < 2:
            raise ContractError(
                f"{self.loss}: expected raw output with classes on axis {self.class_axis} to serve "
                f"{self.serve.functional}, found shape {tuple(raw.shape)}: give the model's output unreduced."
            )

    def _missing(self, functional: str, what: str) -> ContractError:
        return ContractError(f"{self.loss}: to serve {functional} expected {what}, found none: set it in the policy.")

    def extra_repr(self) -> str:
        """Name the functional and the link."""
        return f"{self.serve.functional}, link={self.link}"


def _served_link(link: Link, steps: list[AdaptStep]) -> Link:
    """Return the link from the raw output to the quantity: a step's own says more than the spec's."""
    for step in steps:
        if step.step in _LINKED:
            return "identity"
        if step.step == "apply_link":
            applied: Link = step.params["link"]
            return applied
    return link
