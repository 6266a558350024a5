"""Problems as text: where, what, the line with the fault underlined, and a hint."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from nebula.errors import PolicyError, Problem
from nebula.policy.files import find_policy

__all__ = ["read_lines", "render_problem", "render_problems"]

_WIDTH = 120
"""Longest part of a source line that is shown."""

Lines = Mapping[str, Sequence[str]]


def render_problems(problems: Sequence[Problem]) -> str:
    """Return all problems as text, with excerpts from their files where these can be read.

    Args:
        problems: In the order to show.
    """
    lines = {file: read_lines(file) for file in dict.fromkeys(problem.file for problem in problems)}
    return "\n\n".join(render_problem(problem, lines[problem.file]) for problem in problems)


def read_lines(file: str) -> tuple[str, ...]:
    """Return a policy file's lines, none when it cannot be read."""
    try:
        content = find_policy(file).content
    except PolicyError:
        return ()
    text = content if isinstance(content, str) else content.decode("utf-8-sig", errors="replace")
    return tuple(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


def render_problem(problem: Problem, lines: Sequence[str]) -> str:
    """Return one problem as text.

    Args:
        problem: What to show.
        lines: The lines of its file; may be empty.
    """
    code = f"[{problem.code}]" if problem.code else ""
    where = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
    shown = [f"{where}: {problem.severity}{code}: {problem.message}"]
    if 0 < problem.line <= len(lines):
        shown += _excerpt(problem, lines[problem.line - 1])
    if problem.hint:
        shown.append(f"   = hint: {problem.hint}")
    return "\n".join(map(_printable, shown))


def _excerpt(problem: Problem, line: str) -> Iterator[str]:
    """Yield the source line and the carets below it; of a long line the part around the fault."""
    start = max(problem.column - 1, 0)
    first = max(0, start - _WIDTH // 2) if len(line) > _WIDTH else 0
    part = line[first : first + _WIDTH]
    before = line[first:start]
    marked = line[start : min(max(problem.end_column - 1, start + 1), first + _WIDTH)]
    number = str(problem.line)
    left = " " * len(number)
    yield f" {left} |"
    yield f" {number} | {'…' if first else ''}{part}{'…' if first + _WIDTH < len(line) else ''}"
    yield f" {left} | {' ' * (_columns(before) + bool(first))}{'^' * max(_columns(marked), 1)}"


def _columns(text: str) -> int:
    """Return how many columns of a terminal the text takes once it is made printable."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def _printable(text: str) -> str:
    """Replace characters that would move the cursor or command a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text.replace("\t", " "))
