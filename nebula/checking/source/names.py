"""What the names of a script stand for, from its imports."""

from __future__ import annotations

import ast

__all__ = ["imported_names", "resolve"]

_TORCH = ("torch", "torch.nn", "torch.nn.functional")


def imported_names(tree: ast.AST) -> dict[str, str]:
    """Return what each imported name stands for, such as `F` → `torch.nn.functional`."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                if alias.name == "*" and node.module in _TORCH:
                    continue
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def resolve(node: ast.AST, names: dict[str, str]) -> str:
    """Return the dotted name that an expression stands for, empty when it is no imported name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in names:
        return ""
    dotted = ".".join((names[node.id], *reversed(parts)))
    # torch re-exports its modules' classes and functions
    for home in ("torch.nn.modules.loss.", "torch.nn.modules."):
        if dotted.startswith(home):
            dotted = "torch.nn." + dotted.rpartition(".")[2]
    return dotted
