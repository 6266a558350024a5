"""The content hash: equal for equal content, different for every change."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nebula.errors import DataError
from nebula.profiling.fingerprint import _block_sums, _digest_blocks, _keys, fingerprint

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


def test_blake2b_is_that_of_the_header_and_the_bytes():
    x = torch.arange(5000, dtype=torch.int32).view(50, 100)
    header = b"torch.int32|(50, 100)|"
    expected = blake2b(header + x.numpy().tobytes(), digest_size=16).hexdigest()
    assert fingerprint(x, scheme="blake2b") == f"blake2b:{expected}"
    assert fingerprint(x.T.contiguous().T, scheme="blake2b") == f"blake2b:{expected}"


def test_a_scheme_can_be_asked_for():
    x = torch.arange(9)
    assert fingerprint(x, scheme="nebula_fp1") == fingerprint(x, portable=True)
    assert fingerprint(x, scheme="xxh3_128", portable=True) == fingerprint(x)
    with pytest.raises(DataError, match="expected one of xxh3_128, nebula_fp1, blake2b, found 'md5'"):
        fingerprint(x, scheme="md5")


def test_the_sums_of_a_device_are_those_of_a_cpu():
    words = torch.randint(-(2**63), 2**63 - 1, (4 * 2048,), generator=torch.Generator().manual_seed(8))
    blocks = words.view(-1, 2048)
    as_there = torch.stack(
        [((blocks >> shift) * key).sum(1) for shift, key in zip((0, 21, 42), _keys(), strict=True)], 1
    )
    assert torch.equal(_block_sums(words), as_there)


@SCHEMES
def test_one_flipped_bit_changes_half_of_the_digest(portable):
    base = torch.randn(600, dtype=torch.float64, generator=torch.Generator().manual_seed(9)).view(torch.int64)
    before = int(fingerprint(base, portable=portable)[-32:], 16)
    changed = np.zeros(128)
    trials = [(place, bit) for place in range(0, 600, 17) for bit in range(0, 64, 3)]
    for place, bit in trials:
        flipped = base.clone()
        flipped[place] ^= -(2**63) if bit == 63 else 1 << bit
        difference = before ^ int(fingerprint(flipped, portable=portable)[-32:], 16)
        changed += [difference >> position & 1 for position in range(128)]
    share = changed / len(trials)
    # Five standard deviations of a fair coin, thrown as often as there are trials.
    assert abs(share - 0.5).max() < 5 * 0.5 / len(trials) ** 0.5


@SCHEMES
def test_permutations_differ(portable):
    labels = torch.randint(0, 3, (4096,), generator=torch.Generator().manual_seed(10))
    variants = {tuple(labels.tolist())}
    seen = {fingerprint(labels, portable=portable)}
    for seed in range(2000):
        shuffled = labels[torch.randperm(4096, generator=torch.Generator().manual_seed(seed))]
        variants.add(tuple(shuffled.tolist()))
        seen.add(fingerprint(shuffled, portable=portable))
    assert len(seen) == len(variants)


@SCHEMES
def test_low_entropy_labels_differ(portable):
    short = torch.cartesian_prod(*[torch.arange(3)] * 9)
    seen = {fingerprint(row, portable=portable) for row in short}
    assert len(seen) == 3**9


def test_block_sums_of_ten_million_structured_pairs_do_not_collide():
    """About 4,700 blocks that differ in one or two words, hence 11 million pairs."""
    base = torch.randint(0, 10, (2048,), generator=torch.Generator().manual_seed(12))
    generator = np.random.default_rng(12)
    edits = {tuple(sorted(generator.choice(2048, 2, replace=False).tolist())) for _ in range(4700)}
    blocks = base.repeat(len(edits), 1)
    for row, places in enumerate(edits):
        blocks[row, list(places)] ^= -(2**63)
    sums = _block_sums(blocks.reshape(-1))
    assert len(edits) * (len(edits) - 1) // 2 > 10**7
    assert len(torch.unique(sums, dim=0)) == len(edits)
