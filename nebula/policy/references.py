"""What a rule's choice refers to: registered losses, their parameters, and `$facts`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from nebula.errors import ContractError
from nebula.losses import registry
from nebula.losses.adaptation import draw_plan
from nebula.losses.spec import COMPOSITE, Link
from nebula.policy.expression.namespace import Name, did_you_mean
from nebula.policy.expression.trees import Path
from nebula.policy.model import ServeChoice, TermUse, Use
from nebula.policy.validation import describe
from nebula.profiling.model import DataProfile
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
    _check_loss(use.loss, use.params, use.link, (), report)
    _check_functional(use, report)
    for number, term in enumerate(use.compose):
        below = ("compose", number)
        if term.loss == COMPOSITE:
            report((*below, "loss"), "NEB-P060", "expected a single loss as a term, found a composite: list its terms.")
        else:
            _check_loss(term.loss, term.params, term.link, below, report)


def _check_loss(loss: str, params: Mapping[str, Any], link: Link | None, below: Path, report: Report) -> None:
    entry = registry.find(loss)
    if entry is None:
        near = registry.nearest(loss)
        guess = f" Did you mean `{near}`?" if near else " `nebula losses` lists them."
        report((*below, "loss"), "NEB-P060", f"expected a registered loss, found `{loss}`.{guess}")
        return
    _check_params(params, entry, below, report)
    if not entry.composed:
        _check_buildable(entry, params, link, below, report)


def _check_buildable(
    entry: registry.LossEntry, params: Mapping[str, Any], link: Link | None, below: Path, report: Report
) -> None:
    """Report clauses that are broken before any data is seen: nothing is known of the empty profile."""
    constants = {name: value for name, value in params.items() if not _is_reference(value)}
    try:
        broken = draw_plan(entry.name, constants, link, DataProfile()).violations
    except ContractError:
        return  # the parameters are at fault, which is told already, or are only known on data
    for clause in broken:
        report((*below, "link" if link is not None else "loss"), "NEB-P064", clause.removesuffix("."))


def _check_functional(use: Use, report: Report) -> None:
    """Report a functional that the loss, which serves itself, does not serve."""
    served_loss = use.compose[0].loss if use.compose else use.loss
    entry = registry.find(served_loss)
    chosen = use.serve.functional if isinstance(use.serve, ServeChoice) else use.serve
    if entry is not None and entry.serves and chosen is not None and chosen not in entry.serves:
        served = ", ".join(entry.serves)
        report(("serve",), "NEB-P065", f"{entry.name}: expected serve to be one of {served}, found {chosen}")


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and value.startswith("$")


def _references(use: Use) -> Iterator[tuple[Path, str]]:
    parts: list[tuple[Path, Use | TermUse]] = [((), use)]
    parts += [(("compose", number), term) for number, term in enumerate(use.compose)]
    for below, part in parts:
        for name, value in part.params.items():
            if _is_reference(value):
                yield (*below, "params", name), value
        if isinstance(part.weight, str):
            yield (*below, "weight"), part.weight
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


def _check_params(params: Mapping[str, Any], entry: registry.LossEntry, below: Path, report: Report) -> None:
    """Validate the constants among the parameters; the `$references` are only known on data."""
    deferred = {name for name, value in params.items() if _is_reference(value)}
    known = tuple(entry.params.model_fields)
    for name in params:
        if name not in known:
            listed = f" Known: {', '.join(known)}." if known else " It has none."
            guess = did_you_mean(name, known) or listed
            report((*below, "params", name), "NEB-P061", f"{entry.name} has no parameter `{name}`.{guess}")
    constants = {name: value for name, value in params.items() if name in known and name not in deferred}
    try:
        entry.params.model_validate(constants)
    except ValidationError as error:
        for path, message, *_ in describe(error, constants):
            if path or not deferred:  # a rule over all parameters waits for the deferred ones
                report((*below, "params", *path), "NEB-P062", f"{entry.name}: {message}")
