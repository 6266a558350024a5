"""Two sources side by side: how far the target moved, and what is decided for each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nebula.cli.output import say, show_json, show_table

if TYPE_CHECKING:
    from pathlib import Path

    from nebula.cli.request import DataRequest
    from nebula.profiling.model import DataProfile
    from nebula.profiling.shift import Shift

__all__ = ["show_shift"]

_SHOWN_CLASSES = 8
_SHOWN_FACTS = (
    "target.n", "target.n_unique", "target.min", "target.q05", "target.median", "target.q95", "target.max",
    "target.mean", "target.std", "target.skew", "target.zero_fraction", "target.negative_fraction",
    "target.outlier_fraction", "target.nan_count", "target.n_classes", "target.class_balance", "target.dispersion",
    "features.d", "features.missing_fraction",
)  # fmt: skip


def show_shift(
    before: DataRequest, after: DataRequest, policy: str, engine: str, *, html: Path | None = None, json: bool
) -> None:
    """Profile both sources and write the shift between them.

    Args:
        before: The reference.
        after: The other.
        policy: The policy's name.
        engine: Who reads.
        html: Write a page here instead of tables.
        json: Write JSON to standard output.

    Raises:
        NebulaError: A source cannot be read, the policy cannot be used, or the two cannot be compared.
    """
    from nebula.profiling.shift import measure_shift
    from nebula.selection import as_policy

    loaded = as_policy(policy)
    found = [request.profile(engine=engine) for request in (before, after)]
    profiles = [side.profile for side in found]
    shift = measure_shift(profiles[0], profiles[1], (found[0].class_names, found[1].class_names))
    decisions = [_decide(loaded, profile) for profile in profiles]
    if html is not None:
        from nebula.page.document import write_page
        from nebula.page.shift import shift_page
        from nebula.profiling.stores.address import mask

        sources = [mask(before.file), mask(after.file)]
        write_page(shift_page(found, sources, shift, _lines(shift, decisions), decisions), html)
        say(f"written: {html}")
    if json:
        show_json(
            {
                "shift": shift.model_dump(mode="json"),
                "decisions": decisions,
                "profiles": [profile.model_dump(mode="json") for profile in profiles],
            }
        )
    if json or html is not None:
        return
    show_table(("", ""), list(_lines(shift, decisions)))
    show_table(("fact", str(before.file), str(after.file)), _facts(*profiles))
    if shift.classes:
        show_table(
            ("class", str(before.file), str(after.file)),
            ((one.label, f"{one.before:.1%}", f"{one.after:.1%}") for one in shift.classes[:_SHOWN_CLASSES]),
        )


def _decide(policy: Any, profile: DataProfile) -> dict[str, str | None]:
    """Return the loss and the rule, or the reason why there is none."""
    from nebula.errors import DecisionError

    try:
        decision = policy.decide(profile)
    except DecisionError as error:
        return {"loss": None, "rule": None, "status": None, "error": str(error)}
    loss = decision.spec.loss if decision.spec else None
    return {"loss": loss, "rule": decision.rule_id, "status": decision.status, "error": None}


def _lines(shift: Shift, decisions: list[dict[str, str | None]]) -> Iterator[tuple[str, str]]:
    size = "stable" if shift.psi < 0.1 else "a moderate shift" if shift.psi < 0.25 else "a major shift"
    yield "PSI", f"{shift.psi:.4g} over {shift.psi_bins} bins: {size}"
    if shift.ks is not None and shift.ks_limit is not None:
        side = "beyond" if shift.ks > shift.ks_limit else "within"
        yield "KS", f"{shift.ks:.4g}, {side} what chance explains ({shift.ks_limit:.4g} at 5 %)"
    if shift.class_distance is not None:
        yield "classes", f"{shift.class_distance:.1%} of the rows would have to change class"
    for name, labels in (("new", shift.new_classes), ("lost", shift.lost_classes)):
        if labels:
            more = len(labels) - _SHOWN_CLASSES
            yield name, ", ".join(labels[:_SHOWN_CLASSES]) + (f" and {more} more" if more > 0 else "")
    chosen = [decision["loss"] or decision["error"] or "no loss: the policy refuses to guess" for decision in decisions]
    yield "decision", f"{chosen[0]} for both" if chosen[0] == chosen[1] else f"{chosen[0]}, then {chosen[1]}"


def _facts(before: DataProfile, after: DataProfile) -> Iterator[tuple[str, str, str]]:
    from nebula.decision.explain import show_value
    from nebula.profiling.vocabulary import facts_of

    left, right = facts_of(before), facts_of(after)
    for name in _SHOWN_FACTS:
        if left[name] != right[name]:
            yield name, show_value(left[name]), show_value(right[name])
