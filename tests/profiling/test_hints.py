"""Declarations are closed, bounded, and wrong ones are named."""

from __future__ import annotations

import pytest

from nebula.errors import HintError
from nebula.profiling.hints import Hints, parse_hints


@pytest.mark.parametrize(
    ("hints", "message"),
    [
        pytest.param({"metrik": "f1"}, r"hints.metrik: unknown hint. Did you mean `metric`\?", id="misspelt name"),
        pytest.param({"zzz": 1}, "hints.zzz: unknown hint. Known: task", id="unheard-of name"),
        pytest.param({"metric": "f_1"}, r"found 'f_1'. Did you mean `f1`\?", id="misspelt metric"),
        pytest.param({"task": "binari"}, r"found 'binari'. Did you mean `binary`\?", id="misspelt task"),
        pytest.param(
            {"weights": "balance"}, r"hints.weights: expected 'balanced' or 'none', found", id="other literal"
        ),
        pytest.param({"task": "zzz"}, r"found 'zzz'\.$", id="nothing near"),
        pytest.param({"quantile": 1.0}, "hints.quantile: .* less than 1, found 1.0", id="out of range"),
        pytest.param({"label_noise": float("nan")}, "hints.label_noise", id="NaN"),
        pytest.param({"false_negative_cost": float("inf")}, "hints.false_negative_cost", id="infinite"),
        pytest.param({"metric": "pinball@0.9", "quantile": 0.5}, "disagree", id="two quantiles"),
        pytest.param({"metric": "pinball@1.5"}, "hints.metric", id="no quantile"),
        pytest.param({"metric": "x", "task": "y"}, "hints.task.*hints.metric", id="two faults"),
        pytest.param(3, "expected a mapping", id="number"),
        pytest.param("task", "expected a mapping", id="text"),
    ],
)
def test_a_wrong_hint_is_named(hints, message):
    with pytest.raises(HintError, match=message):
        parse_hints(hints)


def test_right_hints_are_taken():
    assert parse_hints(None) == Hints()
    ready = Hints(metric="f1")
    assert parse_hints(ready) is ready
    assert parse_hints({"metric": "f1"}) == ready


@pytest.mark.parametrize("metric", ["pinball@0.9", "quantile@.9", " pinball@0.9 "])
def test_a_quantile_in_the_metric(metric):
    hints = parse_hints({"metric": metric})
    assert (hints.metric, hints.quantile) == ("pinball", 0.9)


@pytest.mark.parametrize(
    ("costs", "threshold"),
    [((1, 3), 0.25), ((2.0, 2.0), 0.5), ((1, None), None), ((None, None), None)],
    ids=["dear misses", "equal", "one cost", "none"],
)
def test_costs_imply_a_threshold(costs, threshold):
    hints = parse_hints({"false_positive_cost": costs[0], "false_negative_cost": costs[1]})
    assert hints.cost_threshold == threshold
    assert (
        parse_hints({"cost_threshold": 0.7, "false_positive_cost": 1, "false_negative_cost": 1}).cost_threshold == 0.7
    )
