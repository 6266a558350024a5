"""A policy's text in the one canonical form: key order, indentation, spacing; comments stay where they belong.

The text is cut into entries by the parser's own marks and put together again; no value is ever
written anew, so that no value can change. A comment above a key belongs to that key.
"""

from __future__ import annotations

from typing import Any

import yaml

from nebula.errors import PolicyError, Problem
from nebula.policy.model import Ambiguity, DeriveRule, Otherwise, Parameter, PolicyFile, SelectRule, ServeChoice, Use
from nebula.policy.yaml_reader import read_yaml

__all__ = ["format_policy"]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STEP = 2
_ORDER = {
    key: tuple(field.alias or name for name, field in model.model_fields.items())
    for key, model in (
        ("", PolicyFile),
        ("parameters", Parameter),
        ("derive", DeriveRule),
        ("select", SelectRule),
        ("use", Use),
        ("serve", ServeChoice),
        ("ambiguous", Ambiguity),
        ("otherwise", Otherwise),
    )
}


def format_policy(text: str, name: str = "<string>") -> str:
    """Return the text in canonical form; formatting it again changes nothing.

    Args:
        text: A policy in YAML, sound or not, as long as it can be read.
        name: What errors call it.

    Raises:
        PolicyError: The text is not YAML as policies have it, or is written in a way that cannot be formatted.
    """
    text = text.replace("\r\n", "\n").removeprefix("\ufeff")
    before, problems = read_yaml(text, name)
    if problems:
        raise PolicyError(problems)
    root = yaml.compose(text, Loader=_LOADER)  # `read_yaml` bounded its size and depth
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise _refusal(name, 1, "expected a mapping with a key on each line, found none")
    lines = _Formatter(text, name).document(root)
    formatted = "\n".join(lines).strip("\n") + "\n"
    after, problems = read_yaml(formatted, name)
    if problems or after.data != before.data:
        raise _refusal(name, 1, "expected YAML that can be formatted without a change of its meaning")
    return formatted


def _refusal(name: str, line: int, message: str) -> PolicyError:
    return PolicyError([Problem(name, line, 1, f"{message}: write it in plain block style.", "NEB-P004")])


class _Formatter:
    def __init__(self, text: str, name: str) -> None:
        self.text, self.name = text, name
        self.lines = text.split("\n")

    def document(self, root: yaml.MappingNode) -> list[str]:
        """Format the whole file; what stands above the first key stays on top."""
        first = root.value[0][0].start_mark.line
        head = [line.rstrip() for line in self.lines[:first]]
        body, end = self.mapping(root, first, 0, ())
        return [*_single_blanks(head), *body, *self.comments(end, len(self.lines), 0)]

    def mapping(self, node: yaml.MappingNode, start: int, indent: int, path: tuple[str, ...]) -> tuple[list[str], int]:
        """Format a block mapping; return its lines and the line after its content.

        Args:
            node: The mapping.
            start: First line that belongs to it: comments above its first key included.
            indent: Column of its keys.
            path: Keys above it.
        """
        order = _order(path)
        entries: list[tuple[int, list[str]]] = []
        for key, value in node.value:
            line = key.start_mark.line
            start = self.trailing(start, line, key.start_mark.column, entries)
            lead = self.comments(start, line, indent)
            body, start = self.entry(key, value, indent, (*path, key.value))
            entries.append((order.index(key.value) if key.value in order else len(order), [*lead, *body]))
        entries.sort(key=lambda entry: entry[0])
        return [line for _, lines in entries for line in lines], start

    def sequence(
        self, node: yaml.SequenceNode, start: int, indent: int, path: tuple[str, ...]
    ) -> tuple[list[str], int]:
        """Format a block sequence, its dashes at the indent."""
        items: list[tuple[int, list[str]]] = []
        for item in node.value:
            dash = self.dash(item, start)
            start = self.trailing(start, dash, self.lines[dash].index("-"), items)
            lead = self.comments(start, dash, indent)
            if isinstance(item, yaml.CollectionNode) and not item.flow_style:
                first = item.start_mark.line
                rest = self.lines[dash].lstrip()[1:].strip()
                lead += self.comments(dash + 1, first, indent) if first > dash else []
                if first > dash and rest:
                    lead.append(" " * indent + rest)
                form = self.mapping if isinstance(item, yaml.MappingNode) else self.sequence
                body, start = form(item, first, indent + _STEP, path)  # type: ignore[arg-type]
                while body and body[0].lstrip().startswith("#"):
                    lead.append(" " * indent + body.pop(0).strip())
                body[0] = " " * indent + "- " + body[0].lstrip()
            else:
                column = item.start_mark.column
                body, start = self.leaf(item, "- ", column - _STEP, indent)
            items.append((0, [*lead, *body]))
        return [line for _, lines in items for line in lines], start

    def entry(self, key: yaml.Node, value: yaml.Node, indent: int, path: tuple[str, ...]) -> tuple[list[str], int]:
        """Format a key with its value."""
        line = key.start_mark.line
        written = self.text[key.start_mark.index : key.end_mark.index]
        after = self.text[key.end_mark.index :].lstrip(" ")
        if key.end_mark.line != line or not after.startswith(":"):
            raise _refusal(self.name, line + 1, f"expected `key: value`, found `{written[:40]}` in another form")
        if isinstance(value, yaml.CollectionNode) and not value.flow_style:
            comment = self.lines[line].partition(written)[2].strip()[1:].strip()
            head = " " * indent + f"{written}:{'  ' + comment if comment else ''}"
            form = self.mapping if isinstance(value, yaml.MappingNode) else self.sequence
            body, end = form(value, line + 1, indent + _STEP, path)  # type: ignore[arg-type]
            return [head, *body], end
        return self.leaf(value, f"{written}: ", key.start_mark.column, indent, path, line)

    def leaf(
        self, node: yaml.Node, head: str, old: int, new: int, path: tuple[str, ...] = (), line: int | None = None
    ) -> tuple[list[str], int]:
        """Format a scalar or a flow collection with what stands before it; its further lines move along."""
        start, end = node.start_mark, node.end_mark
        first = start.line if line is None else line
        written = self.text[start.index : end.index]
        if not written:
            rest = self.lines[first].partition(head.rstrip())[2].strip()
            return [" " * new + head.rstrip() + (f"  {rest}" if rest else "")], first + 1
        block = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
        keeps = block and "+" in written.split("\n", 1)[0]
        last = end.line - 1 if keeps else start.line + written.rstrip().count("\n")
        if start.line > first:
            comment = self.lines[first].partition(head.rstrip())[2].strip()
            lines = [" " * new + head.rstrip() + (f"  {comment}" if comment else ""), *self.lines[first + 1 : last + 1]]
        elif last == start.line:
            tail = self.lines[last][end.column :].rstrip() if not block else ""
            lines = [" " * new + head + self.flow(node, path) + tail]
        else:
            lines = [" " * new + head + self.lines[first][start.column :].rstrip(), *self.lines[first + 1 : last + 1]]
        return [lines[0], *(_shift(part, new - old) for part in lines[1:])], last + 1

    def flow(self, node: yaml.Node, path: tuple[str, ...]) -> str:
        """Return a value that stands on one line, its keys in order."""
        if isinstance(node, yaml.MappingNode):
            order = _order(path)
            pairs = [(key.value, self.flow(key, ()), self.flow(value, (*path, key.value))) for key, value in node.value]
            pairs.sort(key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order))
            return "{" + ", ".join(f"{key}: {value}" if value else f"{key}:" for _, key, value in pairs) + "}"
        if isinstance(node, yaml.SequenceNode):
            return "[" + ", ".join(self.flow(item, path) for item in node.value) + "]"
        return self.text[node.start_mark.index : node.end_mark.index].rstrip()

    def dash(self, item: yaml.Node, start: int) -> int:
        """Return the line of an item's dash: its own, or the last one before it that begins with a dash."""
        for line in range(item.start_mark.line, start - 1, -1):
            text = self.lines[line].lstrip()
            if text == "-" or text.startswith("- "):
                return line
        raise _refusal(self.name, item.start_mark.line + 1, "expected `- item`, found an item in another form")

    def trailing(self, start: int, stop: int, column: int, entries: list[tuple[int, list[str]]]) -> int:
        """Give the comments that are indented deeper than the next key to the entry before it."""
        if not entries:
            return start
        line = start
        for number in range(start, stop):
            text = self.lines[number]
            if text.strip() and len(text) - len(text.lstrip()) <= column:
                break
            if text.strip():
                entries[-1][1].extend(part.rstrip() for part in self.lines[line : number + 1])
                line = number + 1
        return line

    def comments(self, start: int, stop: int, indent: int) -> list[str]:
        """Return comment and blank lines, the comments at the indent."""
        return _single_blanks([(" " * indent + line.strip()).rstrip() for line in self.lines[start:stop]])


def _order(path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the canonical order of the keys of the mapping at a path; empty where names are free."""
    if not path:
        return _ORDER[""]
    if path[0] == "parameters":
        return _ORDER["parameters"] if len(path) == 2 else ()
    if path[0] in ("select", "derive") and "set" not in path and "params" not in path:
        return _ORDER.get(path[-1], ())
    return _ORDER.get(path[-1], ()) if path[0] == "otherwise" and "params" not in path else ()


def _shift(line: str, by: int) -> str:
    """Move a line to the right, or to the left as far as it is blank."""
    if not line or by == 0:
        return line
    return " " * by + line if by > 0 else line[min(-by, len(line) - len(line.lstrip(" "))) :]


def _single_blanks(lines: list[str]) -> list[str]:
    """Leave one blank line where several stand."""
    return [line for number, line in enumerate(lines) if line or number == 0 or lines[number - 1]]
