"""The page of choices says of the default policy what the policy does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from nebula.profiling.vocabulary import Fact, vocabulary
from nebula.reference.choices import TASKS, choices, default_policy
from nebula.reference.which_loss import render_which_loss

OF_RULE = {choice.rule: choice for choice in choices()}
NUMBERS = {"float": (-1.0, 0.0, 0.02, 0.5, 1.0, 1.5, 3.0, 2000.0), "int": (0, 1, 2, 3, 5, 40)}


def values(fact: Fact) -> st.SearchStrategy[Any]:
    """Values that a fact can have, unknown among them."""
    if fact.kind == "bool":
        return st.sampled_from((None, False, True))
    if fact.kind == "list":
        return st.sampled_from((None, (1.0, 2.0)))
    if fact.choices:
        return st.sampled_from((None, *fact.choices))
    if fact.kind == "str":
        return st.sampled_from((None, "rating", "visits", "price", "age", "y"))
    low, high = fact.low, fact.high
    inside = [n for n in NUMBERS[fact.kind] if (low is None or n >= low) and (high is None or n <= high)]
    return st.sampled_from((None, *inside))


FACTS = st.fixed_dictionaries({name: values(vocabulary()[name]) for name in default_policy().plan.facts})


@settings(max_examples=400, deadline=None)
@given(facts=FACTS, task=st.sampled_from(TASKS))
def test_the_rule_that_decides_stands_in_the_section_of_its_kind(facts: dict[str, Any], task: str) -> None:
    evaluation = default_policy().evaluate({**facts, "hints.task": task})
    event(task)
    assert task in OF_RULE[evaluation.fired[0]].tasks


@pytest.mark.parametrize("task", TASKS)
def test_without_further_conditions_the_last_loss_of_a_kind_stays(task: str) -> None:
    last = [choice for choice in choices() if task in choice.tasks][-1]
    told = next(line for line in render_which_loss().splitlines() if f"| `{task}` |" in line)
    assert [f"[{loss}](losses/{loss}.md)" in told for loss in last.losses] == [True]
    assert last.rule in default_policy().outcome_only({"hints.task": task, "relation.class_axis": 1})


def test_rules_of_several_kinds_stand_before_the_rules_of_each() -> None:
    page = render_which_loss()
    shared = page.partition("## First, for several kinds")[2].partition("\n## ")[0]
    order = list(OF_RULE)
    for task in TASKS:
        own = [choice.rule for choice in choices() if task in choice.tasks and f"Rule `{choice.rule}`." not in shared]
        ahead = [choice.rule for choice in choices() if task in choice.tasks and f"Rule `{choice.rule}`." in shared]
        assert all(order.index(first) < order.index(own[0]) for first in ahead), task


def test_every_rule_and_every_loss_it_names_is_on_the_page() -> None:
    page = render_which_loss()
    for choice in choices():
        assert f"Rule `{choice.rule}`." in page
        assert all(f"[{loss}](losses/{loss}.md)" in page for loss in choice.losses)


def test_no_rule_is_out_of_reach() -> None:
    assert [choice.rule for choice in choices() if not choice.tasks] == []
