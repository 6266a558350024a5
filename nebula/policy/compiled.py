"""A checked policy, ready to say which of its rules hold on a profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from nebula.policy.checks import compile_file
from nebula.policy.engine import default_engine
from nebula.policy.evaluation import Evaluation, RuleOutcome
from nebula.policy.expression.evaluate import ComparisonOutcome
from nebula.policy.inference import Inference, holding
from nebula.policy.model import DeriveRule, PolicyFile, SelectRule
from nebula.policy.plan import Plan
from nebula.profiling.vocabulary import FactValue

if TYPE_CHECKING:
    from nebula.policy.engine.base import InferenceEngine

__all__ = ["ComparisonOutcome", "CompiledPolicy", "Evaluation", "RuleOutcome", "RuleText"]


class RuleText(NamedTuple):
    """A rule's condition as written.

    Attributes:
        text: Source text of the condition, on one line.
        file: The file it stands in.
        line: 1-based line of the rule.
    """

    text: str
    file: str
    line: int


class CompiledPolicy:
    """A policy whose every name, type and loss was checked when it was loaded.

    Attributes:
        file: The resolved policy: everything inherited put in.
        source: The policy as the user named it.
        digest: Content hash of the resolved policy with its parameters.
        parameters: Effective parameters.
    """

    def __init__(
        self,
        file: PolicyFile,
        plan: Plan,
        texts: Mapping[str, RuleText],
        *,
        source: str,
        digest: str,
        parameters: Mapping[str, bool | int | float | str],
    ) -> None:
        self.file, self.source, self.digest = file, source, digest
        self.parameters = dict(parameters)
        self._plan, self._texts = plan, dict(texts)
        self._select = {rule.id: rule for rule in file.select}
        self._rules: tuple[DeriveRule | SelectRule, ...] = (*file.derive, *file.select)
        self._ids = tuple(rule.id for rule in self._rules)
        self._inference = Inference(plan, self._ids, len(file.derive))

    def __repr__(self) -> str:
        """Name, version, digest."""
        return f"CompiledPolicy({self.file.name} {self.file.version}, {self.digest})"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle what was checked; the compiled closures are made again in the other process."""
        return _restore, (self.file, self._texts, self.source, self.digest, self.parameters)

    def __deepcopy__(self, memo: object) -> CompiledPolicy:
        """A checked policy never changes, so a copy is the policy itself."""
        return self

    @property
    def plan(self) -> Plan:
        """The compiled conditions; rules are numbered derive rules first, in file order."""
        return self._plan

    def rule(self, rule_id: str) -> SelectRule:
        """Return the select rule of that id.

        Raises:
            KeyError: There is none.
        """
        return self._select[rule_id]

    def position(self, rule_id: str) -> tuple[str, int]:
        """Return (file, line) of a derive or select rule.

        Raises:
            KeyError: There is no such rule.
        """
        found = self._texts[rule_id]
        return found.file, found.line

    def text(self, rule_id: str) -> str:
        """Return the source text of a rule's condition.

        Raises:
            KeyError: There is no such rule.
        """
        return self._texts[rule_id].text

    def evaluate(self, facts: Mapping[str, FactValue], engine: InferenceEngine | None = None) -> Evaluation:
        """Judge every rule, with the evidence for a record of every comparison.

        Args:
            facts: Values by dotted name; a missing, None or NaN one is unknown.
            engine: Who infers; the process's default when None.

        Returns:
            All outcomes, and the rules that hold.

        Raises:
            EngineError: The engine failed, or inferred otherwise than the conditions' own values say.
            DataError: A fact's value is of another type than the vocabulary says.
        """
        return self._inference.run(facts, engine or default_engine())

    def outcome_only(self, facts: Mapping[str, FactValue]) -> tuple[str, ...]:
        """Return the ids of the select rules that hold, in order: fast, unrecorded, no engine.

        Args:
            facts: As for `evaluate`.

        Raises:
            DataError: A fact's value is of another type than the vocabulary says.
        """
        return tuple([self._ids[index] for index in holding(self._plan, facts)])


def _restore(
    file: PolicyFile,
    texts: Mapping[str, RuleText],
    source: str,
    digest: str,
    parameters: Mapping[str, bool | int | float | str],
) -> CompiledPolicy:
    plan = compile_file(file, parameters, source)
    return CompiledPolicy(file, plan, texts, source=source, digest=digest, parameters=parameters)
