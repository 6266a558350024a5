"""What the page about proofs shows is what happens."""

from __future__ import annotations

from tests.proof.proofs_page import PAGE, rendered


def test_every_example_gives_the_output_that_is_shown() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("\n$ nebula policy ") >= 4
    assert rendered(text) == text, "run `python -m tests.proof.proofs_page`"
