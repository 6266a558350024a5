"""Problems whose every score is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nebula.bench.outcome.manifest import Manifest
from nebula.bench.outcome.rows import CONSTANT
from nebula.bench.outcome.scores import ProblemScores


def problem(
    test: Mapping[str, Sequence[float]],
    *,
    constant: float = 10.0,
    valid: Mapping[str, Sequence[float]] | None = None,
    picks: Mapping[str, Sequence[str]] | None = None,
    family: str = "count",
    metric: str = "mae",
    name: str = "p",
) -> ProblemScores:
    seeds = len(next(iter(test.values())))
    scores = {arm: np.array(own, dtype=float) for arm, own in test.items()}
    return ProblemScores(
        problem=name,
        family=family,
        metric=metric,
        candidates=tuple(test),
        test=scores | {CONSTANT: np.full(seeds, constant)},
        valid={arm: np.array(own, dtype=float) for arm, own in (valid or test).items()},
        picks={rule: tuple(arms) for rule, arms in (picks or {}).items()},
        said={},
    )


def small_manifest(*problems: dict[str, object], **changes: object) -> Manifest:
    given = {
        "name": "small",
        "rope": 0.01,
        "skill": 0.02,
        "seeds": 2,
        "max_rows": 200,
        "max_levels": 5,
        "budget": {
            "learning_rates": [0.003, 0.01],
            "steps": 40,
            "evaluate_every": 10,
            "patience": 2,
            "batch_size": 32,
        },
        "families": {
            "regression": {
                "kind": "number",
                "asked_outputs": 1,
                "twice": ["mse"],
                "candidates": {
                    "mse": {"use": {"loss": "MSELoss", "output_bias": "link_mean", "serve": "mean"}},
                    "l1": {"use": {"loss": "L1Loss", "output_bias": "median", "serve": "median"}},
                },
            },
            "multiclass": {
                "kind": "multiclass",
                "asked_outputs": "classes",
                "candidates": {
                    "plain": {
                        "use": {"loss": "CrossEntropyLoss", "output_bias": "log_prior", "serve": "probability"},
                        "outputs": "classes",
                    },
                    "zero": {"use": {"loss": "CrossEntropyLoss", "serve": "probability"}, "outputs": "classes"},
                },
            },
        },
        "problems": list(problems)
        or [
            {"data": "sklearn:diabetes", "family": "regression", "metric": "rmse"},
            {"data": "sklearn:diabetes", "family": "regression", "metric": "mae"},
            {"data": "sklearn:wine", "family": "multiclass", "metric": "log_loss"},
        ],
    }
    return Manifest.model_validate(given | changes)
