"""Verdicts: the lists decide, weights count as the label says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nebula.bench.report import share
from nebula.bench.task import Labels
from nebula.bench.verdict import judge

LOSSES = ("A", "B", "C", "D")
LABELS = Labels(preferred=("A", "B(weight)"), acceptable=("C",), unacceptable=("D",))


def test_a_loss_is_judged_by_the_list_it_stands_in() -> None:
    said = {loss: judge(LABELS, loss, weighted=False) for loss in (*LOSSES, "E")}
    assert said == {"A": "preferred", "B": "acceptable", "C": "acceptable", "D": "wrong", "E": "weak"}


def test_weights_are_preferred_where_the_label_asks_for_them_and_usable_where_the_plain_loss_is() -> None:
    said = {loss: judge(LABELS, loss, weighted=True) for loss in (*LOSSES, "E")}
    assert said == {"A": "acceptable", "B": "preferred", "C": "acceptable", "D": "wrong", "E": "weak"}


@given(st.lists(st.sampled_from(["preferred", "acceptable", "weak", "wrong", "ambiguous", "error"])))
def test_shares_add_up(verdicts: list[str]) -> None:
    found = share(verdicts)  # type: ignore[arg-type]
    assert found.targets == len(verdicts)
    total = found.usable + found.weak + found.wrong + found.ambiguous + found.error
    assert abs(total - bool(verdicts)) < 1e-9
    assert found.preferred <= found.usable + 1e-9
