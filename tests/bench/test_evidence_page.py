"""docs/evidence.md says what the checked-in results say."""

from __future__ import annotations

from tests.bench.evidence_page import PAGE, rendered


def test_the_tables_are_those_of_the_results() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert rendered(text) == text, "run `python -m tests.bench.evidence_page`"
    assert text.count("| ---") >= 6
