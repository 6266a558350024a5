"""What kinds of numbers are wrong for a loss, as a table, with the words for it."""

from __future__ import annotations

import ast
import re
from typing import Literal, NamedTuple

__all__ = ["Verdict", "exchanged", "judge"]

Severity = Literal["error", "warning"]


class Verdict(NamedTuple):
    """A fault that the source shows: code, message, hint, severity."""

    code: str
    message: str
    hint: str
    severity: Severity = "error"


_SOFTMAX = Verdict(
    "NEB-C040",
    "expected logits, found the output of {kind}: {loss} takes the softmax itself, so it is taken twice.",
    "leave {kind} out of the model while training.",
)
_SIGMOID = Verdict(
    "NEB-C045",
    "expected logits, found the output of {kind}: {loss} takes the sigmoid itself, so it is taken twice.",
    "leave {kind} out of the model while training.",
)
_PROBABILITIES = Verdict(
    "NEB-C041",
    "expected log-probabilities, found the output of {kind}.",
    "use log_softmax(dim=1) in place of {kind}.",
)
_RAW = Verdict(
    "NEB-C042",
    "expected log-probabilities, found the raw output of a linear layer.",
    "apply log_softmax(dim=1) before {loss}, or use CrossEntropyLoss on logits.",
)
_LOGITS = Verdict(
    "NEB-C044",
    "expected probabilities, found the raw output of a linear layer.",
    "use nn.BCEWithLogitsLoss in place of {loss}.",
)
_ONE = Verdict(
    "NEB-C014",
    "expected at least 2 outputs, found one: a softmax over one column is always 1, so nothing is learnt.",
    "use nn.BCEWithLogitsLoss, or give the last layer one output per class.",
)
_RATE = Verdict(
    "NEB-C051",
    "expected log rates, found a positive output: exp is taken of it once more.",
    "set log_input=False, or leave exp or softplus out of the model.",
)

_WRONG: dict[str, dict[str, Verdict]] = {
    "CrossEntropyLoss": {"softmax": _SOFTMAX, "sigmoid": _SOFTMAX, "linear1": _ONE},
    "NLLLoss": {"softmax": _PROBABILITIES, "sigmoid": _PROBABILITIES, "linear": _RAW, "linear1": _RAW},
    "KLDivLoss": {"softmax": _PROBABILITIES, "sigmoid": _PROBABILITIES, "linear": _RAW, "linear1": _RAW},
    "BCEWithLogitsLoss": {"sigmoid": _SIGMOID, "softmax": _SIGMOID},
    "MultiLabelSoftMarginLoss": {"sigmoid": _SIGMOID, "softmax": _SIGMOID},
    "BCELoss": {"linear": _LOGITS, "linear1": _LOGITS},
    "PoissonNLLLoss": {"positive": _RATE},
    "CTCLoss": {"softmax": _PROBABILITIES, "linear": _RAW},
}

_TARGET = re.compile(r"^(y|y_?true|true_?y|targets?|labels?|gts?|ground_?truth|truth)(_batch)?$", re.IGNORECASE)
_OUTPUT = re.compile(
    r"^(y_?pred|y_?hat|yhat|preds?|predictions?|predicted|outputs?|logits?|log_?probs?|probs?)(_batch)?$", re.IGNORECASE
)
_SYMMETRIC = frozenset(("L1Loss", "MSELoss", "SmoothL1Loss", "HuberLoss"))


def judge(loss: str, kind: str, options: dict[str, ast.expr]) -> Verdict | None:
    """Return what is wrong with giving this kind of numbers to a loss, None when nothing is known to be."""
    verdict = _WRONG.get(loss, {}).get(kind)
    if verdict is None or (loss == "PoissonNLLLoss" and "log_input" in options):
        return None
    words = {"loss": loss, "kind": kind}
    return verdict._replace(message=verdict.message.format(**words), hint=verdict.hint.format(**words))


def exchanged(loss: str, first: ast.AST, second: ast.AST) -> bool:
    """Say whether the arguments are named target and output, in this order, of a loss in which it matters."""
    return loss not in _SYMMETRIC and bool(_TARGET.match(_last_name(first)) and _OUTPUT.match(_last_name(second)))


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""
