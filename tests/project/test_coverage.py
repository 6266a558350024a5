"""Everything that the texts name is answered, and every answer exists."""

from __future__ import annotations

import pytest

from nebula.losses.catalogue import builtin_entries
from tests.project.coverage_page import PAGE, exists, read, rendered

SECTIONS, ITEMS = read()


@pytest.mark.parametrize("name", sorted({name for item in ITEMS for name in item.by}))
def test_every_answer_exists(name: str) -> None:
    assert exists(name)


@pytest.mark.parametrize("name", ["NoLoss", "MSELoss.no_parameter", "target.nothing", "docs/none.md", "nebula.x:y"])
def test_what_does_not_exist_is_noticed(name: str) -> None:
    assert not exists(name)


def test_every_item_is_answered_or_explained() -> None:
    assert [item.item for item in ITEMS if not item.by and not item.advice] == []
    assert len({item.item for item in ITEMS}) == len(ITEMS)


def test_every_section_has_items_and_every_item_a_section() -> None:
    assert {section for item in ITEMS for section in item.sections} == set(SECTIONS)
    assert {number for number in SECTIONS if number.startswith("6.1.")} == {f"6.1.{n}" for n in range(1, 12)}
    assert {number for number in SECTIONS if number.startswith("6.2.")} == {f"6.2.{n}" for n in range(1, 15)}
    assert {number for number in SECTIONS if number.startswith("6.3.")} == {f"6.3.{n}" for n in range(1, 12)}


def test_every_loss_answers_something() -> None:
    answers = {name.partition(".")[0] for item in ITEMS for name in item.by}
    assert {entry.name for entry in builtin_entries()} - answers == set(), "add it to docs/coverage.yaml"


def test_the_page_is_the_one_written_from_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == rendered(), "run `python -m tests.project.coverage_page`"
