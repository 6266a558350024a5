"""What a rule's choice refers to: registered losses, their parameters, and `$facts`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pydantic import ValidationError

from nebula.losses import registry
from nebula.policy.expression.namespace import Name, did_you_mean
from nebula.policy.expression.trees import Path
from nebula.policy.model import ServeChoice, Use
from nebula.policy.validation import describe
from nebula.profiling.vocabulary import Fact

__all__ = ["check_use"]

Report = Callable[[Path, str, str], None]


def check_use(use: Use, *, facts: Mapping[str, Fact], names: Mapping[str, Name], report: Report) -> None:
    """Report every part of a choice that does not exist.

    Args:
        use: The choice of a rule or of `otherwise`.
        facts: The vocabulary.
        names: The policy's bare names.
        report: Called with the path below the choice, the code and the message.
    """
    from nebula.losses.catalogue import load_builtin

    load_builtin()
    for path, value in _references(use):
        target = value[1:]
        name = names.get(target)
        if target not in facts and (name is None or name.role == "definition") and "*" not in names:
            guess = did_you_mean(target, {**facts, **names}).replace("`", "`$", 1)
            report(path, "NEB-P045", f"expected a fact, parameter or derived fact, found `{value}`.{guess}")
    if isinstance(use.serve, ServeChoice):
        _check_serve(use.serve, report)
    entry = registry.find(use.loss)
    if entry is None:
        near = registry.nearest(use.loss)
        guess = f" Did you mean `{near}`?" if near else " `nebula losses` lists them."
        report(("loss",), "NEB-P060", f"expected a registered loss, found `{use.loss}`.{guess}")
        return
    _check_params(use, entry, report)


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and value.startswith("$")


def _references(use: Use) -> Iterator[tuple[Path, str]]:
    for name, value in use.params.items():
        if _is_reference(value):
            yield ("params", name), value
    if isinstance(use.serve, ServeChoice):
        for key in ("threshold", "quantile"):
            value = getattr(use.serve, key)
            if _is_reference(value):
                yield ("serve", key), value


def _check_serve(serve: ServeChoice, report: Report) -> None:
    for key, words in (("threshold", ("prior",)), ("quantile", ())):
        value = getattr(serve, key)
        if isinstance(value, str) and not _is_reference(value) and value not in words:
            allowed = "".join(f", `{word}`" for word in words)
            report(
                ("serve", key), "NEB-P063", f"expected a number between 0 and 1{allowed} or a `$fact`, found {value!r}."
            )


def _check_params(use: Use, entry: registry.LossEntry, report: Report) -> None:
    """Validate the constants among the parameters; the `$references` are only known on data."""
    deferred = {name for name, value in use.params.items() if _is_reference(value)}
    known = tuple(entry.params.model_fields)
    for name in use.params:
        if name not in known:
            listed = f" Known: {', '.join(known)}." if known else " It has none."
            guess = did_you_mean(name, known) or listed
            report(("params", name), "NEB-P061", f"{entry.name} has no parameter `{name}`.{guess}")
    constants = {name: value for name, value in use.params.items() if name in known and name not in deferred}
    try:
        entry.params.model_validate(constants)
    except ValidationError as error:
        for path, message, *_ in describe(error, constants):
            if path or not deferred:  # a rule over all parameters waits for the deferred ones
                report(("params", *path), "NEB-P062", f"{entry.name}: {message}")
