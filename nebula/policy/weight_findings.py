"""Weights of composites that change nothing."""

from __future__ import annotations

from collections.abc import Iterator

from nebula.policy.model import PolicyFile, Use
from nebula.policy.rule_findings import EntryFinding

__all__ = ["find_lone_schedules"]


def find_lone_schedules(file: PolicyFile) -> Iterator[EntryFinding]:
    """Yield choices whose only term has a weight that follows a schedule, with no penalty beside it.

    The weight then scales the whole gradient, and Adam's step m/√v is the same for every factor that
    stays as it is, or changes slowly beside the memory of v. With `hit_policy: collect` a term has
    others beside it, so nothing is said of those.

    Args:
        file: The resolved policy.

    Source: D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, section 2.1.
    """
    if file.hit_policy == "collect":
        return
    for entry, use in _choices(file):
        if len(use.compose) == 1 and not use.penalties and not isinstance(use.compose[0].weight, int | float | str):
            kind = use.compose[0].weight.schedule
            where = "`otherwise`" if entry[0] == "otherwise" else f"rule `{entry[1]}`"
            message = (
                f"{where}: a `{kind}` schedule weighs the only term of a composite, "
                "which scales the whole gradient: under Adam and its kin the steps stay nearly as they are."
            )
            hint = "Name the loss alone and schedule the learning rate, or give the composite a second term."
            yield EntryFinding("NEB-P111", message, hint, entry)


def _choices(file: PolicyFile) -> Iterator[tuple[tuple[str, str], Use]]:
    yield from ((("select", rule.id), rule.use) for rule in file.select if rule.use is not None)
    if file.otherwise is not None and file.otherwise.use is not None:
        yield ("otherwise", ""), file.otherwise.use
