"""A compiled plan on one profile: stratum by stratum, judged here and inferred by the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nebula.errors import DataError, EngineError
from nebula.policy.engine.base import InferenceEngine
from nebula.policy.engine.program import literals_of
from nebula.policy.evaluation import Evaluation, RuleOutcome
from nebula.policy.expression.evaluate import ComparisonOutcome, outcome_name
from nebula.policy.expression.formula import kleene
from nebula.policy.expression.terms import Constant, Values
from nebula.policy.plan import Plan, Setter
from nebula.profiling.vocabulary import FactValue

__all__ = ["holding", "infer"]


def holding(plan: Plan, facts: Mapping[str, FactValue]) -> list[int]:
    """Return the numbers of the select rules that hold, in order, by closures that stop early.

    Raises:
        DataError: A fact's value is of another type than the vocabulary says.
    """
    values = _gather(plan, facts)
    rules = plan.rules
    held: set[int] = set()
    try:
        for phase, settled in zip(plan.rule_phases, plan.settled, strict=False):
            held.update([index for index in phase if rules[index].holds(values)])
            for slot, setters in settled:
                _settle(values, slot, setters, held)
        return [index for index in plan.rule_phases[-1] if rules[index].holds(values)]
    except TypeError as error:
        raise _mistyped(error) from error


def infer(
    plan: Plan, ids: Sequence[str], n_derive: int, facts: Mapping[str, FactValue], engine: InferenceEngine
) -> Evaluation:
    """Judge every comparison, let the engine infer the rules, and hold both against each other.

    Args:
        plan: The compiled policy.
        ids: Ids of the rules, derive rules first.
        n_derive: How many of them are derive rules.
        facts: Values by dotted name.
        engine: Who infers.

    Raises:
        EngineError: The engine failed, or inferred otherwise than the conditions' own values say.
        DataError: A fact's value is of another type than the vocabulary says.
    """
    run = _Run(plan, ids, engine, _gather(plan, facts))
    for phase in range(len(plan.rule_phases)):
        run.judge(phase)
        run.ask_engine(phase)
        run.settle(phase)
    outcomes = run.outcomes()
    select = outcomes[n_derive:]
    return Evaluation(
        derived={name: value for name, value in zip(plan.derived, run.values, strict=False) if value is not None},
        derive=outcomes[:n_derive],
        select=select,
        fired=tuple(outcome.id for outcome in select if outcome.fires),
        engine=f"{engine.name} {engine.version}",
    )


class _Run:
    def __init__(self, plan: Plan, ids: Sequence[str], engine: InferenceEngine, values: Values) -> None:
        self.plan, self.ids, self.engine, self.values = plan, ids, engine, values
        self.judged: list[bool | None] = [None] * len(plan.atoms)
        self.records: list[ComparisonOutcome | None] = [None] * len(plan.atoms)
        self.results: list[bool | None] = [None] * len(plan.rules)
        self.fires: set[int] = set()
        self.literals: frozenset[int] = frozenset()
        self.applied: dict[int, list[str]] = {}

    def judge(self, phase: int) -> None:
        """Evaluate the comparisons that became possible, then the phase's rules."""
        found: list[int] = []
        try:
            for index in self.plan.atom_phases[phase]:
                atom = self.plan.atoms[index]
                result = self.judged[index] = atom.test(self.values)
                self.records[index] = atom.record(self.values, result)
                if self.plan.lenient:
                    found.extend(literals_of(index, result))
                elif result is not None:
                    found.append(literals_of(index, result)[0])
        except TypeError as error:
            raise _mistyped(error) from error
        self.literals = self.literals.union(found)
        for number in self.plan.rule_phases[phase]:
            rule = self.plan.rules[number]
            result = self.results[number] = kleene(rule.condition, self.judged)
            if result or (rule.formula is not rule.condition and kleene(rule.formula, self.judged)):
                self.fires.add(number)

    def ask_engine(self, phase: int) -> None:
        """Let the engine infer the same rules from the literals."""
        program = self.plan.program
        fired: set[int] = set()
        for stratum in program.phases[phase]:
            heads = self.engine.fire(program, stratum, self.literals)
            fired.update(rule for rule in map(program.rule_of, heads) if rule is not None)
            self.literals = self.literals.union(heads)
        expected = self.fires.intersection(self.plan.rule_phases[phase])
        if fired != expected:
            raise EngineError(
                f"{self.engine.name} {self.engine.version} and the conditions' own values disagree: "
                f"the engine fired {self._names(fired)}, the conditions hold for {self._names(expected)}."
            )

    def settle(self, phase: int) -> None:
        """Give the derived names that are complete their values."""
        if phase < len(self.plan.settled):
            for slot, setters in self.plan.settled[phase]:
                setter = _settle(self.values, slot, setters, self.fires)
                if setter is not None:
                    self.applied.setdefault(setter.rule, []).append(self.plan.derived[slot])

    def outcomes(self) -> tuple[RuleOutcome, ...]:
        """Return every rule's outcome with its comparisons."""
        records = self.records
        return tuple(
            RuleOutcome(
                identity,
                outcome_name(result),
                tuple([record for index in rule.atoms if (record := records[index]) is not None]),
                tuple(self.applied.get(number, ())),
                number in self.fires,
            )
            for number, (identity, rule, result) in enumerate(zip(self.ids, self.plan.rules, self.results, strict=True))
        )

    def _names(self, rules: Iterable[int]) -> str:
        return ", ".join(f"`{self.ids[rule]}`" for rule in sorted(rules)) or "no rule"


def _gather(plan: Plan, facts: Mapping[str, FactValue]) -> Values:
    """Lay out the values by slot; NaN was not observed either."""
    read = map(facts.get, plan.facts)
    return [*[None] * len(plan.derived), *[value if value == value else None for value in read]]


def _settle(values: Values, slot: int, setters: Sequence[Setter], held: set[int]) -> Setter | None:
    """Let the first rule that holds set a name; the others are true but not applied."""
    for setter in setters:
        if setter.rule in held:
            source = setter.value
            values[slot] = source.value if isinstance(source, Constant) else values[source.index]
            return setter
    return None


def _mistyped(error: TypeError) -> DataError:
    return DataError(f"facts: expected values of the vocabulary's types, found one that cannot be compared: {error}.")
