"""Several rules, one choice: what `hit_policy: collect` makes of the rules that fire."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nebula.policy.model import SelectRule, TermUse, Use

__all__ = ["collect"]


def collect(rules: Sequence[SelectRule]) -> Use | None:
    """Join the choices of the rules that fire into one composite.

    The terms stand in the order of the rules and carry the rules' ids as names; terms of a rule that
    composes itself keep their own names behind the id. The first rule that sets it gives the output
    bias and the serving; penalties are joined. Rules that name no loss contribute nothing.

    Args:
        rules: The rules that fire, in order.

    Returns:
        The only choice as it is when its weight is 1; a composite of several, or of one with its weight; None
        when no rule names a loss.
    """
    choosing = [(rule.id, rule.use) for rule in rules if rule.use is not None]
    if not choosing:
        return None
    if len(choosing) == 1 and (choosing[0][1].compose or choosing[0][1].weight == 1):
        return choosing[0][1]
    uses = [use for _, use in choosing]
    return Use(
        compose=tuple(term for identity, use in choosing for term in _terms(identity, use)),
        params=next((use.params for use in uses if use.compose and use.params), {}),
        penalties=tuple(penalty for use in uses for penalty in use.penalties),
        output_bias=next((use.output_bias for use in uses if use.output_bias is not None), None),
        serve=next((use.serve for use in uses if use.serve is not None), None),
        modifiers=tuple(dict.fromkeys(name for use in uses for name in use.modifiers)),
    )


def _terms(identity: str, use: Use) -> Iterator[TermUse]:
    if not use.compose:
        yield TermUse(name=identity, loss=use.loss, params=use.params, link=use.link, weight=use.weight)
    for number, term in enumerate(use.compose, start=1):
        yield term.model_copy(update={"name": f"{identity}-{term.name or number}"[:64]})
