"""What kind of numbers an expression of a script gives, as far as its text shows."""

from __future__ import annotations

import ast

from nebula.checking.source.names import resolve
from nebula.checking.source.scopes import Block, Scope, Script

__all__ = ["Kind", "Kinds"]

Kind = str
"""`softmax`, `log_softmax`, `sigmoid`, `positive`, `linear`, `linear1` (one output), or empty: unknown."""

_FUNCTIONS: dict[str, Kind] = {
    "softmax": "softmax",
    "log_softmax": "log_softmax",
    "sigmoid": "sigmoid",
    "exp": "positive",
    "softplus": "positive",
}
_LAYERS: dict[str, Kind] = {
    "Softmax": "softmax",
    "Softmax2d": "softmax",
    "LogSoftmax": "log_softmax",
    "Sigmoid": "sigmoid",
    "Softplus": "positive",
}
_HOMES = ("torch.", "torch.nn.functional.", "torch.special.")
_KEEPS = frozenset(
    (
        "squeeze",
        "unsqueeze",
        "view",
        "reshape",
        "flatten",
        "float",
        "double",
        "to",
        "cpu",
        "cuda",
        "contiguous",
        "clone",
    )
)
_DEEPEST = 12


class Kinds:
    """Follows names, layers and models of one script.

    Args:
        script: Its scopes.
        names: What its imports stand for.
    """

    def __init__(self, script: Script, names: dict[str, str]) -> None:
        self.script, self.names = script, names

    def of(self, node: ast.AST, scope: Scope, block: Block, depth: int = 0) -> Kind:
        """Return the kind of an expression."""
        if depth > _DEEPEST:
            return ""
        if isinstance(node, ast.Name):
            value = scope.latest(node.id, node.lineno, block)
            return "" if value is None else self.of(value, scope, block, depth + 1)
        if isinstance(node, ast.Call):
            return self._call(node, scope, block, depth + 1)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, (ast.Tuple, ast.Slice)):
            kind = self.of(node.value, scope, block, depth + 1)
            return "" if kind in ("linear", "softmax", "log_softmax") else kind
        return ""

    def _call(self, call: ast.Call, scope: Scope, block: Block, depth: int) -> Kind:
        dotted = resolve(call.func, self.names)
        for home in _HOMES:
            function = dotted.removeprefix(home)
            if dotted.startswith(home) and function in _FUNCTIONS:
                return _FUNCTIONS[function]
            if dotted == f"{home}log" and call.args:
                return self._logarithm(self.of(call.args[0], scope, block, depth))
        if dotted:
            return ""
        if isinstance(call.func, ast.Attribute) and not self._is_module(call.func, scope):
            method = call.func.attr
            if method in _FUNCTIONS and method != "softplus":
                return _FUNCTIONS[method]
            inner = self.of(call.func.value, scope, block, depth) if method == "log" or method in _KEEPS else ""
            return self._logarithm(inner) if method == "log" else inner
        return self.layer(self.definition(call.func, scope, block), scope, block, depth)

    def _logarithm(self, kind: Kind) -> Kind:
        return "log_softmax" if kind == "softmax" else ""

    def _is_module(self, node: ast.Attribute, scope: Scope) -> bool:
        return isinstance(node.value, ast.Name) and node.value.id == "self" and bool(scope.owner)

    def definition(self, node: ast.AST, scope: Scope, block: Block) -> ast.expr | None:
        """Return the expression that made what is called: of a name, of `self.x`, or the call itself."""
        if isinstance(node, ast.Call):
            return node
        if isinstance(node, ast.Attribute) and self._is_module(node, scope):
            return self.script.attributes.get(scope.owner, {}).get(node.attr)
        if not isinstance(node, ast.Name):
            return None
        around: Scope | None = scope
        while around is not None:
            known = around.assignments.get(node.id)
            if known:
                if around is scope:
                    return around.latest(node.id, node.lineno, block)
                return known[0].value if len(known) == 1 else None
            around = around.parent
        return None

    def layer(self, made: ast.expr | None, scope: Scope, block: Block, depth: int = 0) -> Kind:
        """Return what a layer or model gives, from the call that made it."""
        if not isinstance(made, ast.Call) or depth > _DEEPEST:
            return ""
        if isinstance(made.func, ast.Attribute) and made.func.attr in ("to", "cuda", "cpu", "train", "double", "float"):
            return self.layer(self.definition(made.func.value, scope, block), scope, block, depth + 1)
        dotted = resolve(made.func, self.names)
        name = dotted.removeprefix("torch.nn.")
        if dotted.startswith("torch.nn.") and name in _LAYERS:
            return _LAYERS[name]
        if dotted == "torch.nn.Linear":
            return _linear(made)
        if dotted == "torch.nn.Sequential" and made.args and not isinstance(made.args[-1], ast.Starred):
            return self.layer(self.definition(made.args[-1], scope, block), scope, block, depth + 1)
        if isinstance(made.func, ast.Name) and made.func.id in self.script.forwards:
            return self._forward(self.script.forwards[made.func.id], depth)
        return ""

    def _forward(self, forward: Scope, depth: int) -> Kind:
        kinds = {self.of(value, forward, block, depth + 1) for value, block in forward.returns}
        return kinds.pop() if len(kinds) == 1 else ""


def _linear(made: ast.Call) -> Kind:
    outputs: ast.AST | None = made.args[1] if len(made.args) > 1 else None
    for keyword in made.keywords:
        if keyword.arg == "out_features":
            outputs = keyword.value
    return "linear1" if isinstance(outputs, ast.Constant) and outputs.value == 1 else "linear"
