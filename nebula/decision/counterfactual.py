"""The smallest change of facts that makes a policy choose another loss, found by search and tried on the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nebula.decision.blockers import blocking_facts
from nebula.decision.candidates import candidate_values
from nebula.decision.changes import Change, Changes, changed_profile, kind_of, relative_move
from nebula.decision.metrics import judges
from nebula.decision.naming import choosing_rule, losses_chosen, losses_named
from nebula.decision.plausible import broken_laws, facts_of_law
from nebula.errors import ContractError, DecisionError, NebulaError
from nebula.losses.adaptation import draw_plan, entry_of
from nebula.policy.compiled import CompiledPolicy
from nebula.policy.engine import NativeEngine
from nebula.policy.model import Otherwise, SelectRule
from nebula.profiling.model import DataProfile
from nebula.profiling.vocabulary import FactValue, facts_of, vocabulary

if TYPE_CHECKING:
    from nebula.decision.policy import Policy

__all__ = ["MAX_CHANGES", "MAX_PROFILES", "Counterfactual", "find_counterfactual", "selects"]

MAX_CHANGES = 3
MAX_PROFILES = 6_000
_MAX_RECORDED = 1_000
_MAX_DECISIONS = 60
_MAX_CONTRACTS = 600


@dataclass(frozen=True)
class Counterfactual:
    """What the search for another loss came to.

    Attributes:
        changes: Facts and their new values; None is unknown. None in place of all: nothing was found.
        rule_id: The rule that then decides; None for `otherwise`.
        other: The best set of the same size with more, or fewer, facts of the data among it.
        other_rule_id: The rule that decides then.
        profiles: How many changed profiles were tried.
        complete: Every set of so many changes, and fewer, was tried or ruled out.
    """

    changes: Changes | None
    rule_id: str | None
    other: Changes | None
    other_rule_id: str | None
    profiles: int
    complete: int


def find_counterfactual(policy: Policy, profile: DataProfile, loss: str) -> Counterfactual:
    """Search for the fewest changed facts on which the policy decides for a loss.

    Sets of one change are tried first, then of two, then of three; among sets of one size, the one
    with fewest facts of the data, then the one that moves least (`relative_move`, summed), then the
    one with least against it, such as a declared task of another family than the loss's. New
    values are those of `candidate_values`. A change that breaks a law of the vocabulary which the
    profile keeps, or declares a task that the data contradict, is left out. What remains is decided
    again by `Policy.decide`, the loss's contract included, before it is returned. The order is
    fixed, so equal questions have equal answers.

    Args:
        policy: The policy that decided.
        profile: What it decided on.
        loss: Name of a registered loss that it did not choose.

    Returns:
        The changes, or how far the search went without finding any. At most 6,000 profiles are
        tried (1,000 when the policy must record each evaluation), and 60 of them decided in full.

    Source: S. Wachter, B. Mittelstadt, C. Russell, "Counterfactual Explanations without Opening the
        Black Box", Harvard Journal of Law & Technology 31 (2018).
    """
    search = _Search(policy, profile, loss)
    for size in range(1, MAX_CHANGES + 1):
        try:
            search.collect(size)
            exhausted = False
        except _Exhausted:
            exhausted = True
        found, all_decided = search.best()
        if found:
            first, second = found[0], found[1] if len(found) > 1 else None
            return Counterfactual(
                first,
                search.rule(first),
                second,
                search.rule(second) if second else None,
                search.profiles,
                size - exhausted,
            )
        if exhausted or not all_decided:
            return Counterfactual(None, None, None, None, search.profiles, size - 1)
    return Counterfactual(None, None, None, None, search.profiles, MAX_CHANGES)


class _Exhausted(Exception):  # noqa: N818 - a bound, not a failure
    """The most profiles were tried."""


class _Search:
    def __init__(self, policy: Policy, profile: DataProfile, loss: str) -> None:
        self.policy, self.compiled, self.profile, self.loss = policy, policy.compiled, profile, loss
        self.family = entry_of(loss).family
        self.base = facts_of(profile)
        self.grid = candidate_values(self.compiled, self.base)
        self.place = {name: place for place, name in enumerate(sorted(vocabulary(), key=_data_last))}
        self.order = {(name, value): i for name in self.grid for i, value in enumerate(self.grid[name])}
        self.broken = broken_laws(self.base)
        self.goals = tuple(_goals(self.compiled, loss))
        recorded = self.compiled.plan.lenient or self.compiled.file.hit_policy == "unique"
        self.limit = _MAX_RECORDED if recorded else MAX_PROFILES
        self.profiles = self.decided = self.checked = 0
        self.solutions: set[frozenset[Change]] = set()
        self.refused: set[frozenset[Change]] = set()
        self.tried: set[frozenset[Change]] = set()

    def collect(self, size: int) -> None:
        """Gather all sets of so many changes on which a rule decides for the loss."""
        for goal in self.goals:
            self._visit(goal, frozenset(), size, set())

    def _visit(self, goal: int | None, changes: frozenset[Change], left: int, seen: set[frozenset[Change]]) -> None:
        facts = {**self.base, **dict(changes)}
        fixed = {name for name, _ in changes}
        for name in sorted(self._open(goal, facts, changes) - fixed):
            for value in self.grid.get(name, ()):
                grown = changes | {(name, value)}
                if grown in seen:
                    continue
                seen.add(grown)
                if left > 1:
                    self._visit(goal, grown, left - 1, seen)
                elif grown not in self.tried:
                    self._try(grown, {**facts, name: value})

    def _open(self, goal: int | None, facts: Mapping[str, FactValue], changes: frozenset[Change]) -> frozenset[str]:
        """Return facts of which every solution that contains these changes changes one."""
        if changes in self.refused:  # the rules agree, the contract or a rule that must know does not
            return frozenset(self.grid)
        choices = [facts_of_law(law) for law in broken_laws(facts) - self.broken]
        blocking = blocking_facts(self.compiled, facts, goal)
        if blocking is not None:
            choices.append(blocking)
        return min(choices, key=self._width) if choices else frozenset(self.grid)

    def _width(self, names: frozenset[str]) -> tuple[int, list[str]]:
        return sum(len(self.grid.get(name, ())) for name in names), sorted(names)

    def _try(self, changes: frozenset[Change], facts: Mapping[str, FactValue]) -> None:
        if self.profiles >= self.limit:
            raise _Exhausted
        self.profiles += 1
        self.tried.add(changes)
        if choosing_rule(self.compiled, facts, self.loss) and not broken_laws(facts) - self.broken:
            self.solutions.add(changes)

    def best(self) -> tuple[list[Changes], bool]:
        """Return the best gathered set that the whole decision agrees to, and whether all were asked.

        With it comes the best one of another number of facts of the data, if there is one.
        """
        found: list[Changes] = []
        for changes in sorted(map(self._sorted, self.solutions), key=self._cost):
            if self.decided >= _MAX_DECISIONS or self.checked >= _MAX_CONTRACTS:
                return found, False
            if found and _of_data(changes) == _of_data(found[0]):
                continue
            if self._decides(changes):
                found.append(changes)
                if len(found) > 1:
                    break
            else:
                self.refused.add(frozenset(changes))
        self.solutions.clear()
        return found, True

    def rule(self, changes: Changes) -> str | None:
        """Return the rule that chooses the loss after the changes; None for `otherwise`."""
        chooser = self._chooser(changes)
        return chooser.id if isinstance(chooser, SelectRule) else None

    def _chooser(self, changes: Changes) -> SelectRule | Otherwise | None:
        return choosing_rule(self.compiled, {**self.base, **dict(changes)}, self.loss)

    def _sorted(self, changes: frozenset[Change]) -> Changes:
        return tuple(sorted(changes, key=lambda change: self.place[change[0]]))

    def _cost(self, changes: Changes) -> tuple[int, float, int, list[tuple[int, int]]]:
        moved = sum(relative_move(self.base[name], value) for name, value in changes)
        order = [(self.place[name], self.order[name, value]) for name, value in changes]
        return _of_data(changes), moved, self._doubts(changes), order

    def _doubts(self, changes: Changes) -> int:
        """Count what speaks against an answer: a better loss, two readings, a task or metric not the loss's own."""
        facts = {**self.base, **dict(changes)}
        rule = self._chooser(changes)
        doubts = 1
        if isinstance(rule, SelectRule):
            doubts = bool(rule.better) + (rule.ambiguous is not None)
        declared = dict(changes).get("hints.task")
        doubts += declared is not None and declared != self.family
        metric = dict(changes).get("hints.metric")
        if isinstance(metric, str):
            task = self.compiled.evaluate(facts, NativeEngine()).derived.get("task")
            doubts += isinstance(task, str) and not judges(metric, task)  # type: ignore[arg-type]  # a hint is checked
        return doubts

    def _breaks_contract(self, changes: Changes, changed: DataProfile) -> bool:
        """Say whether the data contradict the loss: cheaper than the whole decision, which has the last word."""
        chooser = self._chooser(changes)
        use = chooser.use if chooser else None
        if use is None or use.compose or self.compiled.file.hit_policy == "collect":
            return False
        self.checked += 1
        given = {name: value for name, value in use.params.items() if not str(value).startswith("$")}
        try:
            return bool(draw_plan(use.loss, given, use.link, changed).violations)
        except ContractError:  # a parameter that only the whole decision can fill in
            return False

    def _decides(self, changes: Changes) -> bool:
        changed = changed_profile(self.profile, changes)
        if changed is None or self._breaks_contract(changes, changed):
            return False
        self.decided += 1
        return _chooses(self.policy, changed, self.loss)


def selects(policy: Policy, profile: DataProfile, changes: Changes, loss: str) -> bool:
    """Say whether the whole decision on a changed profile, which breaks no further law, is for a loss.

    Args:
        policy: The policy.
        profile: The profile before the changes.
        changes: Facts and their new values.
        loss: Name of a registered loss.
    """
    facts = facts_of(profile)
    changed = changed_profile(profile, changes)
    if changed is None or broken_laws({**facts, **dict(changes)}) - broken_laws(facts):
        return False
    return _chooses(policy, changed, loss)


def _chooses(policy: Policy, profile: DataProfile, loss: str) -> bool:
    try:
        spec = policy.decide(profile).spec
    except (DecisionError, ValueError) as error:
        if not isinstance(error, NebulaError):
            raise
        return False
    return loss in losses_chosen(spec)


def _of_data(changes: Changes) -> int:
    return sum(kind_of(name) == "data" for name, _ in changes)


def _data_last(name: str) -> int:
    return ("declaration", "prediction", "data").index(kind_of(name))


def _goals(policy: CompiledPolicy, loss: str) -> Iterator[int | None]:
    for place, rule in enumerate(policy.file.select):
        if loss in losses_named(rule.use):
            yield place
    otherwise = policy.file.otherwise
    if otherwise and loss in losses_named(otherwise.use):
        yield None
