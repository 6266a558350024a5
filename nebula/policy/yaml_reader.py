"""YAML text → plain data with the place of every value, safely.

The reader builds from the parser's events, so that nothing recursive sees hostile depth. It knows
the core schema of YAML 1.2 (`yes` and `1:30` are strings, `1e-5` is a number) and refuses what a
policy has no use for: tags, anchors, aliases, duplicate keys, several documents.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import yaml

from nebula.errors import PolicyError, Problem
from nebula.policy.source_map import Place, Source

__all__ = ["MAX_BYTES", "MAX_NESTING", "MAX_NODES", "read_yaml"]

MAX_BYTES = 1 << 20
MAX_NESTING = 32
MAX_NODES = 50_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]{1,300}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def read_yaml(content: bytes | str, name: str) -> tuple[Source, list[Problem]]:
    """Read one document.

    Args:
        content: The file's bytes (UTF-8, at most 1 MiB) or its text.
        name: The file as the user named it.

    Returns:
        The data with places, and the faults that leave the rest readable.

    Raises:
        PolicyError: The text is not YAML, not UTF-8, too large or too deep.
    """
    text = _decode(content, name)
    builder = _Builder(name, text)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        said = ", ".join(part for part in (error.context, error.problem) if part)
        raise _fatal("NEB-P004", name, f"expected YAML, found a fault {said}.", line, column) from None
    except yaml.YAMLError as error:
        reason = getattr(error, "reason", None) or str(error).splitlines()[0]
        said = f"expected YAML, found text that cannot be read: {reason}."
        raise _fatal("NEB-P004", name, said, *_where(text, getattr(error, "position", None))) from None
    return builder.finish(), builder.problems


def _where(text: str, position: int | None) -> tuple[int, int]:
    """Return line and column of a character that cannot be read; of the first control character without a position."""
    found = _UNSEEN.search(text)
    index = found.start() if found else position or 0
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def _decode(content: bytes | str, name: str) -> str:
    try:
        data = content.encode() if isinstance(content, str) else content
        if len(data) > MAX_BYTES:
            said = f"expected at most {MAX_BYTES} bytes, found more: split it with `extends`."
            raise _fatal("NEB-P003", name, said, 1, 1)
        return data.decode("utf-8-sig")
    except UnicodeError as error:
        before = content[: error.start] if isinstance(error, UnicodeDecodeError | UnicodeEncodeError) else b""
        line = before.count("\n" if isinstance(before, str) else b"\n") + 1  # type: ignore[arg-type]
        raise _fatal("NEB-P002", name, "expected UTF-8 text, found bytes that are not.", line, 1) from None


def _fatal(code: str, name: str, message: str, line: int, column: int) -> PolicyError:
    return PolicyError([Problem(name, line, column, message, code)])


@dataclass
class _Open:
    """A collection whose end has not come yet."""

    value: dict[str, Any] | list[Any]
    path: tuple[str | int, ...]
    key: str | None = None
    has_key: bool = False


@dataclass
class _Builder:
    name: str
    text: str
    problems: list[Problem] = field(default_factory=list)
    places: dict[tuple[str | int, ...], Place] = field(default_factory=dict)
    keys: dict[tuple[str | int, ...], Place] = field(default_factory=dict)
    open: list[_Open] = field(default_factory=list)
    data: Any = None
    nodes: int = 0
    documents: int = 0

    def take(self, event: Any) -> None:
        """Add what one event brings."""
        match event:
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    raise _fatal("NEB-P005", self.name, "expected one document, found a second `---`.", *_place(event))
            case yaml.AliasEvent():
                said = f"expected no aliases, found `*{event.anchor}`: use `definitions` or `parameters`."
                self.report(event, "NEB-P006", said)
                self.add(event, None)
            case yaml.ScalarEvent():
                self.refuse_marks(event)
                self.refuse_unseen(event)
                self.add(event, self.scalar(event))
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self.refuse_marks(event)
                self.enter(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.open.pop()

    def finish(self) -> Source:
        """Return the finished document."""
        return Source(self.name, self.text, self.data, self.places, self.keys)

    def report(self, event: Any, code: str, message: str) -> None:
        """Note a fault that leaves the rest readable."""
        same_line = event.end_mark.line == event.start_mark.line
        end = event.end_mark.column + 1 if same_line else 0
        self.problems.append(Problem(self.name, *_place(event), message, code, end_column=end))

    def refuse_marks(self, event: Any) -> None:
        """Refuse anchors and tags: a policy is data, not types."""
        if event.anchor is not None:
            said = f"expected no anchors, found `&{event.anchor}`: use `definitions` or `parameters`."
            self.report(event, "NEB-P006", said)
        if event.tag is not None:
            self.report(event, "NEB-P007", f"expected no tags, found `{event.tag}`: write the plain value.")

    def refuse_unseen(self, event: Any) -> None:
        """Refuse characters that steer a terminal, or turn the order in which text is read."""
        unseen = _UNSEEN.search(event.value)
        if unseen:
            self.report(
                event, "NEB-P011", f"expected text that can be seen, found the character {ord(unseen[0]):#06x}."
            )

    def enter(self, event: Any) -> None:
        """Open a mapping or a sequence."""
        if len(self.open) >= MAX_NESTING:
            said = f"expected at most {MAX_NESTING} levels of nesting, found more."
            raise _fatal("NEB-P003", self.name, said, *_place(event))
        value: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        path = self.add(event, value)
        self.open.append(_Open(value, path))

    def add(self, event: Any, value: Any) -> tuple[str | int, ...]:
        """Put a value where it belongs and return its path."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _fatal("NEB-P003", self.name, f"expected at most {MAX_NODES} values, found more.", *_place(event))
        place = Place(*_place(event), event.start_mark.index, event.end_mark.index, getattr(event, "style", None) or "")
        if not self.open:
            self.data = value
            self.places[()] = place
            return ()
        parent = self.open[-1]
        if isinstance(parent.value, list):
            path = (*parent.path, len(parent.value))
            parent.value.append(value)
        elif not parent.has_key:
            parent.key, parent.has_key = self.key(event, value, parent), True
            if parent.key is not None:
                path = (*parent.path, parent.key)
                self.keys[path] = place
            return (*parent.path, "?")
        else:
            path = (*parent.path, parent.key if parent.key is not None else "?")
            parent.has_key = False
            if parent.key is not None:
                parent.value[parent.key] = value
        self.places[path] = place
        return path

    def key(self, event: Any, value: Any, parent: _Open) -> str | None:
        """Check a key; None leaves its entry out."""
        if not isinstance(value, str):
            found = type(value).__name__ if isinstance(value, dict | list) else f"`{getattr(event, 'value', '')}`"
            self.report(event, "NEB-P008", f"expected a key that is a string, found {found}.")
            return None
        if value in parent.value:
            path = (*parent.path, value)
            said = f"duplicate key `{value}`: it stands on line {self.keys[path].line} already."
            self.report(event, "NEB-P009", said)
            return None
        return value

    def scalar(self, event: Any) -> Any:
        """Resolve a scalar by the core schema; quoted ones are strings."""
        text: str = event.value
        if event.style or not event.implicit[0]:
            return text
        if text in _NULL:
            return None
        if text in _BOOL:
            return _BOOL[text]
        if _INT.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text) or _INFINITE.fullmatch(text):
            number = float("inf") if _INFINITE.fullmatch(text) else float(text)
            if not isfinite(number):
                self.report(event, "NEB-P010", f"expected a finite number, found `{text[:40]}`.")
                return 0.0
            return number
        return text


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1
