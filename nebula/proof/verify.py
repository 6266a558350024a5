"""Questions about one policy over all profiles, and their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from nebula.decision.policy import Policy
from nebula.errors import DecisionError, NebulaError
from nebula.policy.compiled import CompiledPolicy
from nebula.policy.loader import loads
from nebula.policy.model import SelectRule, ServeChoice, Use
from nebula.profiling.model import DataProfile
from nebula.profiling.vocabulary import FactValue, facts_of, vocabulary
from nebula.proof.overlaps import Overlap, find_overlaps
from nebula.proof.report import Finding, Kind, Verification, Witness
from nebula.smt.clauses import Breach, breaches
from nebula.smt.oracle import Oracle
from nebula.smt.solver import z3
from nebula.smt.witness import essential_facts, read_profile

__all__ = ["verify"]

_UNDECLARED = (
    "not known(hints.task) and not known(hints.ignore_value) and not known(hints.censored) "
    "and not known(hints.heteroscedastic)"
)

Still = Callable[[Mapping[str, FactValue]], bool]


def verify(policy: CompiledPolicy, *, show_notes: bool = True) -> Verification:
    """Prove what can be proved of a policy, and show a profile for each thing that can go wrong.

    The proofs are over all profiles that keep the laws in `nebula.policy.invariants`, with numbers
    taken as real numbers: the rounding of arithmetic inside conditions is left out of account.

    Args:
        policy: A loaded policy.
        show_notes: Give notes a witness too; finding and checking these takes a third of the time.

    Returns:
        Faults first, then notes; every witness was put to the real engine.
    """
    return _Verifier(policy, show_notes=show_notes).run()


class _Verifier:
    def __init__(self, policy: CompiledPolicy, *, show_notes: bool = True) -> None:
        self.policy, self.file, self.show_notes = policy, policy.file, show_notes
        self.oracle = Oracle()
        self.encoded = self.oracle.learn(policy)
        self.n_derive = len(self.file.derive)
        self.ids = [*(rule.id for rule in self.file.derive), *(rule.id for rule in self.file.select)]
        self.select = self.encoded.holds[self.n_derive :]
        self.undeclared = self.oracle.condition(_UNDECLARED)[0]
        self.seen = self.oracle.condition("known(target.mean)")[0]
        self.breaches: list[list[tuple[Breach, Any]]] = [
            [(breach, self.oracle.condition(breach.when)[0]) for breach in breaches(rule.use)] if rule.use else []
            for rule in self.file.select
        ]
        self.models: list[Any] = []

    def run(self) -> Verification:
        """Ask everything."""
        found = [
            *self._comparisons(),
            *self._derive_rules(),
            *self._select_rules(),
            *self._gaps(),
            *self._overlaps(),
        ]
        return Verification(
            policy=self.file.name,
            version=self.file.version,
            digest=self.policy.digest,
            findings=tuple(sorted(found, key=lambda finding: finding.severity)),
            undecided=tuple(self.oracle.undecided),
            questions=self.oracle.questions,
            solver_seconds=round(self.oracle.seconds, 3),
        )

    def _finding(self, kind: Kind, rule: str | None, message: str, **other: Any) -> Finding:
        file, line = self.policy.position(rule) if rule else (self.policy.source, 0)
        return Finding(kind=kind, rule=rule, message=message, file=file, line=line, **{"severity": "fault", **other})

    def _witness(self, model: Any, still: Still, confirmed: Callable[[DataProfile], bool] | None = None) -> Witness:
        profile = read_profile(model, self.oracle.facts)
        good = still(facts_of(profile)) and (confirmed is None or confirmed(profile))
        return Witness(facts=essential_facts(profile, still), profile=profile, confirmed=good)

    def _comparisons(self) -> Iterator[Finding]:
        """A comparison whose outcome no profile can change says nothing, or the opposite of what was meant."""
        plan = self.policy.plan
        for number, atom in enumerate(plan.atoms):
            truth = self.encoded.atoms[number]
            for outcome, name in ((0, "never true"), (1, "never false")):
                if truth and not self.oracle.possible(truth[outcome], about=f"`{atom.text}` {name}"):
                    where = [
                        rule for rule, compiled in zip(self.ids, plan.rules, strict=True) if number in compiled.atoms
                    ]
                    severity = "fault" if outcome == 0 else "note"
                    message = f"`{atom.text}` is {name}, whatever the data"
                    kind: Kind = "never true" if outcome == 0 else "never false"
                    yield self._finding(kind, where[0], message, others=tuple(where[1:]), severity=severity)

    def _derive_rules(self) -> Iterator[Finding]:
        """A derive rule that is never applied sets nothing."""
        for number, rule in enumerate(self.file.derive):
            holds = self.encoded.holds[number]
            earlier = [n for n in range(number) if set(rule.set) <= set(self.file.derive[n].set)]
            yield from self._reach(number, rule.id, holds, earlier)

    def _select_rules(self) -> Iterator[Finding]:
        for place, rule in enumerate(self.file.select):
            number = self.n_derive + place
            dead = list(self._reach(number, rule.id, self.select[place], range(self.n_derive, number)))
            yield from dead
            if not dead and rule.use:
                yield from self._contract(place, rule)
                yield from self._references(place, rule, rule.use)

    def _reach(self, number: int, rule: str, holds: Any, earlier: Any) -> Iterator[Finding]:
        earlier = list(earlier)
        before = [self.encoded.holds[other] for other in earlier]
        model = self.oracle.find(holds, *map(z3.Not, before), about=f"rule `{rule}` is reached")
        if model is not None:
            self.models.append(model)
        elif rule_never := self.oracle.find(holds, about=f"rule `{rule}` holds"):
            self.models.append(rule_never)
            shadows = tuple(self.ids[earlier[place]] for place in self.oracle.blockers(holds, before))
            names = ", ".join(f"`{other}`" for other in shadows)
            yield self._finding("shadowed", rule, f"never decides: whenever it holds, {names} did", others=shadows)
        else:
            yield self._finding("contradictory", rule, "no profile can make its condition true")

    def _contract(self, place: int, rule: SelectRule) -> Iterator[Finding]:
        """Ask for a profile that reaches the rule and that its loss cannot take."""
        for breach, when in self.breaches[place]:
            about = f"rule `{rule.id}` with {breach.clause} broken"
            wanted = [self.encoded.first[place], when]
            declared = not self.oracle.possible(*wanted, self.undeclared, about=about)
            if declared and not self.oracle.possible(*wanted, about=about):
                continue
            loss = rule.use.loss if rule.use else ""
            message = f"reached by data that break the contract of {loss}: {breach.clause}"
            if declared:
                message += "; only where a declaration contradicts the data, which the decision refuses"
            elif breach.about == "layout":
                message += "; the decision refuses them and names the shapes"
            severity = "fault" if breach.about == "values" and not declared else "note"
            witness = None
            if severity == "fault" or self.show_notes:
                wanted += [] if declared else [self.undeclared]
                model = self.oracle.find(*wanted, about=about, rounded=breach.about == "values")
                if model is None:  # the solver gave up, which is told as such
                    continue
                refused = self._refused(rule) if severity == "fault" else None
                witness = self._witness(model, self._is_first(rule.id, breach.when), refused)
            yield self._finding(breach.about, rule.id, message, severity=severity, witness=witness)

    def _references(self, place: int, rule: SelectRule, use: Use) -> Iterator[Finding]:
        """Ask for a profile on which a value that the choice refers to is unknown."""
        for name in _facts_referred(use):
            unknown = self.oracle.condition(f"not known({name})")[0]
            model = self.oracle.find(
                self.encoded.first[place], unknown, about=f"rule `{rule.id}` without {name}", rounded=True
            )
            if model is not None:
                still = self._is_first(rule.id, f"not known({name})")
                witness = self._witness(model, still, self._refused(rule))
                yield self._finding(
                    "reference", rule.id, f"can fire while `${name}` is unknown: test `known({name})`", witness=witness
                )

    def _gaps(self) -> Iterator[Finding]:
        """A gap is a fault unless `otherwise` says what to do."""
        otherwise = self.file.otherwise
        if otherwise is not None and otherwise.use is not None:
            return
        nothing = [z3.Not(holds) for holds in self.select]
        model = self.oracle.find(*nothing, self.seen, about="a gap", rounded=True)
        if model is None and otherwise is None:
            model = self.oracle.find(*nothing, about="a gap", rounded=True)
        if model is not None:
            end = "there is no `otherwise`" if otherwise is None else "`otherwise` answers with its error"
            witness = self._gap_witness(read_profile(model, self.oracle.facts))
            severity = "fault" if otherwise is None else "note"
            yield self._finding("gap", None, f"no rule holds, and {end}", severity=severity, witness=witness)

    def _gap_witness(self, profile: DataProfile) -> Witness:
        """Leaving facts out would only widen a gap, so all that the policy reads are told."""
        facts = facts_of(profile)
        told = {name: facts[name] for name in self.policy.plan.facts if facts[name] is not None}
        return Witness(facts=told, profile=profile, confirmed=not self.policy.outcome_only(facts))

    def _overlaps(self) -> Iterator[Finding]:
        """Two rules that name different losses and can both hold: the order decides, or nothing does."""
        ids = [rule.id for rule in self.file.select]
        losses = [rule.use.loss if rule.use else None for rule in self.file.select]
        unique = self.file.hit_policy == "unique"
        for overlap in find_overlaps(self.oracle, self.select, losses, self.models, all_of_them=unique):
            yield self._overlap(overlap, ids, losses, unique=unique)

    def _overlap(self, overlap: Overlap, ids: list[str], losses: list[str | None], *, unique: bool) -> Finding:
        first, second = ids[overlap.first], ids[overlap.second]
        end = "but `hit_policy: unique` lets only one" if unique else f"`{first}` decides, as it comes first"
        message = (
            f"`{first}` ({losses[overlap.first] or 'no loss'}) and `{second}` ({losses[overlap.second] or 'no loss'}) "
            f"can hold together: {end}"
        )

        def both(facts: Mapping[str, FactValue]) -> bool:
            return {first, second} <= set(self.policy.outcome_only(facts))

        severity = "fault" if unique else "note"
        if severity == "note" and not self.show_notes:
            return self._finding("overlap", first, message, others=(second,), severity=severity)
        witness = self._witness(overlap.model, both)
        if not witness.confirmed:  # a number so near its threshold that a float cannot hold it
            wanted = (self.select[overlap.first], self.select[overlap.second])
            witness = self._witness(self.oracle.find(*wanted, about=message, rounded=True), both)
        return self._finding("overlap", first, message, others=(second,), severity=severity, witness=witness)

    def _is_first(self, rule: str, condition: str) -> Still:
        """The rule fires first, and the condition holds, both by the real engine."""
        judge = _judge(condition)
        return lambda facts: self.policy.outcome_only(facts)[:1] == (rule,) and judge(facts)

    def _refused(self, rule: SelectRule) -> Callable[[DataProfile], bool]:
        def refused(profile: DataProfile) -> bool:
            try:
                Policy(self.policy).decide(profile)
            except DecisionError:
                return True
            except NebulaError as error:
                return f"rule `{rule.id}`" in str(error)
            return False

        return refused


@cache
def _judge(condition: str) -> Still:
    """Compile a condition as a policy of one rule, so that the real evaluator judges it."""
    text = (
        "apiVersion: nebula/v1\nname: judge\nversion: 1.0.0\nselect:\n"
        f"  - id: holds\n    when: >-\n      {condition}\n    because: Judged.\n"
        "    ambiguous: {between: [a, b], ask: Nothing.}\n"
    )
    compiled = loads(text)
    return lambda facts: compiled.outcome_only(facts) == ("holds",)


def _facts_referred(use: Use) -> list[str]:
    serve = [use.serve.threshold, use.serve.quantile] if isinstance(use.serve, ServeChoice) else []
    values = (value for value in (*use.params.values(), *serve) if isinstance(value, str) and value.startswith("$"))
    return [value[1:] for value in values if value[1:] in vocabulary()]
