"""Why not another loss: what fails in its rules, and the smallest change that would select it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from nebula.decision.changes import Changes
from nebula.decision.counterfactual import MAX_CHANGES, Counterfactual, find_counterfactual, selects
from nebula.decision.explain import why_not
from nebula.decision.fact_change import FactChange, describe_changes
from nebula.decision.minimality import Minimality, prove_smallest
from nebula.decision.naming import choosing_rule, losses_chosen, losses_named
from nebula.decision.trace import DecisionTrace
from nebula.decision.why import RuleAccount, explain_why
from nebula.errors import DecisionError
from nebula.losses.capability import violations
from nebula.policy.model import SelectRule
from nebula.profiling.model import DataProfile
from nebula.profiling.vocabulary import facts_of

if TYPE_CHECKING:
    from nebula.decision.policy import Policy

__all__ = ["WhyNot", "explain_why_not"]


class WhyNot(BaseModel):
    """Why a loss was not chosen, and what would have to be otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    loss: str = Field(description="The loss asked about.")
    answer: Literal["chosen", "reachable", "not found", "not named"] = Field(
        description="`chosen`: it was; `reachable`: `changes` would select it; `not found`: no change searched "
        "would; `not named`: no rule of the policy names it."
    )
    chosen: str | None = Field(description="The loss that was chosen; null for none.")
    chosen_by: str | None = Field(description="The rule that chose it; null for `otherwise`.")
    policy: str = Field(description="Name and version.")
    rule_id: str | None = Field(
        None, description="The rule that would decide; null for `otherwise`, or when none was found."
    )
    changes: tuple[FactChange, ...] = Field((), description="All of them together; what the user can declare first.")
    other_changes: tuple[FactChange, ...] = Field(
        (), description="Another set of the same size, with more facts of the data, or fewer."
    )
    other_rule_id: str | None = Field(None, description="The rule that would decide then.")
    profiles: int = Field(0, description="How many changed profiles were tried.")
    complete: int = Field(
        0,
        description="Every set of so many changed facts, and fewer, was tried or ruled out, over the values searched.",
    )
    proof: Minimality | None = Field(
        None, description="What is proven of how many facts must change; null when no proof was asked for."
    )
    contract: tuple[str, ...] = Field((), description="Clauses of the loss's contract that the data break as they are.")
    nearest: RuleAccount | None = Field(
        None, description="Of the rules that name it, the one with fewest failing comparisons."
    )
    why_not: tuple[str, ...] = Field((), description="Its rules and all that fails in them, line by line.")

    def sentence(self) -> str:
        """Say in one or two sentences what would select the loss, or how far the search went."""
        if self.answer == "chosen":
            return self.why_not[0]
        if self.answer == "not named":
            return f"No rule of {self.policy} names {self.loss}, so no fact can select it."
        if self.answer == "reachable":
            return " ".join(self._found())
        return " ".join(self._not_found())

    def _found(self) -> Iterator[str]:
        first = f"{self.loss} would be chosen by {_by(self.rule_id)} if {_clauses(self.changes)}"
        other = f"; or by {_by(self.other_rule_id)} if {_clauses(self.other_changes)}" if self.other_changes else ""
        yield f"{first}{other}."
        if self.proof:
            yield self.proof.sentence(self.loss)

    def _not_found(self) -> Iterator[str]:
        few = f"No change of {'one fact' if self.complete == 1 else f'up to {self.complete} facts'}"
        rest = (
            ""
            if self.complete == MAX_CHANGES
            else f", nor did any larger one within the bound of {self.profiles} trials"
        )
        if not self.proof or self.proof.verdict != "impossible":
            yield f"{few if self.complete else 'No change tried'} would select {self.loss}{rest}."
        if self.proof:
            yield self.proof.sentence(self.loss)
        if self.nearest and self.nearest.failing:
            yield f"Nearest is rule `{self.nearest.id}`, where {self.nearest.failing.sentence()}."
        elif self.nearest:
            yield f"Nearest is rule `{self.nearest.id}`, which holds, but {_by(self.chosen_by)} stands before it."
        if self.contract:
            yield f"Nor does it fit the data: {'; '.join(self.contract)}"

    def tree(self) -> str:
        """Draw the changes, or the nearest rule, and below them what fails in the loss's rules."""
        branches = [_branch(self.rule_id, self.changes)] if self.changes else []
        branches += [_branch(self.other_rule_id, self.other_changes)] if self.other_changes else []
        if self.nearest and not self.changes:
            branches.append(f"nearest: {self.nearest.sentence()}")
        branches += _paragraphs(self.why_not[1:])
        return "\n".join([self.sentence(), *_draw(branches)])


def explain_why_not(policy: Policy, trace: DecisionTrace, loss: str, *, prove: bool = False) -> WhyNot:
    """Search for the smallest change of facts on which a policy would choose another loss.

    Args:
        policy: The policy that decided; a policy read again from the same files is the same.
        trace: The decision, made now or read back from a file.
        loss: Name of a registered loss.
        prove: Prove that no fewer facts would do, or find fewer; needs the extra `verify`.

    Returns:
        The answer; one that names changes was re-checked by deciding on the changed profile.

    Raises:
        ContractError: No loss of that name is registered; the message names the nearest.
        DecisionError: Another policy decided, or the same one with other parameters.
        MissingExtraError: A proof was asked for and the extra `verify` is not installed.
    """
    if policy.digest != trace.policy.digest:
        raise DecisionError(
            f"expected the policy that decided, {trace.policy.name} {trace.policy.version} with digest "
            f"{trace.policy.digest}, found {policy.name} {policy.version} with digest {policy.digest}: "
            "load the policy as it was, with the same parameters."
        )
    lines = tuple(why_not(trace, loss).splitlines())
    chosen = loss in losses_chosen(trace.spec)
    otherwise = policy.compiled.file.otherwise
    uses = (*(rule.use for rule in policy.compiled.file.select), otherwise.use if otherwise else None)
    named = any(loss in losses_named(use) for use in uses)
    found = Counterfactual((), None, None, None, 0, 0)
    if named and not chosen:
        found = find_counterfactual(policy, trace.profile, loss)
    proof = None
    if prove and named and not chosen:
        found, proof = _proven(policy, trace.profile, loss, found)
    answer: Literal["chosen", "reachable", "not found", "not named"] = "chosen"
    if not chosen:
        answer = "not named" if not named else "not found" if found.changes is None else "reachable"
    return WhyNot(
        loss=loss,
        answer=answer,
        chosen=trace.spec.loss if trace.spec else None,
        chosen_by=trace.rule_id,
        policy=f"{trace.policy.name} {trace.policy.version}",
        rule_id=found.rule_id,
        changes=describe_changes(policy.compiled, facts_of(trace.profile), found.changes or (), loss),
        other_changes=describe_changes(policy.compiled, facts_of(trace.profile), found.other or (), loss),
        other_rule_id=found.other_rule_id,
        profiles=found.profiles,
        complete=found.complete,
        proof=proof,
        contract=() if chosen else tuple(violations(loss, {}, trace.profile)),
        nearest=None if chosen else _nearest(trace, loss),
        why_not=lines,
    )


def _proven(
    policy: Policy, profile: DataProfile, loss: str, found: Counterfactual
) -> tuple[Counterfactual, Minimality]:
    """Put a smaller set in place of the one found, if there is one, and say what is proven."""

    def agrees(changes: Changes) -> bool:
        return selects(policy, profile, changes, loss)

    proof, smaller = prove_smallest(policy.compiled, profile, loss, found.changes, agrees)
    if smaller is None:
        return found, proof
    chooser = choosing_rule(policy.compiled, {**facts_of(profile), **dict(smaller)}, loss)
    rule_id = chooser.id if isinstance(chooser, SelectRule) else None
    return Counterfactual(smaller, rule_id, None, None, found.profiles, found.complete), proof


def _nearest(trace: DecisionTrace, loss: str) -> RuleAccount | None:
    rules = [rule for rule in trace.rules if rule.loss == loss]
    if not rules:
        return None
    nearest = min(rules, key=lambda rule: sum(c.outcome != "true" for c in rule.comparisons))
    return next(rule for rule in explain_why(trace).rules if rule.id == nearest.id and rule.kind == "select")


def _by(rule_id: str | None) -> str:
    return f"rule `{rule_id}`" if rule_id else "`otherwise`"


def _clauses(changes: tuple[FactChange, ...]) -> str:
    """Join the changes, saying whose each is, or once when all are of one kind."""
    owners = [change.owner() for change in changes]
    same = len(set(owners)) == 1
    said = [change.clause() + ("" if same else f" ({owner})") for change, owner in zip(changes, owners, strict=True)]
    joined = " and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)
    return f"{joined} ({owners[0]})" if same else joined


def _branch(rule_id: str | None, changes: tuple[FactChange, ...]) -> str:
    lines = [f"{_by(rule_id)}, if"]
    for change in changes:
        over = f", which turns `{change.comparison}` over" if change.comparison else ""
        lines.append(f"{change.clause()} ({change.owner()}){over}")
    return "\n".join(lines)


def _paragraphs(lines: tuple[str, ...]) -> list[str]:
    """Put the lines that are indented further to the one that stands over them."""
    found: list[str] = []
    for line in lines:
        if line.startswith("    ") and found:
            found[-1] += f"\n{line.strip()}"
        else:
            found.append(line.strip())
    return found


def _draw(branches: list[str]) -> Iterator[str]:
    for place, branch in enumerate(branches):
        last = place == len(branches) - 1
        head, *below = branch.splitlines()
        yield f"{'└' if last else '├'}─ {head}"
        for number, line in enumerate(below):
            yield f"{' ' if last else '│'}  {'└' if number == len(below) - 1 else '├'}─ {line}"
