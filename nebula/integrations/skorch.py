"""skorch: estimators that decide their loss in `fit`, for scikit-learn's pipelines and searches."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nebula.errors import DecisionError, MissingExtraError
from nebula.integrations.output_layer import see_output, start_at_constant
from nebula.losses.factory import AnyCriterion, build_criterion
from nebula.losses.spec import LossSpec
from nebula.selector import Nebula

try:
    from skorch import NeuralNetClassifier, NeuralNetRegressor
    from skorch.dataset import unpack_data
except ImportError:
    raise MissingExtraError("skorch", "skorch", "scikit-learn estimators") from None

__all__ = ["NebulaClassifier", "NebulaRegressor"]

_Array = npt.NDArray[Any]
_LABELS = ("argmax", "threshold")


class _Decides:
    """What both estimators do: decide on the training part of what `fit` was given, and serve."""

    criterion_: Nebula

    def get_split_datasets(self, X: Any, y: Any = None, **fit_params: Any) -> tuple[Any, Any]:  # noqa: N803 - skorch's
        """Split as skorch does; before the first epoch, decide on the training part."""
        train, valid = super().get_split_datasets(X, y, **fit_params)  # type: ignore[misc]
        if self.criterion_.decision is None:
            self._decide(train)
        return train, valid

    def _decide(self, train: Any) -> None:
        net: Any = self
        loader = net.get_iterator(train, training=False)

        def run() -> Tensor:
            return _first(net.evaluation_step(next(iter(loader)), training=False))

        prediction, layer = see_output(run, net.module_)
        self.criterion_.fit((unpack_data(batch) for batch in loader), prediction=prediction)
        if self.init_output_bias:  # type: ignore[attr-defined]  # a parameter of the estimator
            start_at_constant(self.criterion_, layer)
        self.criterion_.to(net.device)
        if learnable := list(self.criterion_.parameters()):
            net.optimizer_.add_param_group({"params": learnable})

    def raw_output(self, X: Any) -> Tensor:  # noqa: N803
        """Return what the module emits for X, on the CPU."""
        net: Any = self
        return torch.cat([_first(part) for part in net.forward_iter(X, training=False)])

    @property
    def _spec(self) -> LossSpec:
        spec = self.criterion_.decision.spec if self.criterion_.decision else None
        if spec is None:
            raise DecisionError(f"{type(self).__name__}: expected a decision, found none: call fit() first.")
        return spec


class NebulaClassifier(_Decides, NeuralNetClassifier):
    """A `NeuralNetClassifier` whose loss is decided in `fit`.

    `predict_proba` gives one column a class, also for a module with a single logit. `predict` gives what
    the decision serves where that is a label (a tuned cut, an argmax), and the most probable class otherwise.

    Args:
        module: As for skorch. It returns raw outputs: no softmax or sigmoid.
        criterion: `Nebula`; its options are parameters, e.g. `criterion__hints={"metric": "f1"}`.
        init_output_bias: Start the output layer at the constant predictor.
        **options: As for skorch.
    """

    def __init__(self, module: Any, *args: Any, criterion: Any = Nebula, init_output_bias: bool = True, **options: Any):
        super().__init__(module, *args, criterion=criterion, **options)
        self.init_output_bias = init_output_bias

    def predict_proba(self, X: Any) -> _Array:  # noqa: N803
        """Return the probability of every class (of every label, when rows have several), (N, C)."""
        return self._probabilities(self.raw_output(X)).numpy()

    def predict(self, X: Any) -> _Array:  # noqa: N803
        """Return the label of every row; (N, C) of 0 and 1 when rows have several."""
        raw, spec = self.raw_output(X), self._spec
        several = spec.link == "sigmoid" and raw.ndim > 1 and raw.shape[1] > 1
        if spec.serve.functional in _LABELS:
            served = self.criterion_.predict(raw)
            return (served if several else served.reshape(-1)).cpu().numpy()
        probability = self._probabilities(raw)
        if several:
            return (probability >= 0.5).long().numpy()
        classes: _Array = np.asarray(self.classes_)[probability.argmax(1).numpy()]
        return classes

    def _probabilities(self, raw: Tensor) -> Tensor:
        probability = _serving_probability(self.criterion_, self._spec).predict(raw).detach()
        if probability.ndim == 1 or probability.shape[1] == 1:
            positive = probability.reshape(-1)
            return torch.stack([1 - positive, positive], dim=1)
        return probability


class NebulaRegressor(_Decides, NeuralNetRegressor):
    """A `NeuralNetRegressor` whose loss is decided in `fit`; targets (N,) and (N, C) both fit.

    `predict` gives what the decision serves, in the target's unit: the mean of a count, not its log-rate.

    Args:
        module: As for skorch. It returns raw outputs: no exp or softplus.
        criterion: `Nebula`; its options are parameters, e.g. `criterion__hints={"metric": "mae"}`.
        init_output_bias: Start the output layer at the constant predictor.
        **options: As for skorch.
    """

    def __init__(self, module: Any, *args: Any, criterion: Any = Nebula, init_output_bias: bool = True, **options: Any):
        super().__init__(module, *args, criterion=criterion, **options)
        self.init_output_bias = init_output_bias

    def check_data(self, X: Any, y: Any) -> None:  # noqa: N803
        """Check as skorch does, and note how many axes targets have."""
        super().check_data(X, y)
        self.target_axes_ = 1 if y is None else np.ndim(y)

    def predict(self, X: Any) -> _Array:  # noqa: N803
        """Return what the decision serves, in the shape of the targets of `fit`."""
        served = self.criterion_.predict(self.raw_output(X)).detach().numpy()
        return served.reshape(len(served)) if self.target_axes_ == 1 and served.size == len(served) else served

    def predict_proba(self, X: Any) -> _Array:  # noqa: N803
        """Return what `predict` returns, as every regressor of skorch does."""
        return self.predict(X)


def _first(output: Any) -> Tensor:
    """Return the raw output of a module that may emit several things."""
    first: Tensor = output[0] if isinstance(output, tuple) else output
    return first


def _serving_probability(criterion: Nebula, spec: LossSpec) -> AnyCriterion:
    """Return the criterion in force, but serving probabilities."""
    serve = spec.serve.model_copy(update={"functional": "probability"})
    twin = build_criterion(spec.model_copy(update={"serve": serve}))
    if criterion.loss_function is not None:
        twin.load_state_dict(criterion.loss_function.state_dict())
    return twin
