"""Recall and false alarms on a part of the benchmark's corpus, and that the fixes mend."""

from __future__ import annotations

from benchmarks.check import Setting, measure


def test_most_wrong_uses_are_found_and_hardly_a_right_one_is_blamed() -> None:
    settings = [
        Setting(seed, rows, trained, deep)
        for seed, rows in ((201, 5), (202, 20), (203, 64))
        for trained in (False, True)
        for deep in (False, True)
    ]
    result = measure(settings, quiet=True)
    assert result["wrong_uses"] >= 150
    assert result["right_uses"] >= 300
    assert result["recall"] >= 0.95
    assert result["recall_without_notes"] >= 0.93
    assert result["false_alarm_rate"] <= 0.02, result["false_alarms_by_use"]
    assert result["fix_removes_the_finding"] >= 0.95
