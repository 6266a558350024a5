"""Any split, any order, any tree of merges gives the facts of the whole."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nebula.errors import DataError
from nebula.profiling import accumulator, columns, device, marginal, rows, value_table
from nebula.profiling.accumulator import TargetAccumulator

MOMENTS = {"mean": 1e-7, "std": 1e-7, "var": 1e-7, "skew": 1e-5, "kurtosis": 1e-5, "dispersion": 1e-6}
TARGETS = st.one_of(
    hnp.arrays(np.int64, st.integers(1, 80), elements=st.integers(-3, 200)),
    hnp.arrays(np.int64, st.integers(1, 80), elements=st.integers(-(2**62), 2**62)),
    hnp.arrays(np.float64, st.integers(1, 80), elements=st.floats(-1e6, 1e6, allow_subnormal=False)),
    hnp.arrays(np.float32, st.integers(1, 80), elements=st.sampled_from([0.0, -0.0, 0.5, 1.0, math.nan, math.inf])),
    hnp.arrays(np.float64, st.tuples(st.integers(1, 25), st.integers(2, 5)), elements=st.sampled_from([0.0, 1.0])),
    hnp.arrays(
        np.float64,
        st.tuples(st.integers(1, 25), st.integers(2, 5)),
        elements=st.one_of(st.just(math.nan), st.floats(-9, 9, allow_subnormal=False)),
    ),
)  # fmt: skip
SMALL = pytest.mark.parametrize("capacity", [16, 2**16], ids=["sketched", "exact"])


def gather(x, **options):
    found = TargetAccumulator(**options)
    found.update(torch.as_tensor(x))
    return found


def merge_in_a_tree(parts, random):
    parts = list(parts)
    while len(parts) > 1:
        first, second = (parts.pop(random.randrange(len(parts))) for _ in range(2))
        parts.append(first.merge(second))
    return parts[0]


def assert_same_facts(found, expected, *, scale=1.0):
    left, right = found.model_dump(), expected.model_dump()
    for name, value in left.items():
        if name in MOMENTS or name == "label_prevalence":
            tolerance = MOMENTS.get(name, 1e-7)
            near = scale if name in ("mean", "label_prevalence") else 1.0
            assert value == (
                None if right[name] is None else pytest.approx(right[name], rel=tolerance, abs=tolerance * near)
            ), name
        else:
            assert value == right[name], name


@pytest.fixture
def _capacity(monkeypatch, capacity):
    def initialise(self, ignore=None, capacity=capacity):
        plain(self, ignore, min(capacity, limit))

    limit, plain = capacity, marginal.Marginal.__init__
    monkeypatch.setattr(marginal.Marginal, "__init__", initialise)


@SMALL
@pytest.mark.usefixtures("_capacity")
@given(x=TARGETS, random=st.randoms(use_true_random=False), ignore=st.sampled_from([None, 0, 3]))
def test_split_order_and_tree_do_not_matter(x, random, ignore, capacity):
    order = list(range(len(x)))
    random.shuffle(order)
    cuts = sorted(random.randrange(len(x) + 1) for _ in range(random.randrange(6)))
    shuffled = np.split(x[order], cuts)
    whole = gather(x, ignore_value=ignore).facts()
    finite = x[np.isfinite(x)].astype(float)
    scale = float(abs(finite).max()) if finite.size else 1.0
    merged = merge_in_a_tree([gather(part, ignore_value=ignore) for part in shuffled], random)
    assert_same_facts(merged.facts(), whole, scale=scale)
    one_by_one = TargetAccumulator(ignore_value=ignore)
    for part in shuffled:
        one_by_one.update(torch.from_numpy(part))
    assert_same_facts(one_by_one.facts(), whole, scale=scale)


@SMALL
@pytest.mark.usefixtures("_capacity")
@given(x=TARGETS, y=TARGETS)
def test_merging_changes_neither_side_and_commutes(x, y, capacity):
    left, right = gather(x), gather(y)
    before = left.facts(), right.facts()
    if left.tail == right.tail:
        assert_same_facts(left.merge(right).facts(), right.merge(left).facts(), scale=1e19)
    else:
        with pytest.raises(DataError, match="same shape"):
            left.merge(right)
    assert (left.facts(), right.facts()) == before


@SMALL
@pytest.mark.usefixtures("_capacity")
@given(x=TARGETS, ignore=st.sampled_from([None, 0]))
def test_the_way_on_a_device_gives_the_same(x, ignore, capacity):
    expected = gather(x, ignore_value=ignore).facts()
    with pytest.MonkeyPatch.context() as patch:
        for module in (accumulator, columns, device, marginal, rows):
            patch.setattr(module, "lies_on_host", lambda tensor: False)
        found = gather(x, ignore_value=ignore).facts()
    assert_same_facts(found, expected, scale=1e6 if x.dtype.kind == "f" else 1e19)


@SMALL
@pytest.mark.usefixtures("_capacity")
@given(x=TARGETS, ignore=st.sampled_from([None, 0]))
def test_arrays_bring_everything_back(x, ignore, capacity):
    found = gather(x, ignore_value=ignore)
    arrays = found.to_arrays()
    assert not any(array.dtype.hasobject for array in arrays.values())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nebula.profiling.state.CAPACITY", capacity)
        again = TargetAccumulator.from_arrays(arrays)
    assert again.facts() == found.facts()
    assert again.merge(found).facts() == found.merge(found).facts()


def big(kind, n=300_000):
    generator = torch.Generator().manual_seed(11)
    normal = torch.randn(n, generator=generator)
    return {
        "normal": normal,
        "normal in float64 at 1e9": normal.double() + 1e9,
        "zero-inflated": torch.where(torch.rand(n, generator=generator) < 0.6, 0.0, normal.exp()),
        "ids to 2^62": torch.randint(0, 2**62, (n,), generator=generator),
        "sorted": normal.sort().values,
        "integers as floats": torch.randint(0, 2**20, (n,), generator=generator).float(),
        "grid in the bits": (torch.arange(n) * 4 + 2**30).to(torch.int32).view(torch.float32),
    }[kind]


BIG = pytest.mark.parametrize(
    "kind",
    [
        "normal",
        "normal in float64 at 1e9",
        "zero-inflated",
        "ids to 2^62",
        "sorted",
        "integers as floats",
        "grid in the bits",
    ],
)


@BIG
def test_large_targets_are_estimated_within_the_stated_errors(kind):
    x = big(kind)
    facts, exact = gather(x).facts(), x.double().numpy()
    distinct = len(np.unique(exact))
    assert facts.n_unique_is_exact is False
    assert facts.n_unique == pytest.approx(distinct, rel=0.02)
    ordered = np.sort(exact)
    for name, level in (("q05", 0.05), ("q25", 0.25), ("median", 0.5), ("q75", 0.75), ("q95", 0.95)):
        low, high = (np.searchsorted(ordered, getattr(facts, name), side) / len(x) for side in ("left", "right"))
        assert low - 0.012 <= level <= high + 0.012, name
    assert (facts.min, facts.max) == (exact.min(), exact.max())
    assert facts.zero_fraction == pytest.approx((exact == 0).mean(), rel=1e-9)
    assert facts.negative_fraction == pytest.approx((exact < 0).mean(), rel=1e-9)
    assert facts.min_fraction == pytest.approx((exact == exact.min()).mean(), rel=1e-9)
    assert facts.is_integer_valued == bool((exact == np.floor(exact)).all())


@BIG
def test_large_targets_split_as_they_are_whole(kind):
    x = big(kind)
    whole = gather(x)
    shuffled = x[torch.randperm(len(x), generator=torch.Generator().manual_seed(2))]
    parts = [gather(part) for part in shuffled.split([1000, 99_000, 150_000, 50_000])]
    merged = parts[3].merge(parts[0]).merge(parts[1].merge(parts[2]))
    assert_same_facts(merged.facts(), whole.facts(), scale=float(x.double().abs().max()))
    again = TargetAccumulator.from_arrays(merged.to_arrays())
    assert again.facts() == merged.facts()
    assert sum(array.nbytes for array in merged.to_arrays().values()) < 2**21


def test_a_level_guessed_too_high_is_taken_back():
    x = torch.cat([torch.randn(140_000), torch.zeros(900_000)])
    assert_same_facts(gather(x).facts(), gather(x.flip(0)).facts())
    assert gather(x).marginal.table.level == 2


@pytest.mark.parametrize(("dtype", "rel"), [(torch.float64, 1e-9), (torch.float32, 1e-6)], ids=["float64", "float32"])
@pytest.mark.parametrize("offset", [0.0, 1e3, 1e9], ids=["0", "1e3", "1e9"])
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e15], ids=["1e-30", "1", "1e15"])
def test_moments_against_extended_precision(dtype, rel, offset, scale):
    shape = np.random.default_rng(3).gamma(2.0, size=200_000)
    spread = 1.0 if dtype == torch.float64 else 1e5
    x = torch.from_numpy((shape * spread + offset) * scale).to(dtype)
    facts = gather(x).facts()
    assert facts.n_unique_is_exact is False or dtype == torch.float32
    exact = x.double().numpy().astype(np.longdouble)
    mean = exact.mean()
    m2, m3, m4 = (((exact - mean) ** power).mean() for power in (2, 3, 4))
    assert facts.mean == pytest.approx(float(mean), rel=rel)
    assert facts.var == pytest.approx(float(m2), rel=rel)
    assert facts.skew == pytest.approx(float(m3 / m2**1.5), rel=10 * rel)
    assert facts.kurtosis == pytest.approx(float(m4 / m2**2 - 3), rel=100 * rel)


@pytest.mark.parametrize("shape", [(3, 200_000), (2, 3, 150_000), (150_000, 3)], ids=str)
def test_rows_wider_than_a_piece(shape):
    x = torch.rand(shape, generator=torch.Generator().manual_seed(4))
    facts, sums = gather(x).facts(), x.double().sum(1)
    assert (facts.row_sum_min, facts.row_sum_max) == pytest.approx((float(sums.min()), float(sums.max())), rel=1e-9)
    assert facts.mean == pytest.approx(float(x.double().mean()), rel=1e-6)
    flat = gather(x.reshape(-1)).facts()
    assert (facts.median, facts.n_unique) == (flat.median, flat.n_unique)


def test_labels_are_counted_in_memory_that_does_not_grow_with_them():
    labels = torch.randint(0, 1000, (100_000,)) * 2**52
    facts = gather(labels).facts()
    assert (facts.n_classes, facts.n_unique_is_exact) == (1000, True)
    assert facts.class_counts == tuple(torch.unique(labels, return_counts=True)[1].tolist())


def test_other_rows_are_refused():
    found = gather(torch.zeros(3, 2))
    with pytest.raises(DataError, match="same shape"):
        found.update(torch.zeros(3, 4))
    with pytest.raises(DataError, match="ignore_value"):
        found.merge(gather(torch.zeros(3, 2), ignore_value=1))


DAMAGE = {
    "missing": lambda arrays: arrays.pop("marginal.values"),
    "objects": lambda arrays: arrays.update({"marginal.values": np.array([object()])}),
    "another format": lambda arrays: arrays.update(layout=np.array([9, 4, 1])),
    "too many values": lambda arrays: arrays.update(
        {"marginal.values": np.arange(2**16 + 1), "marginal.counts": np.ones(2**16 + 1, dtype=np.int64)}
    ),
    "not ascending": lambda arrays: arrays["marginal.values"].__setitem__(0, 7),
    "a count of 0": lambda arrays: arrays["marginal.counts"].__setitem__(0, 0),
    "counts that do not add up": lambda arrays: arrays["marginal.counts"].__setitem__(0, 5),
    "more rows": lambda arrays: arrays["layout"].__setitem__(1, 400),
    "another type": lambda arrays: arrays.update({"marginal.counts": arrays["marginal.counts"].astype(np.float32)}),
    "a level": lambda arrays: arrays["marginal.sizes"].__setitem__(3, 40),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_arrays_are_refused(damage):
    arrays = gather(torch.tensor([1, 2, 2, 3])).to_arrays()
    damage(arrays)
    with pytest.raises(DataError, match="accumulator"):
        TargetAccumulator.from_arrays(arrays)


def test_the_capacity_is_what_the_page_says():
    assert (value_table.CAPACITY, columns.CAPACITY) == (2**16, 2**13)


@given(
    st.lists(st.lists(st.integers(-300, 300), min_size=1, max_size=400), min_size=1, max_size=4),
    st.integers(1, 6),
    st.sampled_from([np.float32, np.int64]),
)
def test_raw_values_are_grouped_at_the_lowest_level_that_fits(batches, level, kind):
    values = [np.array(batch, kind) for batch in batches]
    rings, alone = value_table.ValueTable(24), value_table.ValueTable(24)
    for table in (rings, alone):
        table.level = level
    for batch in values:
        rings.add(batch)
        rings.gather()
        rings.shrink()
    for value in np.concatenate(values):
        alone.add_counted(*value_table.group(np.array([value])))
        alone.shrink()
    assert rings.level == alone.level
    np.testing.assert_array_equal(rings.values, alone.values)
    np.testing.assert_array_equal(rings.counts, alone.counts)


@pytest.mark.parametrize("size", [7, 64, 4099])
@pytest.mark.parametrize("level", [1, 4, 7])
def test_held_values_are_found_at_their_places(size, level):
    hashed = np.random.default_rng(size).integers(0, 2**32, size, dtype=np.uint32)
    expected = np.flatnonzero(hashed > np.uint32(value_table.threshold_of(level)))
    np.testing.assert_array_equal(value_table._find_held(hashed, level), expected)


def test_a_level_guessed_within_a_wide_row_misses_none_of_it(monkeypatch):
    monkeypatch.setattr(accumulator, "PIECE", 64)
    values = torch.arange(2 * 400, dtype=torch.float32).remainder(80).reshape(2, 400) + 0.5
    found, whole = TargetAccumulator(), TargetAccumulator()
    for part in (found, whole):
        part.marginal = marginal.Marginal(capacity=48)
    found.update(values)
    monkeypatch.setattr(accumulator, "PIECE", 2**17)
    whole.update(values)
    assert found.marginal.table.level == whole.marginal.table.level
    np.testing.assert_array_equal(found.marginal.table.counts, whole.marginal.table.counts)
