"""A compiled plan on one profile: stratum by stratum, judged here and inferred by the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nebula.errors import DataError, EngineError
from nebula.policy.cells import Judges, make_judges
from nebula.policy.engine.base import InferenceEngine
from nebula.policy.evaluation import Evaluation, Evidence
from nebula.policy.expression.terms import Constant, Values
from nebula.policy.plan import Plan, Setter
from nebula.policy.verdicts import Joint, compile_joint, verdict
from nebula.profiling.vocabulary import FactValue

__all__ = ["Inference", "holding"]


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


class Inference:
    """A plan made ready to be run with evidence.

    Args:
        plan: The compiled policy.
        ids: Ids of the rules, derive rules first.
        n_derive: How many of them are derive rules.
    """

    def __init__(self, plan: Plan, ids: tuple[str, ...], n_derive: int) -> None:
        self.plan, self.ids, self.n_derive = plan, ids, n_derive
        self.phases = tuple(
            (make_judges([(number, plan.atoms[number]) for number in atoms], lenient=plan.lenient), _Rules(plan, rules))
            for atoms, rules in zip(plan.atom_phases, plan.rule_phases, strict=True)
        )

    def run(self, facts: Mapping[str, FactValue], engine: InferenceEngine) -> Evaluation:
        """Judge every comparison, let the engine infer the rules, and hold both against each other.

        Args:
            facts: Values by dotted name.
            engine: Who infers.

        Raises:
            EngineError: The engine failed, or inferred otherwise than the conditions' own values say.
            DataError: A fact's value is of another type than the vocabulary says.
        """
        plan = self.plan
        values = _gather(plan, facts)
        results: list[bool | None] = [None] * len(plan.rules)
        held = 0
        literals: frozenset[int] = frozenset()
        fires: set[int] = set()
        applied: dict[int, tuple[str, ...]] = {}
        for phase, (judges, rules) in enumerate(self.phases):
            mask, found = _judge(judges, values)
            held |= mask
            literals = literals.union(*found)
            expected = rules.judge(held, results)
            literals = self._ask(engine, phase, literals, expected)
            fires |= expected
            if phase < len(plan.settled):
                for slot, setters in plan.settled[phase]:
                    setter = _settle(values, slot, setters, fires)
                    if setter is not None:
                        applied[setter.rule] = (*applied.get(setter.rule, ()), plan.derived[slot])
        evidence = Evidence(plan, self.ids, self.n_derive, values, held, results, fires, applied)
        derived = {name: value for name, value in zip(plan.derived, values, strict=False) if value is not None}
        return Evaluation(evidence, derived=derived, engine=f"{engine.name} {engine.version}")

    def _ask(self, engine: InferenceEngine, phase: int, literals: frozenset[int], expected: set[int]) -> frozenset[int]:
        """Let the engine infer the same rules from the literals; return them with what later strata may read."""
        program = self.plan.program
        first, beyond, last = program.first_rule, program.first_rule + program.rules, len(program.strata) - 1
        fired: set[int] = set()
        for stratum in program.phases[phase]:
            heads = engine.fire(program, stratum, literals)
            fired.update([head - first for head in heads if head < beyond])
            if heads and stratum < last:
                literals = literals.union(heads)
        if fired != expected:
            raise EngineError(
                f"{engine.name} {engine.version} and the conditions' own values disagree: "
                f"the engine fired {self._names(fired)}, the conditions hold for {self._names(expected)}."
            )
        return literals

    def _names(self, rules: Iterable[int]) -> str:
        return ", ".join(f"`{self.ids[rule]}`" for rule in sorted(rules)) or "no rule"


class _Rules:
    """The rules of one phase, judged from the literals that hold."""

    def __init__(self, plan: Plan, numbers: Sequence[int]) -> None:
        joints = [(number, compile_joint(plan.rules[number].condition)) for number in numbers]
        # most conditions are one `and` of comparisons: those are judged in the loop itself
        self.plain = tuple((number, j.need, j.deny) for number, j in joints if j.every and not j.parts)
        self.mixed: tuple[tuple[int, Joint], ...] = tuple(pair for pair in joints if not pair[1].every or pair[1].parts)
        self.lenient = [n for n in numbers if plan.rules[n].formula is not plan.rules[n].condition]

    def judge(self, held: int, results: list[bool | None]) -> set[int]:
        """Put each rule's Kleene value into `results` and return the numbers of those that fire."""
        fires: set[int] = set()
        for number, need, deny in self.plain:
            if held & deny:
                results[number] = False
            elif held & need == need:
                results[number] = True
                fires.add(number)
        for number, joint in self.mixed:
            result = results[number] = verdict(joint, held)
            if result:
                fires.add(number)
        fires.update([number for number in self.lenient if results[number] is None])
        return fires


def _judge(judges: Judges, values: Values) -> tuple[int, list[frozenset[int]]]:
    """Judge every comparison that became possible."""
    held = 0
    found: list[frozenset[int]] = []
    try:
        for judge in judges:
            mask, literals = judge.judge(values)
            held |= mask
            found.append(literals)
    except TypeError as error:
        raise _mistyped(error) from error
    return held, found


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
