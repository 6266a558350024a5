"""Whatever is typed, loading ends in a policy or in a `PolicyError` with places inside the file."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from nebula.errors import PolicyError, Problem
from nebula.policy.loader import loads

TEXT = """\
apiVersion: nebula/v1
name: sample
version: 1.0.0
parameters: {low: 1, high: 0.5, strict: true}
definitions:
  small: target.n < low
derive:
  - {id: d, when: "small or not strict", set: {task: count, size: $target.n}}
select:
  - id: a
    when: >
      task == "count"
      and 0 <= target.mean < high
    use: {loss: HuberLoss, params: {delta: $target.iqr}, serve: {threshold: prior}}
    because: b
  - {id: c, when: {any: [small, {not: target.is_simplex}]}, use: {loss: MSELoss}, because: b}
otherwise: {error: none}
"""
LINES = TEXT.splitlines()
PIECES = [
    "",
    " ",
    "\t",
    "\n",
    ":",
    "- ",
    "{",
    "}",
    "[",
    "]",
    '"',
    "'",
    "&a",
    "*a",
    "!!x ",
    "|",
    ">",
    "#",
    "?",
    "null",
    "1e999",
    "\\",
    "\\x4",
    "é",
    "\u2028",
    "\U0001f600",
    "when",
    "not ",
    "((",
    "$",
    "<<: 1",
    "---\n",
    "%",
]
TOKENS = [
    "target.n",
    "target.name",
    "task",
    "low",
    "strict",
    "1",
    "0.5",
    "'a'",
    '"count"',
    "(",
    ")",
    "[",
    "]",
    ",",
    "<",
    "<=",
    "==",
    "!=",
    "in",
    "not",
    "and",
    "or",
    "+",
    "-",
    "*",
    "/",
    "known(",
    "has_word(",
    "true",
    "is",
    "if",
    "x",
]


def problems_of(text: str) -> tuple[Problem, ...]:
    """What loading says; a policy that loads must also evaluate."""
    try:
        compiled = loads(text)
    except PolicyError as error:
        return error.problems or (Problem("", 0, 0, "an error without problems"),)
    compiled.evaluate({"target.n": 1, "target.mean": 0.1, "target.name": "a"})
    return ()


def load_safely(text: str) -> None:
    lines = len(text.splitlines()) + 1
    for problem in problems_of(text):
        assert 0 < problem.line <= lines
        assert problem.column > 0
        assert problem.message.endswith((".", "?"))


@settings(max_examples=400)
@given(st.integers(0, len(TEXT)), st.integers(0, 12), st.sampled_from(PIECES))
def test_a_slip_of_the_hand(place: int, removed: int, put: str) -> None:
    load_safely(TEXT[:place] + put + TEXT[place + removed :])


@settings(max_examples=100)
@given(st.permutations(range(len(LINES))), st.integers(1, len(LINES)))
def test_lines_in_any_order(order: list[int], kept: int) -> None:
    load_safely("\n".join(LINES[index] for index in order[:kept]))


@settings(max_examples=400)
@given(st.lists(st.sampled_from(TOKENS), min_size=1, max_size=12), st.sampled_from([" ", "\n      ", ""]))
def test_any_words_as_a_condition(tokens: list[str], between: str) -> None:
    condition = between.join(tokens)
    load_safely(TEXT.replace('task == "count"\n', condition + "\n"))


@settings(max_examples=100)
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    load_safely(text)
