"""What a compiled kernel reads gives the facts that the plain path gives; without one, everything is as before."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nebula.profiling import acceleration, accumulator, fused, marginal
from nebula.profiling.acceleration import ENVIRONMENT, LEAST, load_kernel
from nebula.profiling.accumulator import TargetAccumulator
from nebula.profiling.compiled.codes import count_codes
from nebula.profiling.compiled.floats import scan_floats
from nebula.profiling.compiled.tables import count_ones
from nebula.profiling.fingerprint import fingerprint
from nebula.profiling.value_hash import hash_values, threshold_of
from tests.profiling.test_accumulator import assert_same_facts

PIECE = 64
"""A small piece, so that small targets have several."""

FLOATS = st.one_of(
    st.floats(-100, 100, width=32, allow_subnormal=False),
    st.sampled_from([0.0, -0.0, 0.5, -7.25, math.nan, math.inf, 1e30, -1e-30, 1e9]),
)


@pytest.fixture
def _small_pieces(monkeypatch):
    plain = marginal.Marginal.__init__
    monkeypatch.setattr(accumulator, "PIECE", PIECE)
    monkeypatch.setattr(fused, "_FLOATS", 5 * PIECE)
    monkeypatch.setattr(fused, "_CODES", 5 * PIECE)
    monkeypatch.setattr(
        marginal.Marginal, "__init__", lambda self, ignore=None, capacity=16: plain(self, ignore, min(capacity, 16))
    )


def gather(x, **options):
    found = TargetAccumulator(**options)
    found.update(torch.as_tensor(x))
    return found.facts()


def both_ways(x, **options):
    """Return the facts by kernels and by the plain path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENVIRONMENT, "0")
        fast = gather(x, **options)
        patch.setenv(ENVIRONMENT, str(10**12))
        return fast, gather(x, **options)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.usefixtures("_small_pieces")
@given(
    bulk=st.integers(100, 1500),
    scale=st.sampled_from([1.0, 1e-3, 1e4]),
    offset=st.sampled_from([0.0, 3.0, 1e5]),
    some=hnp.arrays(np.float32, st.integers(0, 40), elements=FLOATS),
    seed=st.integers(0, 99),
    ordered=st.booleans(),
)
def test_continuous_values(bulk, scale, offset, some, seed, ordered):
    x = np.concatenate([normal(bulk, seed=seed) * np.float32(scale) + np.float32(offset), some])
    np.random.default_rng(seed).shuffle(x)
    fast, plain = both_ways(np.sort(x) if ordered else x)
    finite = x[np.isfinite(x)].astype(float)
    reach = float(abs(finite).max())
    # Moments of float32 agree to the documented tolerance, on the scale of the data.
    near = {"mean": reach, "var": float(finite.var()), "std": float(finite.std()), "skew": 1.0, "kurtosis": 1.0}
    left, right = fast.model_dump(), plain.model_dump()
    for name, value in left.items():
        if name in near and value is not None and right[name] is not None:
            loose = {"skew": 1e-5, "kurtosis": 1e-4}.get(name, 1e-6)
            assert value == pytest.approx(right[name], rel=loose, abs=loose * near[name]), name
        elif name == "dispersion" and value is not None:
            assert value == pytest.approx(right[name], rel=1e-5), name
        else:
            assert value == right[name], name


@pytest.mark.usefixtures("_small_pieces")
@given(
    x=hnp.arrays(
        st.sampled_from([np.int64, np.int32, np.uint8]), st.integers(1, 700), elements=st.integers(0, 12)
    ),
    ends=st.tuples(st.integers(-(2**31), 2**31 - 1), st.integers(0, 900)),
    place=st.integers(0, 700),
    ignore=st.sampled_from([None, 3]),
)  # fmt: skip
def test_codes(x, ends, place, ignore):
    if x.dtype != np.uint8:
        x = np.insert(x, min(place, len(x)), np.array(ends).astype(x.dtype))
    assert_same_facts(*both_ways(x, ignore_value=ignore))


@pytest.mark.usefixtures("_small_pieces")
@given(
    rows=st.integers(1, 200),
    width=st.integers(2, 40),
    odd=st.sampled_from([None, 2.0, 0.5, math.nan, -1.0]),
    share=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_tables_of_zeros_and_ones(rows, width, odd, share, seed):
    random = np.random.default_rng(seed)
    x = (random.random((rows, width)) < share).astype(np.float32)
    if odd is not None:
        x[random.integers(rows), random.integers(width)] = odd
    assert_same_facts(*both_ways(x))


def test_large_targets_of_every_kind():
    random = np.random.default_rng(3)
    x = normal(1_300_000)
    inflated = np.where(random.random(x.size) < 0.4, np.float32(0), x)
    for target in (x, inflated, random.integers(-50, 900, 400_000), (random.random((30_000, 20)) < 0.2).astype("f4")):
        assert_same_facts(*both_ways(target))


def test_the_kernels_read_what_they_are_meant_to(monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, "0")
    held = np.zeros(10_008, np.uint32)
    assert scan_floats(normal(10_000), np.float32(0), np.uint32(threshold_of(3)), held)[0] == 10_000
    assert count_codes(np.arange(5000) % 900, 0, np.zeros((4, 1024), np.uint32)) == 5000
    assert count_ones(np.eye(300, dtype=np.float32), np.zeros(300, np.int64)) == (300, 1, 1)
    kinds = {"_FloatReader": torch.randn(9), "_TableReader": torch.eye(9), "_CodeReader": torch.ones(9, 1).int()}
    for kind, target in kinds.items():
        assert type(fused.open_fused(target)).__name__ == kind
    for target in (torch.randn(9, 2)[:, 0], torch.randn(9).double(), torch.randn(2, 3, 4), torch.tensor(1.0)):
        assert fused.open_fused(target) is None


@pytest.mark.parametrize("level", [1, 4])
@pytest.mark.parametrize("offset", [0.0, 4.0, 1000.0])
def test_a_scan_of_floats_beside_numpy(level, offset):
    x = normal(9_001) + np.float32(offset)
    x[17:40] = 0.0
    x[5] = -0.0
    held = np.zeros(x.size + 8, np.uint32)
    read, count, found = scan_floats(x, np.float32(offset + 0.5), np.uint32(threshold_of(level)), held)
    distance = x.astype(np.float64) - (offset + 0.5)
    powers = [float((distance**power).sum()) for power in (1, 2, 3, 4)]
    assert read == x.size
    assert held[:count].view(np.float32).tolist() == x[hash_values(x) > threshold_of(level)].tolist()
    assert found[:6].tolist() == [
        x.min(), x.max(), (x == x.min()).sum(), (x == x.max()).sum(), (x == 0).sum(), (x < 0).sum(),
    ]  # fmt: skip
    sizes = [float((abs(distance) ** power).sum()) for power in (1, 2, 3, 4)]
    for result, power, size in zip(found[6:], powers, sizes, strict=True):
        assert result == pytest.approx(power, abs=1e-6 * size)


@pytest.mark.parametrize("odd", [math.nan, -math.nan, math.inf, -math.inf, 1e30, -3e6])
def test_a_scan_stops_before_what_it_cannot_do(odd):
    x = normal(10_000)
    x[9_000] = odd
    read, _, found = scan_floats(x, np.float32(0), np.uint32(threshold_of(2)), np.zeros(10_008, np.uint32))
    assert read == 8192
    assert found[0] == x[:8192].min()


@given(
    x=hnp.arrays(st.sampled_from([np.float32, np.int64, np.uint8]), st.integers(0, 9000), fill=st.integers(0, 3)),
    skip=st.integers(0, 3),
)
def test_the_portable_digest_is_the_same(x, skip):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENVIRONMENT, "0")
        fast = fingerprint(torch.from_numpy(x)[skip:], portable=True)
        patch.setenv(ENVIRONMENT, str(10**12))
        assert fast == fingerprint(torch.from_numpy(x)[skip:], portable=True)


@pytest.fixture
def _unloaded(monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, "0")
    acceleration._load.cache_clear()
    yield
    acceleration._load.cache_clear()


@pytest.mark.usefixtures("_unloaded")
def test_without_numba_the_plain_path_reads(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba.core.config", None)
    monkeypatch.setitem(sys.modules, "numba", None)
    assert load_kernel("floats", 10) is None
    assert gather(normal(200)).n == 200


@pytest.mark.usefixtures("_unloaded")
def test_a_kernel_that_does_not_compile_is_warned_of(monkeypatch):
    def fail(name):
        raise RuntimeError(f"cannot cache function: no locator for {name}")

    monkeypatch.setattr(acceleration, "_import", fail)
    with pytest.warns(RuntimeWarning, match="codes.*no locator"):
        assert gather(np.arange(200)).n == 200


@pytest.mark.usefixtures("_unloaded")
def test_an_interpreted_kernel_is_not_used(monkeypatch):
    monkeypatch.setattr("numba.core.config.DISABLE_JIT", 1)
    assert load_kernel("tables", 10) is None


def test_small_targets_load_nothing(monkeypatch):
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    assert load_kernel("floats", LEAST - 1) is None
    monkeypatch.setenv(ENVIRONMENT, "nonsense")
    assert acceleration.read_least() == LEAST
