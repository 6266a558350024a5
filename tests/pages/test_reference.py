"""The pages of public names and of schemas are those that would be written now."""

from __future__ import annotations

import pytest

from tests.pages.reference import WRITTEN
from tests.project.tree import ROOT


@pytest.mark.parametrize("name", WRITTEN)
def test_the_page_is_current(name: str) -> None:
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == WRITTEN[name](), "run `python -m tests.pages.reference`"


@pytest.mark.parametrize("name", WRITTEN)
def test_every_row_says_what_it_is(name: str) -> None:
    rows = [line for line in WRITTEN[name]().splitlines() if line.startswith(("| `", "| [`"))]
    assert len(rows) >= 9
    assert [row for row in rows if row.endswith("|  |")] == []
