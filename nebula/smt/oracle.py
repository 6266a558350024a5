"""A solver that knows policies and the vocabulary's laws, and is asked one question after the other."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from nebula.policy.compiled import CompiledPolicy
from nebula.policy.invariants import INVARIANTS
from nebula.profiling.vocabulary import vocabulary
from nebula.smt.encoding import EncodedPolicy, Truth, encode_condition
from nebula.smt.solver import z3
from nebula.smt.values import FactTable

__all__ = ["Oracle"]

# z3's own unit of work, so that load decides nothing; the hardest question of a shipped policy takes 100,000 of them.
_EFFORT = 10_000_000
_MODEST = 1000
_STEPS = 1024
_ROUNDING_EFFORT = 1_000_000  # z3's own unit of work, so that the same model comes out on every machine


class Oracle:
    """Says whether a profile can be such, and shows one.

    Args:
        laws: Conditions that are false of no profile; the vocabulary's own when left out.

    Attributes:
        facts: The variables.
        questions: How often it was asked.
        seconds: Time spent in the solver.
        undecided: Questions on which the solver gave up.
    """

    def __init__(self, laws: Iterable[str] | None = None) -> None:
        self.facts = FactTable()
        self.questions, self.seconds = 0, 0.0
        self.undecided: list[str] = []
        self._solver: Any = None
        self._rounded: Any = None
        self._given: list[Any] = [
            z3.Not(encode_condition(law, self.facts)[1])
            for law in (laws if laws is not None else (law.condition for law in INVARIANTS))
        ]
        self._number = 0
        self._modest = z3.Bool("modest")

    def learn(self, policy: CompiledPolicy) -> EncodedPolicy:
        """Encode a policy; all policies and conditions come before the first question."""
        self._number += 1
        encoded = EncodedPolicy(policy, self.facts, prefix=f"{self._number} ")
        self._given += encoded.definitions
        return encoded

    def condition(self, text: str) -> Truth:
        """Encode a condition over facts: when it is true, and when it is false."""
        return encode_condition(text, self.facts)

    def find(self, *wanted: Any, about: str, rounded: bool = False) -> Any | None:
        """Return a model in which all that is wanted holds, or None when no profile is such.

        A model with small numbers is preferred: people read them, and the engine may list labels.

        Args:
            wanted: z3 conditions.
            about: The question in words, kept when the solver gives up.
            rounded: Prefer round numbers too, so that no threshold is missed by a rounding; slower.
        """
        solver = self._ready()
        started = time.perf_counter()
        model = solver.model() if self._ask(wanted, about) == z3.sat else None
        if rounded and model is not None and self._rounded.check(*wanted) == z3.sat:
            model = self._rounded.model()
        self.seconds += time.perf_counter() - started
        return model

    def possible(self, *wanted: Any, about: str) -> bool:
        """Say whether some profile may have all that is wanted: only a proof says no. Makes no model.

        Args:
            wanted: z3 conditions.
            about: The question in words, kept when the solver gives up.
        """
        self._ready()
        started = time.perf_counter()
        answer = self._ask(wanted, about)
        self.seconds += time.perf_counter() - started
        return bool(answer != z3.unsat)

    def _ask(self, wanted: Sequence[Any], about: str) -> Any:
        answer = self._solver.check(*wanted, self._modest)
        if answer != z3.sat:
            answer = self._solver.check(*wanted)
        self.questions += 1
        if answer == z3.unknown:
            self.undecided.append(about)
        return answer

    def blockers(self, wanted: Any, barred: Sequence[Any]) -> list[int]:
        """Return a smallest set of places whose being barred makes what is wanted impossible.

        Args:
            wanted: A z3 condition that cannot hold when all of `barred` are false.
            barred: z3 truth values.
        """
        solver = self._ready()
        kept = list(range(len(barred)))
        for place in list(kept):
            fewer = [other for other in kept if other != place]
            self.questions += 1
            if solver.check(wanted, *(z3.Not(barred[other]) for other in fewer)) == z3.unsat:
                kept = fewer
        return kept

    def _ready(self) -> Any:
        if self._solver is None:
            given = [*self._given, *self.facts.axioms()]
            numbers = {n: v for n, v in self.facts.value.items() if vocabulary()[n].kind in ("int", "float")}
            bounds = [z3.And(value >= -_MODEST, value <= _MODEST) for value in numbers.values()]
            grid = [z3.IsInt(v * _STEPS) for name, v in numbers.items() if vocabulary()[name].kind == "float"]
            self._solver, self._rounded = z3.Solver(), z3.Solver()
            self._solver.set("rlimit", _EFFORT)
            self._solver.add(*given, z3.Implies(self._modest, z3.And(bounds)))
            self._rounded.set("rlimit", _ROUNDING_EFFORT)
            self._rounded.add(*given, *bounds, *grid)
        return self._solver
