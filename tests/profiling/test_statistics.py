"""Every marginal fact against an independent implementation."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.utils.class_weight import compute_class_weight

from nebula.profiling.profiler import profile

reals = hnp.arrays(
    np.float64, st.integers(1, 60), elements=st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 3))
)
labels = hnp.arrays(np.int64, st.integers(1, 80), elements=st.integers(-3, 9))


@given(reals)
def test_moments_agree_with_numpy_and_scipy(x):
    facts = profile(x, fingerprint=False).target
    assert facts.mean == pytest.approx(x.mean(), rel=1e-9, abs=1e-6)
    assert facts.var == pytest.approx(x.var(), rel=1e-9, abs=1e-6)
    assert facts.std == pytest.approx(x.std(), rel=1e-9, abs=1e-6)
    if len(np.unique(x)) == 1:
        assert (facts.var, facts.skew, facts.kurtosis) == (0.0, None, None)
    elif x.std() > 1e-3 * abs(x).max():  # scipy itself loses the digits below
        assert facts.skew == pytest.approx(scipy.stats.skew(x), rel=1e-6, abs=1e-6)
        assert facts.kurtosis == pytest.approx(scipy.stats.kurtosis(x), rel=1e-6, abs=1e-6)


@given(reals)
def test_order_statistics_agree_with_numpy(x):
    facts = profile(x, fingerprint=False).target
    for name, level in (("q05", 0.05), ("q25", 0.25), ("median", 0.5), ("q75", 0.75), ("q95", 0.95)):
        assert getattr(facts, name) == pytest.approx(np.quantile(x, level), rel=1e-9, abs=1e-9)
    iqr = facts.q75 - facts.q25
    assert facts.iqr == iqr
    if iqr == 0:
        assert (facts.outlier_fraction, facts.tail_index) == (None, None)
    else:
        outside = (x < facts.q25 - 1.5 * iqr) | (x > facts.q75 + 1.5 * iqr)
        assert facts.outlier_fraction == outside.mean()
        assert facts.tail_index == max(x.max() - facts.median, facts.median - x.min()) / iqr


@given(reals)
def test_support_agrees_with_numpy(x):
    facts = profile(x, fingerprint=False).target
    distinct, counts = np.unique(x, return_counts=True)
    assert (facts.min, facts.max, facts.n_unique) == (x.min(), x.max(), len(distinct))
    assert facts.n_unique_is_exact
    assert facts.is_integer_valued == bool((x == np.floor(x)).all())
    assert facts.is_constant == (len(distinct) == 1)
    assert facts.repeat_rate == pytest.approx(1 - len(distinct) / len(x))
    assert facts.zero_fraction == (x == 0).mean()
    assert facts.negative_fraction == (x < 0).mean()
    assert facts.min_fraction == (x == x.min()).mean()
    assert facts.max_fraction == (x == x.max()).mean()
    assert facts.min_gap == (np.diff(distinct).min() if len(distinct) > 1 else None)
    assert facts.unique_values == tuple(distinct)
    assert facts.value_counts == tuple(counts)
    if x.min() >= 0 and x.mean() > 0:
        assert facts.dispersion == pytest.approx(x.var() / x.mean(), rel=1e-9, abs=1e-9)
    else:
        assert facts.dispersion is None


@given(labels)
def test_classes_agree_with_scikit_learn_and_scipy(y):
    facts = profile(y, fingerprint=False, hints={"ignore_value": 99}).target
    classes, counts = np.unique(y, return_counts=True)
    assert (facts.n_classes, facts.class_counts) == (len(classes), tuple(counts))
    assert (facts.label_min, facts.label_max) == (y.min(), y.max())
    assert facts.labels_are_contiguous == (set(classes) == set(range(y.min(), y.max() + 1)))
    assert facts.class_balance == counts.min() / counts.max()
    assert facts.minority_fraction == counts.min() / len(y)
    assert facts.entropy == pytest.approx(scipy.stats.entropy(counts), abs=1e-12)
    assert facts.class_weight == pytest.approx(compute_class_weight("balanced", classes=classes, y=y))
    if len(classes) == 2:
        assert facts.positive_fraction == (y == y.max()).mean()
        assert facts.pos_weight == ((y == y.min()).sum() / (y == y.max()).sum(),)
    else:
        assert (facts.positive_fraction, facts.pos_weight) == (None, None)


@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1e-20, 1.0, 1e20, 1e150], ids=str)
def test_shape_of_the_distribution_does_not_depend_on_the_unit(scale):
    x = np.random.default_rng(1).gamma(2.0, size=500)
    facts, scaled = profile(x).target, profile(x * scale).target
    assert scaled.skew == pytest.approx(facts.skew, rel=1e-9)
    assert scaled.kurtosis == pytest.approx(facts.kurtosis, rel=1e-9)
    assert scaled.tail_index == pytest.approx(facts.tail_index, rel=1e-9)
    assert scaled.std == pytest.approx(facts.std * scale, rel=1e-9)


def test_a_far_offset_does_not_swallow_the_spread():
    x = np.random.default_rng(2).standard_normal(1000)
    assert profile(x + 1e8).target.var == pytest.approx(x.var(), rel=1e-6)


def test_the_mean_is_not_rounded_away_under_a_very_far_offset():
    x = np.floor(np.random.default_rng(2).gamma(1.0, 64, size=999))
    facts, far = profile(x).target, profile(x + 2.0**50).target
    assert far.var == pytest.approx(facts.var, rel=1e-9)
    assert far.skew == pytest.approx(facts.skew, rel=1e-9)
    assert far.kurtosis == pytest.approx(facts.kurtosis, rel=1e-9)


def test_what_overflows_is_unknown_and_the_rest_is_not():
    facts = profile([-1.7e308, 0.0, 1.7e308]).target
    assert facts.var is None
    assert facts.iqr is not None
    assert (facts.mean, facts.min, facts.max) == (0.0, -1.7e308, 1.7e308)
    assert profile([1e300, 2e300]).target.std == pytest.approx(5e299)


def test_the_smallest_numbers_keep_their_moments():
    facts = profile([5e-324, 1.5e-323]).target
    assert facts.mean == 1e-323
    assert facts.skew == pytest.approx(0.0)
    assert facts.min_gap == 1e-323


@pytest.mark.parametrize(
    ("values", "nan", "inf"),
    [([1.0, np.nan], 1, 0), ([np.inf, -np.inf, 2.0], 0, 2), ([np.nan, np.inf], 1, 1)],
    ids=["nan", "infinities", "nothing finite"],
)
def test_what_is_not_finite_is_counted_and_left_out(values, nan, inf):
    facts = profile(values).target
    assert (facts.nan_count, facts.inf_count) == (nan, inf)
    assert facts.nonfinite_fraction == (nan + inf) / len(values)
    kept = [v for v in values if np.isfinite(v)]
    assert facts.mean == (kept[0] if kept else None)
    assert facts.n_unique == len(kept)


def test_huge_integers_neither_overflow_nor_merge():
    y = torch.tensor([-(2**62), 0, 2**62, 2**62 + 1, 2**62 + 1])
    facts = profile(y).target
    assert facts.n_unique == 4
    assert facts.n_classes == 4
    assert facts.min_gap == 1.0
    assert facts.labels_are_contiguous is False
    assert facts.unique_values is None  # two of them are one float
    assert (facts.min, facts.max) == (-(2.0**62), 2.0**62)
    top = profile(np.array([2**64 - 1, 2**64 - 2, 0], dtype=np.uint64)).target
    assert (top.n_unique, top.min_gap) == (3, 1.0)


@pytest.mark.parametrize(("distinct", "few"), [(64, True), (65, False)], ids=["64 listed", "65 not"])
def test_few_fractions_are_listed(distinct, few):
    facts = profile(np.arange(distinct) + 0.5).target
    assert (facts.unique_values is not None) is few
    assert facts.n_classes is None


@pytest.mark.parametrize(("distinct", "few"), [(1024, True), (1025, False)], ids=["1024 listed", "1025 not"])
def test_few_whole_values_are_listed(distinct, few):
    facts = profile(np.arange(distinct)).target
    assert (facts.unique_values is not None) is few
    assert (facts.n_classes is not None) is few
    assert (facts.label_min, facts.label_max) == (0, distinct - 1)
