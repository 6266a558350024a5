"""What can be profiled, what is refused, and that nothing is touched."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from nebula.errors import DataError, HintError
from nebula.profiling.arrays import as_source, as_tensor
from nebula.profiling.model import FeatureFacts
from nebula.profiling.profiler import profile

NA = np.nan
DATES = np.array(["2020-01-01"], dtype="datetime64[D]")


def quietly(make):
    """Make a kind of tensor that torch calls a prototype or deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make()


def same(left, right):
    return left.dtype == right.dtype and left.shape == right.shape and np.array_equal(left, right, equal_nan=True)


@pytest.mark.parametrize(
    ("data", "expected", "name"),
    [
        pytest.param([1, 2], np.array([1, 2]), None, id="list"),
        pytest.param((0.5, 2), np.array([0.5, 2]), None, id="tuple"),
        pytest.param([[1, 2], [3, 4]], np.array([[1, 2], [3, 4]]), None, id="nested list"),
        pytest.param(3, np.array(3), None, id="number"),
        pytest.param(np.float32(3), np.array(3, np.float32), None, id="numpy scalar"),
        pytest.param(np.arange(4)[::-1], np.array([3, 2, 1, 0]), None, id="negative strides"),
        pytest.param(np.arange(2, dtype=">i4"), np.arange(2, dtype=np.int32), None, id="big-endian"),
        pytest.param(np.arange(2, dtype=np.longdouble), np.arange(2.0), None, id="long double"),
        pytest.param(pd.Series([1, 2], name="y"), np.array([1, 2]), "y", id="pandas int64"),
        pytest.param(pd.Series([1, 2], name=7), np.array([1, 2]), "7", id="pandas, number as name"),
        pytest.param(pd.Series([1, None], dtype="Int64"), np.array([1.0, NA]), None, id="pandas Int64 with NA"),
        pytest.param(pd.Series([1, 2], dtype="Int64"), np.array([1, 2]), None, id="pandas Int64"),
        pytest.param(pd.Series([0.5, None], dtype="Float32"), np.array([0.5, NA]), None, id="pandas Float32 with NA"),
        pytest.param(pd.Series([True, None], dtype="boolean"), np.array([1.0, NA]), None, id="pandas boolean with NA"),
        pytest.param(pd.Series([True, False], dtype="boolean"), np.array([True, False]), None, id="pandas boolean"),
        pytest.param(pd.Series([1, 2], dtype="int8[pyarrow]"), np.array([1, 2], np.int8), None, id="pandas arrow"),
        pytest.param(pd.Series([1, None], dtype="int8[pyarrow]"), np.array([1.0, NA]), None, id="pandas arrow with NA"),
        pytest.param(pd.Series(["b", "a", "b"]), np.array([1, 0, 1]), None, id="pandas strings"),
        pytest.param(pd.Series(["b", None, "a"]), np.array([1.0, NA, 0.0]), None, id="pandas strings with NA"),
        pytest.param(pd.Series(["b", "a"], dtype=object), np.array([1, 0]), None, id="pandas strings as objects"),
        pytest.param(pd.Series(["b", "a"], dtype="category"), np.array([1, 0]), None, id="pandas categories"),
        pytest.param(
            pd.Series(pd.Categorical(["a", "b"], categories=["b", "a"])), np.array([0, 1]), None, id="pandas unordered"
        ),
        pytest.param(pd.Series([30, 10], dtype="category"), np.array([1, 0]), None, id="pandas number categories"),
        pytest.param(
            pd.Series(pd.Categorical(["hi", "lo"], categories=["lo", "mid", "hi"], ordered=True)),
            np.array([1, 0]), None, id="pandas ordered categories",
        ),
        pytest.param(
            pd.Series([0, 0, 3], dtype=pd.SparseDtype("int64", 0)), np.array([0, 0, 3]), None, id="pandas sparse"
        ),
        pytest.param(pd.DataFrame({"a": [1, 2]}), np.array([[1], [2]]), "a", id="pandas frame, one column"),
        pytest.param(pd.DataFrame({"a": [1], "b": [0.5]}), np.array([[1, 0.5]]), None, id="pandas frame"),
        pytest.param(pl.Series("y", [1, 2]), np.array([1, 2]), "y", id="polars"),
        pytest.param(pl.Series([1, None]), np.array([1.0, NA]), None, id="polars with null"),
        pytest.param(pl.Series([True, None]), np.array([1.0, NA]), None, id="polars boolean with null"),
        pytest.param(pl.Series(["b", "a", None]), np.array([1.0, 0.0, NA]), None, id="polars strings"),
        pytest.param(pl.Series(["b", "a"], dtype=pl.Categorical), np.array([1, 0]), None, id="polars categories"),
        pytest.param(pl.Series(["lo", "hi"], dtype=pl.Enum(["lo", "hi"])), np.array([0, 1]), None, id="polars enum"),
        pytest.param(pl.DataFrame({"a": [1], "b": [2]}), np.array([[1, 2]]), None, id="polars frame"),
    ],
)  # fmt: skip
def test_what_is_read(data, expected, name):
    source = as_source(data)
    assert same(source.tensor.numpy(), expected)
    assert source.name == name
    assert profile(data).target.name == name


def test_names_of_classes_are_handed_on():
    assert as_source(pd.Series(["b", "a", "b"])).class_names == ("a", "b")
    assert as_source(pd.Series([1, 2])).class_names is None


@pytest.mark.parametrize(
    "dtype",
    [torch.float8_e4m3fn, torch.float8_e5m2, torch.float16, torch.bfloat16, torch.uint16, torch.uint32, torch.uint64],
    ids=str,
)
def test_rarer_element_types(dtype):
    facts = profile(torch.tensor([0.0, 1.0, 2.0, 2.0]).to(dtype), torch.zeros(4, 3).to(dtype))
    assert facts.target.class_counts == (1, 1, 2)
    assert facts.relation.labels_fit is True


RAGGED = [[1], [1, 2]]
LOOP: list[object] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(torch.zeros(2, dtype=torch.complex64), id="complex"),
        pytest.param(torch.zeros(2).to_sparse(), id="sparse"),
        pytest.param(quietly(lambda: torch.quantize_per_tensor(torch.zeros(2), 1.0, 0, torch.quint8)), id="quantized"),
        pytest.param(torch.empty(2, device="meta"), id="meta"),
        pytest.param(quietly(lambda: torch.nested.nested_tensor([torch.zeros(1), torch.zeros(2)])), id="nested"),
        pytest.param(np.array(["a"]), id="numpy strings"),
        pytest.param(np.array([None, 1]), id="objects"),
        pytest.param(DATES, id="dates"),
        pytest.param(np.array([1j]), id="numpy complex"),
        pytest.param(np.zeros(2, dtype=[("a", int)]), id="structured"),
        pytest.param(np.ma.masked_array([1, 2], [0, 1]), id="masked"),
        pytest.param(["a", "b"], id="list of strings"),
        pytest.param([1, None], id="list with None"),
        pytest.param(RAGGED, id="ragged"),
        pytest.param(LOOP, id="list of itself"),
        pytest.param([2**70], id="integer beyond 64 bits"),
        pytest.param([object()], id="list of objects"),
        pytest.param([torch.zeros(2), torch.zeros(3)], id="list of unequal tensors"),
        pytest.param("text", id="text"),
        pytest.param({"y": [1]}, id="dict"),
        pytest.param({1, 2}, id="set"),
        pytest.param(None, id="None"),
        pytest.param(object(), id="object"),
        pytest.param((value for value in [1]), id="generator"),
        pytest.param(pd.Series(DATES), id="pandas dates"),
        pytest.param(pd.Series([1, "a"], dtype=object), id="pandas mixed"),
        pytest.param(pd.Series([[1], [2]]), id="pandas lists"),
        pytest.param(pd.Series([1j]), id="pandas complex"),
        pytest.param(pd.DataFrame({"a": [1], "b": ["x"]}), id="pandas frame with labels"),
        pytest.param(pd.DataFrame(), id="pandas frame without columns"),
        pytest.param(pl.Series([[1], [2]]), id="polars lists"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("role", ["target", "prediction"])
def test_what_is_refused(data, role):
    with pytest.raises(DataError, match=rf"^{role}.*expected .* found") as caught:
        as_tensor(data, role)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("wrong", [{"rows_total": -1}, {"rows_total": 1.5}, {"batches": True}], ids=str)
def test_evidence_is_checked(wrong):
    with pytest.raises(DataError, match="whole number"):
        profile([1, 2], **wrong)


def test_hints_are_checked():
    with pytest.raises(HintError, match="ignore_value"):
        profile([1, 2], hints={"ignore_valu": 1})


def test_nothing_is_written_and_no_graph_leaks():
    weight = torch.randn(5, 3, requires_grad=True)
    inputs = torch.randn(4, 5)
    prediction = inputs @ weight
    target = torch.tensor([0, 1, 2, 1])
    before, version, target_version = prediction.clone(), prediction._version, target._version
    found = profile(target, prediction)
    assert found == profile(target, prediction.detach())
    assert prediction._version == version
    assert target._version == target_version
    assert torch.equal(prediction, before)
    assert prediction.requires_grad
    prediction.sum().backward()
    assert weight.grad is not None
    assert not as_tensor(prediction).requires_grad


def test_targets_that_require_gradients():
    target = torch.tensor([1.0, 2.0], requires_grad=True)
    assert profile(target * 2).target.mean == 3.0


def test_inference_mode():
    with torch.inference_mode():
        inside = torch.tensor([0, 1, 1])
        assert profile(inside, torch.zeros(3, 2)).relation.labels_fit
    assert profile(inside).target.class_counts == (1, 2)


@pytest.mark.parametrize("default", [torch.float16, torch.float64], ids=str)
def test_the_default_dtype_does_not_matter(default):
    before = torch.get_default_dtype()
    plain = profile([0.1, 0.2, 0.7], torch.rand(3, 2, generator=torch.Generator().manual_seed(0)).double())
    try:
        torch.set_default_dtype(default)
        again = profile(
            [0.1, 0.2, 0.7],
            torch.rand(3, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float32).double(),
        )
    finally:
        torch.set_default_dtype(before)
    assert again == plain


@pytest.mark.parametrize(
    ("features", "facts"),
    [
        pytest.param(None, (None, None, None), id="none"),
        pytest.param(np.array([[1.0, NA], [1.0, 2.0]]), (2, 2, 0.25), id="array"),
        pytest.param(torch.zeros(3), (3, 1, 0.0), id="vector"),
        pytest.param(torch.zeros(2, 3, 4), (2, 12, 0.0), id="images"),
        pytest.param(torch.zeros(0, 3), (0, 3, None), id="no rows"),
        pytest.param(pd.DataFrame({"a": ["x", None], "b": [1, 2]}), (2, 2, 0.25), id="pandas"),
        pytest.param(pl.DataFrame({"a": ["x", None], "b": [1.0, NA]}), (2, 2, 0.5), id="polars"),
        pytest.param(FeatureFacts(n=9, d=1), (9, 1, None), id="facts"),
    ],
)
def test_features(features, facts):
    found = profile([1, 2], features=features).features
    assert (found.n, found.d, found.missing_fraction) == facts


def test_features_need_rows():
    with pytest.raises(DataError, match="rows first"):
        profile([1, 2], features=3.0)


def test_evidence():
    whole, part = profile([1, 2]).evidence, profile([1, 2], complete=False, batches=3).evidence
    assert (whole.rows_seen, whole.rows_total, whole.batches, whole.complete) == (2, 2, 1, True)
    assert (part.rows_seen, part.rows_total, part.batches, part.complete) == (2, None, 3, False)
    assert profile(torch.tensor(1.0), rows_total=9).evidence.rows_seen == 1


def test_cached_facts_are_those_computed():
    kept = {}

    class Cache:
        get = staticmethod(kept.get)
        put = staticmethod(kept.__setitem__)

    first = profile([0, 1, 9], name="a", cache=Cache())
    assert len(kept) == 1
    assert profile([0, 1, 9], name="b", cache=Cache()).target == first.target.model_copy(update={"name": "b"})
    assert len(kept) == 1
    declared = profile([0, 1, 9], hints={"ignore_value": 9}, cache=Cache())
    assert (declared.target.n_classes, len(kept)) == (2, 2)
    assert profile([0, 1, 9], name="a") == first
