"""What the user declares: hard constraints, never guesses."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from nebula.errors import HintError

__all__ = ["Hints", "Metric", "Task", "parse_hints"]

Task = Literal[
    "binary",
    "multiclass",
    "multilabel",
    "distribution",
    "ordinal",
    "count",
    "proportion",
    "positive",
    "zero_inflated_positive",
    "regression",
    "survival",
]

Metric = Literal[
    "log_loss",
    "brier",
    "accuracy",
    "balanced_accuracy",
    "f1",
    "f_beta",
    "roc_auc",
    "auprc",
    "kl",
    "rmse",
    "mse",
    "mae",
    "r2",
    "pinball",
    "poisson_deviance",
    "gamma_deviance",
    "msle",
    "rmsle",
    "gaussian_nll",
    "qwk",
    "c_index",
]

_CHOICES: dict[str, tuple[str, ...]] = {"task": get_args(Task), "metric": get_args(Metric)}
_QUANTILE_METRIC = re.compile(r"(?:pinball|quantile)@(0?\.\d+)")


class Hints(BaseModel):
    """Declarations about the task that no statistic can supply.

    A hint is a hard constraint: rules test it before the data, and a hint that the data contradict
    is an error, never silently dropped.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    task: Task | None = Field(None, description="What kind of quantity the target is.")
    metric: Metric | None = Field(
        None, description="The metric the model will be judged by; `pinball@0.9` also sets `quantile`."
    )
    quantile: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None, description="The quantile wanted, with metric `pinball`."
    )
    weights: Literal["balanced", "none"] | None = Field(
        None, description="`balanced` asks for class weights computed from the data."
    )
    false_negative_cost: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Cost of calling a positive negative."
    )
    false_positive_cost: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Cost of calling a negative positive."
    )
    cost_threshold: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None,
        description="Cut on the probability where the costs balance, c_fp / (c_fp + c_fn) (Elkan 2001); "
        "filled in from the two costs.",
    )
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        None, description="Share of the label spread over all classes (Szegedy et al. 2016)."
    )
    label_noise: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        None, description="Share of labels believed to be wrong."
    )
    ignore_value: int | None = Field(None, description="A target value that means *no label here*.")
    censored: bool | None = Field(None, description="Some targets are only lower bounds (survival times).")
    heteroscedastic: bool | None = Field(None, description="The model predicts a mean and a variance.")

    @model_validator(mode="before")
    @classmethod
    def _balance_costs(cls, data: Any) -> Any:
        """Fill in the cut that two declared costs imply."""
        if isinstance(data, dict) and data.get("cost_threshold") is None:
            false_positive: Any = data.get("false_positive_cost")
            false_negative: Any = data.get("false_negative_cost")
            known = isinstance(false_positive, int | float) and isinstance(false_negative, int | float)
            if known and false_positive > 0 and false_negative > 0:
                return {**data, "cost_threshold": false_positive / (false_positive + false_negative)}
        return data

    @model_validator(mode="before")
    @classmethod
    def _split_quantile_metric(cls, data: Any) -> Any:
        """Read `metric: pinball@0.9` as the metric and its quantile."""
        if isinstance(data, dict) and isinstance(metric := data.get("metric"), str):
            match = _QUANTILE_METRIC.fullmatch(metric.strip())
            if match:
                level = float(match[1])
                if data.get("quantile") not in (None, level):
                    raise ValueError(f"metric {metric!r} and quantile {data['quantile']!r} disagree")
                return {**data, "metric": "pinball", "quantile": level}
        return data


def parse_hints(hints: Hints | dict[str, Any] | None) -> Hints:
    """Validate the user's declarations.

    Args:
        hints: A mapping from hint name to value, ready `Hints`, or nothing.

    Returns:
        The validated hints.

    Raises:
        HintError: A name is unknown or a value out of range; the message names the nearest.
    """
    if hints is None:
        return Hints()
    if isinstance(hints, Hints):
        return hints
    try:
        return Hints.model_validate(dict(hints))
    except ValidationError as error:
        raise HintError(_describe(error)) from None
    except (TypeError, ValueError):
        raise HintError(f"hints: expected a mapping of names to values, found {type(hints).__name__}.") from None


def _describe(error: ValidationError) -> str:
    """Put pydantic's findings into one sentence per hint."""
    sentences = []
    for item in error.errors():
        name = ".".join(str(part) for part in item["loc"]) or "hints"
        if item["type"] == "extra_forbidden":
            near = get_close_matches(name, Hints.model_fields, n=1)
            guess = f" Did you mean `{near[0]}`?" if near else f" Known: {', '.join(Hints.model_fields)}."
            sentences.append(f"hints.{name}: unknown hint.{guess}")
        elif item["type"] == "literal_error":
            near = get_close_matches(str(item["input"]), _CHOICES.get(name, ()), n=1)
            guess = f" Did you mean `{near[0]}`?" if near else ""
            sentences.append(f"hints.{name}: expected {item['ctx']['expected']}, found {item['input']!r}.{guess}")
        else:
            sentences.append(f"hints.{name}: {item['msg']}, found {item['input']!r}.")
    return " ".join(sentences)
