"""The page of one loss, derived from its entry, its contracts and the default policy."""

from __future__ import annotations

from collections.abc import Iterator

from nebula.losses.axes import write_axes
from nebula.losses.contract import Contract
from nebula.losses.registry import LossEntry
from nebula.reference.choices import Choice
from nebula.reference.markdown import NOTICE, as_yaml, page, table

__all__ = ["render_loss", "write_clauses"]


def render_loss(entry: LossEntry, choices: tuple[Choice, ...]) -> str:
    """Return the page of a loss.

    Args:
        entry: The loss.
        choices: The rules of the default policy that choose it.
    """
    return page(_lines(entry, choices))


def _lines(entry: LossEntry, choices: tuple[Choice, ...]) -> Iterator[str]:
    yield from (f"# {entry.name}", "", NOTICE, "", entry.summary, "")
    yield from ("```text", entry.formula, "```", "")
    yield "y is the target, z the model's raw output."
    yield ""
    if not entry.composed:
        yield f"![Value and gradient of {entry.name}](plots/{entry.name}.svg)"
        yield ""
    for number, contract in enumerate(entry.contracts):
        yield from _contract(contract, number, len(entry.contracts))
    yield from _parameters(entry)
    yield from ("## Limits", "", entry.limits, "")
    yield from ("## When it is chosen", "")
    if choices:
        yield "The default policy chooses it by these rules, the first that fits deciding."
        yield ""
        yield from table(("rule", "because"), ((f"`{choice.rule}`", choice.because) for choice in choices))
    else:
        yield "No rule of the default policy chooses it: name it in a rule of your own."
    yield from ("", "## Reference", "", entry.reference, "")
    yield f"Family: {entry.family} · [all losses](README.md)"


def _contract(contract: Contract, number: int, contracts: int) -> Iterator[str]:
    needs = ", ".join(f"`{name}: {as_yaml(value)}`" for name, value in contract.requires_params.items())
    name = "## Domain" if contracts == 1 else f"## Domain {number + 1}"
    yield f"{name}, with {needs}" if needs else name
    yield ""
    yield from table(("clause", "value"), write_clauses(contract))
    yield ""
    if contract.extra_inputs:
        yield "Passed to the criterion by name, beside prediction and target:"
        yield ""
        rows = (
            (f"`{e.name}`", write_axes(e.axes), e.holds, "yes" if e.required else "no", e.description)
            for e in contract.extra_inputs
        )
        yield from table(("extra input", "shape", "holds", "required", "meaning"), rows)
        yield ""


def write_clauses(contract: Contract) -> Iterator[tuple[str, str]]:
    """Yield every clause of a contract as a name and a phrase."""
    prediction, target = contract.shapes
    outputs = f": {', '.join(contract.parameters)}" if contract.parameters else ""
    fewest = f", at least {contract.min_outputs} outputs" if contract.min_outputs > 1 else ""
    yield "prediction", f"{contract.prediction_space.replace('_', ' ')} {write_axes(prediction)}{outputs}{fewest}"
    whole = ", whole numbers" if contract.integer_valued else ""
    kind = contract.target_kind.replace("_", " ")
    yield "target", f"{kind} {write_axes(target)} in {contract.target_interval}{whole}, {contract.target_dtype}"
    yield "reductions", ", ".join(f"`{reduction}`" for reduction in contract.reductions)
    yield "elicits", (contract.proper or "no functional of its own").replace("_", " ")
    yield "a batch with nothing to count", {"zero": "0", "nan": "NaN", "error": "an error"}[contract.empty]
    yield "labels can be ignored", _word(contract.supports_ignore_index)
    yield "rows depend on each other", _word(contract.couples_samples)
    yield "parameters of its own", _word(contract.learnable)
    yield "second derivative", _word(contract.twice_differentiable)
    yield "bounded below", _word(contract.bounded_below)
    yield "finite at outputs of ±1e4", _word(contract.finite_at_extremes)
    yield "one graph for `torch.compile`", _word(contract.compiles)
    yield "half precision", "computed in float32" if contract.low_precision == "upcast" else "native"
    yield "cost", f"O({contract.cost})"


def _word(flag: bool) -> str:
    return "yes" if flag else "no"


def _parameters(entry: LossEntry) -> Iterator[str]:
    yield from ("## Parameters", "")
    fields = entry.params.model_fields
    rows = (
        (
            f"`{name}`",
            "required" if field.is_required() else f"`{as_yaml(field.get_default(call_default_factory=True))}`",
            field.description or "",
        )
        for name, field in fields.items()
    )
    yield from table(("parameter", "default", "meaning"), rows)
    yield ""
