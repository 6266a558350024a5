"""Which expression a name of a script last stood for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Scope", "Script", "read_scopes"]

Function = ast.FunctionDef | ast.AsyncFunctionDef
Block = tuple[int, ...]


@dataclass(frozen=True)
class Assignment:
    """A value given to a name: None when it cannot be followed, such as of a loop or an unpacking."""

    line: int
    block: Block
    value: ast.expr | None


@dataclass
class Scope:
    """One function, or the module.

    Attributes:
        parent: The scope around it.
        owner: Name of the class whose method it is.
        assignments: By name; `self.x` by that text.
        calls: Every call directly in it, with the block it stands in.
        returns: Every returned expression, with its block.
    """

    parent: Scope | None
    owner: str = ""
    assignments: dict[str, list[Assignment]] = field(default_factory=dict)
    calls: list[tuple[ast.Call, Block]] = field(default_factory=list)
    returns: list[tuple[ast.expr, Block]] = field(default_factory=list)

    def latest(self, name: str, line: int, block: Block) -> ast.expr | None:
        """Return what the name was last given before a line, if that is certain to have run."""
        before = [a for a in self.assignments.get(name, ()) if a.line < line]
        if not before:
            return None
        last = before[-1]
        return last.value if block[: len(last.block)] == last.block else None


@dataclass
class Script:
    """All scopes of a script.

    Attributes:
        scopes: The module first.
        attributes: Of each class, what `self.x` is set to; None when it is set twice.
        forwards: Of each class, the scope of its `forward`.
    """

    scopes: list[Scope] = field(default_factory=list)
    attributes: dict[str, dict[str, ast.expr | None]] = field(default_factory=dict)
    forwards: dict[str, Scope] = field(default_factory=dict)


def read_scopes(tree: ast.Module) -> Script:
    """Collect the assignments, calls and returns of every scope."""
    script = Script()
    _enter(script, tree.body, Scope(None))
    return script


def _enter(script: Script, body: list[ast.stmt], scope: Scope) -> None:
    script.scopes.append(scope)
    _statements(script, body, scope, ())


def _statements(script: Script, body: list[ast.stmt], scope: Scope, block: Block) -> None:
    for statement in body:
        if isinstance(statement, Function):
            inner = Scope(scope, scope.owner)
            arguments = statement.args
            for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
                inner.assignments[argument.arg] = [Assignment(statement.lineno - 1, (), None)]
            if scope.owner and statement.name == "forward":
                script.forwards[scope.owner] = inner
            _enter(script, statement.body, inner)
        elif isinstance(statement, ast.ClassDef):
            script.attributes.setdefault(statement.name, {})
            _enter(script, statement.body, Scope(scope, statement.name))
        else:
            _statement(script, statement, scope, block)


def _statement(script: Script, statement: ast.stmt, scope: Scope, block: Block) -> None:
    bodies = list(_bodies(statement))
    inside = {id(child) for body in bodies for child in body}
    for node in _expressions(statement, inside):
        if isinstance(node, ast.Call):
            scope.calls.append((node, block))
    _assign(script, statement, scope, block)
    if isinstance(statement, ast.Return) and statement.value is not None:
        scope.returns.append((statement.value, block))
    for number, body in enumerate(bodies):
        # a `with` always runs; a loop, a branch or a try may not
        within = block if isinstance(statement, (ast.With, ast.AsyncWith)) else (*block, statement.lineno, number)
        _statements(script, body, scope, within)


def _bodies(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        body = getattr(statement, name, None)
        if body:
            yield body
    for handler in getattr(statement, "handlers", ()):
        yield handler.body
    for case in getattr(statement, "cases", ()):
        yield case.body


def _expressions(node: ast.AST, skipped: set[int]) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if id(child) in skipped or isinstance(child, (ast.ExceptHandler, ast.Lambda, ast.match_case)):
            continue
        yield child
        yield from _expressions(child, skipped)


def _assign(script: Script, statement: ast.stmt, scope: Scope, block: Block) -> None:
    targets: list[ast.expr] = []
    value: ast.expr | None = None
    if isinstance(statement, ast.Assign):
        targets, value = statement.targets, statement.value
    elif isinstance(statement, ast.AnnAssign):
        targets, value = [statement.target], statement.value
    elif isinstance(statement, (ast.AugAssign, ast.For, ast.AsyncFor)):
        targets = [statement.target]
    elif isinstance(statement, (ast.With, ast.AsyncWith)):
        targets = [item.optional_vars for item in statement.items if item.optional_vars is not None]
    for target in targets:
        if isinstance(target, (ast.Tuple, ast.List)):
            for element in target.elts:
                _record(script, element, None, statement.lineno, scope, block)
        else:
            _record(script, target, value, statement.lineno, scope, block)


def _record(script: Script, target: ast.expr, value: ast.expr | None, line: int, scope: Scope, block: Block) -> None:
    if isinstance(target, ast.Name):
        scope.assignments.setdefault(target.id, []).append(Assignment(line, block, value))
    elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
        known = script.attributes.setdefault(scope.owner, {})
        known[target.attr] = None if target.attr in known else value
