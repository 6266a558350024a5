"""One seed's training, validation and test rows, standardised by the training rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nebula.demo.datasets import DataSet

__all__ = ["Rows", "Split", "split"]


@dataclass(frozen=True, eq=False)
class Rows:
    """Features (n, d) standardised, targets (n,) or (n, k) in their own coding, places in the data set (n,)."""

    features: Tensor
    target: Tensor
    places: Tensor


@dataclass(frozen=True, eq=False)
class Split:
    """Three disjoint parts that cover the data set."""

    train: Rows
    valid: Rows
    test: Rows


def split(data: DataSet, seed: int) -> Split:
    """Split 60 : 20 : 20, keeping the class shares of labels.

    Args:
        data: The data set.
        seed: Equal seeds give equal splits, whichever arm asks.
    """
    from sklearn.model_selection import train_test_split

    labels = data.target if data.about.kind != "number" else None
    everything = np.arange(len(data.target))
    rest, test = train_test_split(everything, test_size=0.2, random_state=seed, stratify=labels)
    train, valid = train_test_split(
        rest, test_size=0.25, random_state=seed, stratify=None if labels is None else labels[rest]
    )
    centre, scale = data.features[train].mean(axis=0), data.features[train].std(axis=0)
    features = torch.from_numpy((data.features - centre) / np.where(scale > 0, scale, 1))
    target = torch.from_numpy(data.target)

    def rows(places: np.ndarray) -> Rows:
        index = torch.from_numpy(places)
        return Rows(features[index], target[index], index)

    return Split(rows(train), rows(valid), rows(test))
