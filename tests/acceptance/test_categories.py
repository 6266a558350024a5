"""A column of strings or categories names classes: there is nothing to guess."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

import nebula
from nebula import PredictionSpec
from nebula.profiling.sources import read_table

ANIMALS = ["cat", "dog", "owl", "dog"] * 30
SIZES = ["small", "large", "medium", "small"] * 30
ORDER = ["small", "medium", "large"]

COLUMNS: dict[str, tuple[Any, str, str]] = {
    "strings": (pd.Series(ANIMALS), "multiclass", "CrossEntropyLoss"),
    "categories": (pd.Series(ANIMALS, dtype="category"), "multiclass", "CrossEntropyLoss"),
    "ordered": (pd.Series(pd.Categorical(SIZES, categories=ORDER, ordered=True)), "ordinal", "OrdinalLogisticLoss"),
    "two strings": (pd.Series(["no", "yes", "no"] * 30), "binary", "BCEWithLogitsLoss"),
    "polars strings": (pl.Series(ANIMALS), "multiclass", "CrossEntropyLoss"),
    "polars categorical": (pl.Series(ANIMALS, dtype=pl.Categorical), "multiclass", "CrossEntropyLoss"),
    "polars enum": (pl.Series(SIZES, dtype=pl.Enum(ORDER)), "ordinal", "OrdinalLogisticLoss"),
}


@pytest.mark.parametrize("policy", ["default.yaml", "strict.yaml"])
@pytest.mark.parametrize("column", COLUMNS)
def test_it_is_decided_without_a_shape(column: str, policy: str) -> None:
    data, task, loss = COLUMNS[column]
    decision = nebula.select(data, policy=policy)
    assert (decision.task, decision.status) == (task, "decided"), decision.explain()
    assert decision.spec is not None
    assert decision.spec.loss == loss


def test_the_codes_alone_are_ambiguous() -> None:
    codes = pd.Series(ANIMALS).astype("category").cat.codes
    assert nebula.select(codes).status == "ambiguous"
    assert nebula.profile(codes).target.categories is None


def test_ordered_categories_keep_their_order() -> None:
    data, _, _ = COLUMNS["ordered"]
    profile = nebula.profile(data)
    assert profile.target.categories == "ordered"
    assert profile.target.class_counts == (60, 30, 30)


def test_two_classes_and_two_outputs() -> None:
    decision = nebula.select(COLUMNS["two strings"][0], PredictionSpec(shape=(None, 2)))
    assert decision.spec is not None
    assert (decision.task, decision.spec.loss) == ("multiclass", "CrossEntropyLoss")


def test_a_column_of_a_file(tmp_path: Path) -> None:
    pd.DataFrame({"animal": ANIMALS, "weight": range(120)}).to_csv(tmp_path / "t.csv", index=False)
    table = read_table(tmp_path / "t.csv", "animal")
    assert table.class_names == ("cat", "dog", "owl")
    decision = nebula.select(table.source)
    assert (decision.task, decision.status, decision.trace.profile.target.name) == ("multiclass", "decided", "animal")
