"""The content hash: equal for equal content, different for every change."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nebula.profiling.fingerprint import _block_sums, _digest_blocks, fingerprint

SCHEMES = pytest.mark.parametrize("portable", [False, True], ids=["xxh3_128", "nebula_fp1"])
DTYPES = [
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16, torch.uint32,
    torch.uint64, torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64,
]  # fmt: skip


@SCHEMES
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_strides_do_not_matter(dtype, portable):
    x = torch.arange(60).reshape(12, 5).to(dtype)
    scheme = "nebula_fp1" if portable else "xxh3_128"
    expected = fingerprint(x, portable=portable)
    assert expected.startswith(f"{scheme}:")
    assert len(expected) == len(scheme) + 33
    assert fingerprint(x.T.contiguous().T, portable=portable) == expected
    assert fingerprint(x.clone(), portable=portable) == expected
    assert fingerprint(torch.cat([x[:1], x])[1:], portable=portable) == expected


@SCHEMES
def test_dtype_shape_and_order_matter(portable):
    x = torch.arange(6000)
    variants = [x, x.float(), x.double(), x.view(60, 100), x.view(100, 60), x.view(-1, 1), x.flip(0), x.roll(1),
                x.roll(2048), x[1:], x[:-1], x.view(torch.float64)]  # fmt: skip
    assert len({fingerprint(v, portable=portable) for v in variants}) == len(variants)


@SCHEMES
def test_zeros_of_every_length_differ(portable):
    found = {
        fingerprint(torch.zeros(n, dtype=dtype), portable=portable)
        for n in (*range(64), 2047, 2048, 2049, 4096, 300_000)
        for dtype in (torch.bool, torch.uint8, torch.float32, torch.int64)
    }
    assert len(found) == 69 * 4


@SCHEMES
def test_every_single_bit_counts(portable):
    x = torch.randint(-(2**63), 2**63 - 1, (70,), generator=torch.Generator().manual_seed(5))
    seen = {fingerprint(x, portable=portable)}
    for place in range(70):
        for bit in range(64):
            flipped = x.clone()
            flipped[place] ^= -(2**63) if bit == 63 else 1 << bit
            seen.add(fingerprint(flipped, portable=portable))
    assert len(seen) == 70 * 64 + 1


@SCHEMES
def test_pairs_of_sign_flips_and_swaps_do_not_cancel(portable):
    base = torch.randn(90, dtype=torch.float64, generator=torch.Generator().manual_seed(6))
    seen, made = {fingerprint(base, portable=portable)}, 1
    for first in range(90):
        for second in range(first + 1, 90):
            changed = base.clone()
            changed[[first, second]] *= -1
            swapped = base.clone()
            swapped[[first, second]] = base[[second, first]]
            seen |= {fingerprint(changed, portable=portable), fingerprint(swapped, portable=portable)}
            made += 2
    assert len(seen) == made


@given(st.integers(0, 9000), st.integers(1, 5), st.sampled_from([torch.uint8, torch.int16, torch.float32]))
def test_chunking_does_not_matter(size, slab, dtype):
    x = torch.arange(size).to(dtype)
    assert _digest_blocks(x, b"header", slab=slab) == _digest_blocks(x, b"header")


def test_block_sums_are_the_sums_they_are_said_to_be():
    from hashlib import shake_256

    words = torch.randint(-(2**63), 2**63 - 1, (3000,), generator=torch.Generator().manual_seed(7))
    stream = shake_256(b"nebula_fp1").digest(3 * 2048 * 8)
    keys = [int.from_bytes(stream[8 * i : 8 * i + 8], "little") | 1 for i in range(3 * 2048)]
    padded = words.tolist() + [0] * (2 * 2048 - 3000)
    for block in range(2):
        for lane, shift in enumerate((0, 21, 42)):
            terms = zip(padded[2048 * block : 2048 * (block + 1)], keys[2048 * lane : 2048 * (lane + 1)], strict=True)
            expected = sum((word >> shift) * key for word, key in terms) % 2**64
            assert int(_block_sums(words)[block, lane]) % 2**64 == expected


@SCHEMES
def test_lazy_conjugates_and_signs_are_resolved(portable):
    z = torch.tensor([1 + 2j, 3 - 1j])
    assert fingerprint(z.conj(), portable=portable) == fingerprint(torch.tensor([1 - 2j, 3 + 1j]), portable=portable)
    assert fingerprint(z.conj().imag, portable=portable) == fingerprint(torch.tensor([-2.0, 1.0]), portable=portable)


@SCHEMES
def test_gradients_and_empty_tensors(portable):
    x = torch.ones(3)
    assert fingerprint(x.requires_grad_(), portable=portable) == fingerprint(x.detach(), portable=portable)
    assert fingerprint(torch.zeros(0, 2), portable=portable) != fingerprint(torch.zeros(2, 0), portable=portable)
    assert fingerprint(torch.from_numpy(np.asarray([])), portable=portable) == fingerprint(
        torch.zeros(0, dtype=torch.float64), portable=portable
    )
    assert fingerprint(torch.arange(3.0)[1::3], portable=portable) == fingerprint(torch.ones(1), portable=portable)
    assert fingerprint(torch.ones(1).expand(9), portable=portable) == fingerprint(torch.ones(9), portable=portable)
    assert fingerprint(torch.tensor(1.0), portable=portable) != fingerprint(torch.tensor([1.0]), portable=portable)


def test_known_values_stay_the_same():
    x = torch.arange(5000, dtype=torch.int32)
    assert fingerprint(x) == "xxh3_128:73c01691af4d6330d435854ce02fdf8f"
    assert fingerprint(x, portable=True) == "nebula_fp1:933657b77bdd9ee6723f5521123c182a"
