"""Filler values and label facts, case by case."""

from __future__ import annotations

import pytest

from nebula.profiling.profiler import profile

BLOCK = [0, 1, 2, 2]


@pytest.mark.parametrize(
    ("target", "void"),
    [
        pytest.param([*BLOCK, 255], 255, id="255 above a block"),
        pytest.param([*BLOCK, -1], -1, id="-1 below a block"),
        pytest.param([*BLOCK, -100], -100, id="-100 below a block"),
        pytest.param([0, 1, 255], 255, id="255 above two labels"),
        pytest.param([-1, 0, 1], None, id="signs and zero are labels"),
        pytest.param([-1, 0, 1, 2], -1, id="-1 below three labels"),
        pytest.param([-1, 0, 7, 9], -1, id="-1 below labels with holes"),
        pytest.param([-100, 0, 40_000], -100, id="-100 below word numbers"),
        pytest.param([-1, 1], None, id="signs are labels"),
        pytest.param([-1, 0], None, id="-1 and one label"),
        pytest.param([0, 255], None, id="an 8-bit mask of two levels"),
        pytest.param([0, 2, 255], None, id="counts with a large one"),
        pytest.param([1, 2, 255], None, id="labels from 1"),
        pytest.param([*range(129), 255], None, id="too many labels below 255"),
        pytest.param([*range(128), 255], 255, id="128 labels below 255"),
        pytest.param([*range(256)], None, id="pixels"),
        pytest.param([-1, 0, 1, 255], -1, id="255 is no filler beside -1"),
        pytest.param([-2, -1, 0, 1], None, id="negative labels"),
        pytest.param([0.0, 0.5, -1.0], None, id="not whole"),
        pytest.param([0, 1, 254], None, id="another value"),
        pytest.param([-1, 1, 2], None, id="-1 below labels from 1"),
        pytest.param([-100], None, id="nothing else"),
    ],
)
def test_void_value(target, void):
    facts = profile(target).target
    assert facts.void_value == void
    assert facts.void_fraction == (target.count(void) / len(target) if void is not None else 0)


def test_label_facts_leave_the_filler_out():
    facts, plain = profile([*BLOCK, 255, 255]).target, profile(BLOCK).target
    for name in ("n_classes", "label_min", "label_max", "class_counts", "class_balance", "minority_fraction",
                 "entropy", "class_weight", "labels_are_contiguous"):  # fmt: skip
        assert getattr(facts, name) == getattr(plain, name), name
    assert (facts.n_unique, facts.max) == (4, 255)


def test_a_declared_filler_is_taken_at_its_word():
    facts = profile([1, 2, 3, 9], hints={"ignore_value": 9}).target
    assert (facts.void_value, facts.void_fraction, facts.n_classes, facts.label_max) == (9, 0.25, 3, 3)
    absent = profile([*BLOCK, 255], hints={"ignore_value": 7}).target
    assert (absent.void_value, absent.void_fraction, absent.n_classes) == (7, 0, 4)


def test_only_fillers_leave_no_label():
    facts = profile([9, 9], hints={"ignore_value": 9}).target
    assert (facts.void_fraction, facts.n_classes, facts.label_min) == (1, None, None)


@pytest.mark.parametrize(
    ("target", "classes"),
    [([0.3, 0.7, 0.7], 2), ([0.3, 0.7, 0.9], None), ([5.0, 5.0], 1), ([1, 2, 2], 2), ([0.5, float("nan")], None)],
    ids=["two fractions", "three fractions", "constant", "1 and 2", "one fraction"],
)
def test_what_can_be_a_label(target, classes):
    assert profile(target).target.n_classes == classes


def test_two_labels_have_a_prevalence_and_odds():
    facts = profile([-1, -1, -1, 1]).target
    assert (facts.positive_fraction, facts.pos_weight, facts.class_balance) == (0.25, (3.0,), 1 / 3)
    assert profile([0.3, 0.7]).target.labels_are_contiguous is False
