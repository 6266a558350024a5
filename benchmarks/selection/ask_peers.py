"""Ask other tools what they infer from the targets of the index.

    python benchmarks/selection/ask_peers.py TARGETS.npz ANSWERS.json

Needs nothing of nebula: it runs in an environment of its own, because the peers want other versions
of pandas and numpy (requirements-peers.txt). TARGETS.npz is written by `nebula bench selection
--export`. A peer that cannot be imported is told and left out; one that raises on a target is
recorded with `error`.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

Array = Any


def scikit_learn(values: Array, outputs: int) -> str:
    """`type_of_target`: looks at the type, the number of columns and of distinct values."""
    from sklearn.utils.multiclass import type_of_target

    return {
        "binary": "binary",
        "multiclass": "multiclass",
        "continuous": "regression",
        "multilabel-indicator": "multilabel",
        "continuous-multioutput": "multi-output regression",
        "multiclass-multioutput": "multi-output regression",
    }.get(type_of_target(values), "unknown")


def autogluon(values: Array, outputs: int) -> str:
    """`infer_problem_type`; it takes one column."""
    import pandas as pd
    from autogluon.core.utils import infer_problem_type

    if values.ndim > 1:
        return "several columns"
    return str(infer_problem_type(pd.Series(values), silent=True))


def transformers(values: Array, outputs: int) -> str:
    """`ForSequenceClassificationLoss`, which writes what it infers into the configuration."""
    import torch
    from transformers import PretrainedConfig
    from transformers.loss.loss_utils import ForSequenceClassificationLoss

    labels = torch.from_numpy(np.ascontiguousarray(values))
    config = PretrainedConfig(num_labels=outputs)
    config.problem_type = None
    ForSequenceClassificationLoss(labels, torch.zeros(len(labels), outputs), config)
    inferred = str(config.problem_type)
    if inferred == "regression":
        return "multi-output regression" if values.ndim > 1 else "regression"
    return "multiclass" if inferred == "single_label_classification" else "multilabel"


def featurewiz(values: Array, outputs: int) -> str:
    """`analyze_problem_type`: thresholds on the number of distinct values."""
    from featurewiz.stacking_models import analyze_problem_type_array

    several = values.ndim > 1
    kind = str(analyze_problem_type_array(values))
    if "Regression" in kind:
        return "multi-output regression" if several else "regression"
    if several:
        return "multilabel"
    return "binary" if "Binary" in kind else "multiclass"


def published_nebula(values: Array, outputs: int) -> str:
    """`nebula-loss`, given predictions that want a gradient, as in a training loop."""
    return _published(values, outputs, trains=True)


def published_choice(values: Array, outputs: int) -> str:
    """`nebula-loss`, given predictions without a gradient: the loss that it would take."""
    return _published(values, outputs, trains=False)


def _published(values: Array, outputs: int, *, trains: bool) -> str:
    import torch
    from nebula.nebula import Nebula

    labels = torch.from_numpy(np.ascontiguousarray(values))
    scores = torch.randn(len(labels), outputs, generator=torch.Generator().manual_seed(0))
    loss = Nebula()
    if trains:
        loss.compute_loss(scores.requires_grad_(), labels).backward()
    else:
        loss.determine_loss_function(scores, labels)
    return {"CrossEntropyLoss": "multiclass", "MSELoss": "regression"}.get(type(loss.loss_function).__name__, "unknown")


PEERS: dict[str, tuple[str, Callable[[Array, int], str]]] = {
    "scikit-learn type_of_target": ("scikit-learn", scikit_learn),
    "AutoGluon infer_problem_type": ("autogluon.core", autogluon),
    "transformers problem_type": ("transformers", transformers),
    "featurewiz": ("featurewiz", featurewiz),
    "published Nebula, as it trains": ("nebula-loss", published_nebula),
    "published Nebula, choice alone": ("nebula-loss", published_choice),
}


def answers(peer: Callable[[Array, int], str], targets: Any) -> dict[str, str]:
    """Ask one peer about every target."""
    said = {}
    for name in targets.files:
        values, outputs = targets[name], int(name.rpartition("|")[2])
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # some peers print what they infer
                said[name.rpartition("|")[0]] = peer(values, outputs)
        except Exception as error:  # what a peer raises is its answer
            said[name.rpartition("|")[0]] = f"error: {type(error).__name__}"
    return said


def main() -> None:
    source, result = Path(sys.argv[1]), Path(sys.argv[2])
    warnings.simplefilter("ignore")
    logging.disable(logging.INFO)
    document = {}
    with np.load(source, allow_pickle=False) as targets:
        for name, (package, peer) in PEERS.items():
            said = answers(peer, targets)
            if said and all(answer == "error: ModuleNotFoundError" for answer in said.values()):
                print(f"{name}: not installed, left out", file=sys.stderr)
                continue
            document[name] = {"version": version(package), "said": said}
            print(f"{name}: asked about {len(said)} targets", file=sys.stderr)
    result.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
