"""`read_script`: the faults that a training script's text shows, at their places."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from nebula.checking.source.judgement import Verdict, exchanged, judge
from nebula.checking.source.kinds import Kinds
from nebula.checking.source.names import imported_names, resolve
from nebula.checking.source.scopes import Block, Scope, read_scopes
from nebula.errors import DataError, Problem

__all__ = ["LOSS_FUNCTIONS", "check_source", "read_script"]

LOSS_FUNCTIONS: dict[str, str] = {
    "cross_entropy": "CrossEntropyLoss",
    "nll_loss": "NLLLoss",
    "kl_div": "KLDivLoss",
    "binary_cross_entropy": "BCELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
    "multilabel_soft_margin_loss": "MultiLabelSoftMarginLoss",
    "poisson_nll_loss": "PoissonNLLLoss",
    "gaussian_nll_loss": "GaussianNLLLoss",
    "ctc_loss": "CTCLoss",
    "mse_loss": "MSELoss",
    "l1_loss": "L1Loss",
    "huber_loss": "HuberLoss",
    "smooth_l1_loss": "SmoothL1Loss",
}
"""Functions of `torch.nn.functional` that are read, with the class each belongs to."""

_CLASSES = frozenset(LOSS_FUNCTIONS.values())
_LARGEST = 2_000_000
_DEVIATION = re.compile(r"^(std|stddev|std_?dev|sigmas?|scale|deviation)$", re.IGNORECASE)


def read_script(path: str | Path) -> tuple[Problem, ...]:
    """Read a Python file and report what its text shows about its losses; nothing in it is run.

    Args:
        path: A file of Python source in UTF-8.

    Returns:
        The faults in the order of the file. Only what the text itself shows is reported: a softmax
        before CrossEntropyLoss in the same function, layer list or `forward`, never a guess about
        values, shapes or other files.

    Raises:
        DataError: The file is not Python, is too large, or cannot be read.
    """
    file = Path(path)
    try:
        if file.stat().st_size > _LARGEST:
            raise DataError(f"{path}: expected a script of at most {_LARGEST} bytes, found {file.stat().st_size}.")
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: expected Python source in UTF-8, found other bytes at {error.start}.") from None
    except OSError as error:
        raise DataError(f"{path}: expected a file to read, found {error.strerror or error}.") from None
    return check_source(text, str(path))


def check_source(text: str, file: str = "<text>") -> tuple[Problem, ...]:
    """Report what a script's text shows; see `read_script`.

    Raises:
        DataError: The text is not Python.
    """
    try:
        tree = ast.parse(text)
        names = imported_names(tree)
        script = read_scopes(tree)
        reader = _Reader(file, text.splitlines(), Kinds(script, names), names)
        problems = [problem for scope in script.scopes for problem in reader.problems(scope)]
    except SyntaxError as error:
        raise DataError(f"{file}:{error.lineno or 0}: expected Python, found {error.msg}.") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise DataError(f"{file}: expected a script that can be parsed, found {type(error).__name__}.") from None
    return tuple(sorted(dict.fromkeys(problems)))


class _Reader:
    """Judges the calls of one script."""

    def __init__(self, file: str, lines: list[str], kinds: Kinds, names: dict[str, str]) -> None:
        self.file, self.lines, self.kinds, self.names = file, lines, kinds, names

    def problems(self, scope: Scope) -> Iterator[Problem]:
        for call, block in scope.calls:
            yield from self._made(call)
            loss, options = self._loss(call, scope, block)
            if loss:
                yield from self._used(call, loss, options, scope, block)

    def _class(self, call: ast.Call) -> str:
        dotted = resolve(call.func, self.names)
        name = dotted.removeprefix("torch.nn.")
        return name if dotted.startswith("torch.nn.") and name in _CLASSES else ""

    def _function(self, call: ast.Call) -> str:
        dotted = resolve(call.func, self.names)
        return LOSS_FUNCTIONS.get(dotted.removeprefix("torch.nn.functional."), "") if "functional." in dotted else ""

    def _made(self, call: ast.Call) -> Iterator[Problem]:
        """Judge how a divergence is reduced, where it is constructed or called."""
        made = self._class(call) or self._function(call)
        if made != "KLDivLoss" or any(keyword.arg in (None, "reduce", "size_average") for keyword in call.keywords):
            return
        if self._class(call) and call.args:
            return
        reduction = _keywords(call).get("reduction")
        if reduction is None or (isinstance(reduction, ast.Constant) and reduction.value == "mean"):
            found = "none, so 'mean'" if reduction is None else "'mean'"
            yield self._problem(
                reduction or call.func,
                Verdict(
                    "NEB-C047",
                    f"expected reduction='batchmean', found {found}, which divides by the number of classes too.",
                    "write reduction='batchmean'.",
                    "warning",
                ),
            )

    def _loss(self, call: ast.Call, scope: Scope, block: Block) -> tuple[str, dict[str, ast.expr]]:
        """Return the loss that a call computes and its parameters, or an empty name."""
        function = self._function(call)
        if function:
            return function, _keywords(call)
        made = self.kinds.definition(call.func, scope, block)
        if isinstance(made, ast.Call) and made is not call:
            while (
                isinstance(made.func, ast.Attribute)
                and made.func.attr in ("to", "cuda")
                and isinstance(made.func.value, ast.Call)
            ):
                made = made.func.value
            return self._class(made), _keywords(made)
        return "", {}

    def _used(
        self, call: ast.Call, loss: str, options: dict[str, ast.expr], scope: Scope, block: Block
    ) -> Iterator[Problem]:
        words = _keywords(call)
        arguments = [argument for argument in call.args if not isinstance(argument, ast.Starred)]
        first = arguments[0] if arguments else words.get("input")
        second = arguments[1] if len(arguments) > 1 else words.get("target")
        if first is None or len(arguments) < len(call.args):
            return
        verdict = judge(loss, self.kinds.of(first, scope, block), options)
        if verdict is not None:
            yield self._problem(first, verdict)
        if second is not None and exchanged(loss, first, second):
            yield self._problem(
                first,
                Verdict(
                    "NEB-C018",
                    f"expected the model's output first, found `{ast.unparse(first)}`, then `{ast.unparse(second)}`.",
                    f"exchange them: `{ast.unparse(second)}, {ast.unparse(first)}`.",
                    "warning",
                ),
            )
        third = arguments[2] if len(arguments) > 2 else words.get("var")
        name = third.id if isinstance(third, ast.Name) else third.attr if isinstance(third, ast.Attribute) else ""
        if loss == "GaussianNLLLoss" and third is not None and _DEVIATION.match(name):
            yield self._problem(
                third,
                Verdict(
                    "NEB-C053",
                    f"expected a variance, found `{ast.unparse(third)}`, by its name a standard deviation.",
                    f"pass `{ast.unparse(third)} ** 2`.",
                    "warning",
                ),
            )

    def _problem(self, node: ast.expr, verdict: Verdict) -> Problem:
        line = node.lineno
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        column = len(text.encode()[: node.col_offset].decode(errors="replace")) + 1
        end = 0
        if node.end_lineno == line and node.end_col_offset is not None:
            end = len(text.encode()[: node.end_col_offset].decode(errors="replace")) + 1
        return Problem(self.file, line, column, verdict.message, verdict.code, verdict.hint, verdict.severity, end)


def _keywords(call: ast.Call) -> dict[str, ast.expr]:
    return {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
