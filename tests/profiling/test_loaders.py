"""Targets out of what a training script holds; nothing is guessed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, SubsetRandomSampler, TensorDataset

from nebula.errors import DataError
from nebula.profiling.sources import collect, first_input

X = torch.arange(20.0).view(10, 2)
Y = torch.arange(10)


class Rows(Dataset):
    def __init__(self, wrap=lambda x, y: (x, y)):
        self.wrap = wrap

    def __len__(self):
        return 10

    def __getitem__(self, index):
        return self.wrap(X[index], Y[index])


class Stream(IterableDataset):
    def __iter__(self):
        return iter(Rows()[index] for index in range(10))


class NoLength(Dataset):
    def __getitem__(self, index):
        return X[index], Y[index]


@pytest.mark.parametrize(
    ("data", "batches"),
    [
        pytest.param(Y, 1, id="tensor"),
        pytest.param(Y.numpy(), 1, id="array"),
        pytest.param(pd.Series(Y.numpy()), 1, id="series"),
        pytest.param(Y.tolist(), 1, id="numbers"),
        pytest.param((X, Y), 1, id="pair"),
        pytest.param([X.numpy(), Y.numpy()], 1, id="pair of arrays"),
        pytest.param(TensorDataset(X, Y), 1, id="TensorDataset"),
        pytest.param(Rows(), 1, id="Dataset"),
        pytest.param(Rows(lambda x, y: (x, int(y))), 1, id="Dataset of numbers"),
        pytest.param(Rows(lambda x, y: [x, np.int64(y)]), 1, id="Dataset of numpy scalars"),
        pytest.param(Stream(), 1, id="IterableDataset"),
        pytest.param(DataLoader(Rows(), batch_size=4), 3, id="DataLoader"),
        pytest.param(DataLoader(Rows(), batch_size=None), 1, id="DataLoader without batches"),
        pytest.param(DataLoader(Stream(), batch_size=4), 3, id="DataLoader of a stream"),
        pytest.param([(X[:5], Y[:5]), (X[5:], Y[5:])], 2, id="list of two batches"),
        pytest.param(((X[i : i + 1], Y[i : i + 1]) for i in range(10)), 10, id="generator"),
        pytest.param([(1.0, y) for y in Y.tolist()], 10, id="pairs of numbers"),
    ],
)
def test_targets_in_order(data, batches):
    found = collect(data)
    assert found.targets.tolist() == list(range(10))
    assert (found.rows_seen, found.rows_total, found.batches, found.complete) == (10, 10, batches, True)


@pytest.mark.parametrize(
    ("wrap", "target"),
    [
        pytest.param(lambda x, y: {"x": x, "label": y}, "label", id="dict"),
        pytest.param(lambda x, y: (x, x, y), 2, id="triple"),
        pytest.param(lambda x, y: (x, x, y), -1, id="last"),
        pytest.param(lambda x, y: (y, x), 0, id="target first"),
    ],
)
@pytest.mark.parametrize("load", [False, True], ids=["Dataset", "DataLoader"])
def test_a_target_that_is_pointed_at(wrap, target, load):
    data = DataLoader(Rows(wrap), batch_size=3) if load else Rows(wrap)
    assert collect(data, target=target).targets.tolist() == list(range(10))
    with pytest.raises(DataError, match="expected an element target="):
        collect(data, target="nowhere")
    if target != 0:
        with pytest.raises(DataError, match="`target=`"):
            collect(data)


def test_a_dict_of_tensors():
    assert collect({"x": X, "y": Y}, target="y").targets.tolist() == list(range(10))
    with pytest.raises(DataError, match=r"keys \['x', 'y'\]"):
        collect({"x": X, "y": Y})


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(7, id="number"),
        pytest.param("text", id="text"),
        pytest.param(None, id="None"),
        pytest.param([], id="nothing"),
        pytest.param((X, X, Y), id="three tensors"),
        pytest.param([X, X, X], id="list of inputs"),
        pytest.param(iter([X, X]), id="stream of tensors"),
        pytest.param([(X[0], Y[:5])], id="rows where batches are expected"),
        pytest.param([(X[:2], Y[:2]), (X[:2], Y[:2].view(2, 1))], id="batches of unequal shape"),
        pytest.param([(X[:2], ["a", "b"])], id="labels in words"),
        pytest.param(NoLength(), id="Dataset without length"),
        pytest.param(TensorDataset(X), id="inputs alone"),
        pytest.param(TensorDataset(X, X, Y), id="TensorDataset of three"),
    ],
)
def test_what_is_not_clear_is_refused(data):
    with pytest.raises(DataError, match=r"expected .* found"):
        collect(data)


def test_the_limit_stops_a_stream():
    loader = DataLoader(Rows(), batch_size=4)
    part = collect(loader, limit=5)
    assert (part.rows_seen, part.rows_total, part.batches, part.complete) == (8, 10, 2, False)
    endless = ((X, Y) for _ in iter(int, 1))
    part = collect(endless, limit=25)
    assert (part.rows_seen, part.rows_total, part.complete) == (30, None, False)
    assert collect(DataLoader(Stream(), batch_size=4), limit=1).rows_total is None
    assert collect(loader, limit=10).complete
    assert collect((X, Y), limit=1).complete


def test_a_sampler_counts_its_own_rows():
    loader = DataLoader(Rows(), batch_size=2, sampler=SubsetRandomSampler(range(6)))
    part = collect(loader, limit=1)
    assert (part.rows_seen, part.rows_total) == (2, 6)


def test_reading_does_not_advance_the_random_numbers():
    loader = DataLoader(Rows(), batch_size=4, shuffle=True)
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    assert sorted(collect(loader).targets.tolist()) == list(range(10))
    first_input(loader)
    assert torch.equal(torch.rand(3), expected)


def test_targets_of_several_columns():
    loader = DataLoader(TensorDataset(Y, X), batch_size=3)
    assert torch.equal(collect(loader).targets, X)


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        pytest.param((X, Y), 10, id="pair"),
        pytest.param(TensorDataset(X, Y), 10, id="TensorDataset"),
        pytest.param(Rows(), 1, id="Dataset"),
        pytest.param(DataLoader(Rows(), batch_size=4), 4, id="DataLoader"),
        pytest.param([(X[:3], Y[:3])], 3, id="batches"),
    ],
)
def test_first_input(data, rows):
    assert torch.equal(first_input(data), X[:rows])


@pytest.mark.parametrize("data", [Y, [], {"x": X}, DataLoader(Rows(lambda x, y: (x, x, y)))], ids=type)
def test_no_first_input(data):
    with pytest.raises(DataError, match=r"expected .* found"):
        first_input(data)


def test_inputs_of_dicts_are_asked_for():
    with pytest.raises(DataError, match="pass `prediction=` instead"):
        first_input([{"x": X[:4], "label": Y[:4]}])
