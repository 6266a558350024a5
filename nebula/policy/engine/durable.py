"""Inference by durable-rules, fenced in where version 2.0.28 was measured to crash, hang or leak.

The C extension is called directly: its Python `Host` starts two timer threads and swallows the
errors of actions. What the fences are for:

- only `true` is ever sent: numbers with an exponent do not parse and strings are coerced;
- at most 60 clauses a ruleset: the process dies when more than 64 rules match one fact;
- at most 200 literals a fact: it refuses 255 fields;
- a marker field in every rule: a rule that matches the engine's own state message loops for ever;
- a last rule that always matches: `delete_state` after an unmatched fact is a segmentation fault;
- one constant session and a retraction after each fact: 1,024 live sessions exhaust it;
- a message counts only when it repeats the very fact that was sent;
- `delete_state` before `delete_ruleset`: without it 325 kB stay for every ruleset that was used;
- one lock; and a forked child starts afresh, for the fork may fall between a fact and its retraction.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterator
from importlib.metadata import version as version_of
from itertools import count
from threading import Lock
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, finalize

from nebula.errors import EngineError
from nebula.policy.engine.program import Clause, Program

__all__ = ["DurableEngine"]

MAX_RULES = 60
MAX_FIELDS = 200
_SESSION = "nebula"
_ALWAYS = "always"
_OBSERVED = 2
_ATTEMPTS = 3

_names = count()
_engines: WeakSet[DurableEngine] = WeakSet()


class _Shard:
    """One ruleset inside the C extension.

    Attributes:
        handle: The extension's number for it.
        used: A fact has gone through, so that a session exists.
    """

    def __init__(self, module: ModuleType, clauses: list[Clause]) -> None:
        self.module = module
        self.heads = {f"c{index}": clause.head for index, clause in enumerate(clauses)}
        fields = sorted({literal for clause in clauses for literal in clause.body})
        self.fields = [(literal, f',"k{literal}":true') for literal in fields]
        self.used = False
        self.handle: int = module.create_ruleset(f"nebula{next(_names)}", json.dumps(_rules(clauses)))

    def fire(self, literals: frozenset[int], identity: str) -> list[int] | None:
        """Send one fact through; None when its identity collides with one that was seen."""
        held = "".join([text for literal, text in self.fields if literal in literals])
        fact = f'{{"sid":"{_SESSION}","id":"{identity}","nebula":true{held}}}'
        code, state = self.module.assert_fact(self.handle, fact)
        self.used = True
        if code == _OBSERVED:
            return None
        if code != 0:
            raise EngineError(f"durable-rules: expected the fact to be handled, found result {code}.")
        fired = list(self._drain(state, fact))
        self.module.retract_fact(self.handle, fact)
        if not fired or fired.pop() != _ALWAYS:
            raise EngineError("durable-rules: expected the last rule to fire on every fact, and it did not.")
        return [self.heads[name] for name in fired]

    def _drain(self, state: Any, fact: str) -> Iterator[str]:
        """Yield the names of the rules that fired, each from a message that repeats the fact sent."""
        rest = f'":{{"m":{fact}}}}}'
        started = self.module.start_action_for_state(self.handle, state)
        message = started[1] if started else None
        while message:
            if not message.endswith(rest):
                raise EngineError("durable-rules: expected a rule to fire on the fact sent, found another message.")
            yield message[2 : -len(rest)]
            message = self.module.complete_and_start_action(self.handle, state)

    def delete(self) -> None:
        """Free the ruleset and its session."""
        if self.used:
            self.module.delete_state(self.handle, _SESSION)
        self.module.delete_ruleset(self.handle)


class DurableEngine:
    """durable-rules behind the engine's interface; safe for threads and after a fork.

    Raises:
        EngineError: The package is not installed.
    """

    name = "durable-rules"

    def __init__(self) -> None:
        try:
            import durable_rules_engine
        except ImportError:
            raise EngineError(
                "expected the package durable-rules, found none: "
                "`pip install durable-rules` (CPython before 3.13), or use the native engine."
            ) from None
        self.version = version_of("durable-rules")
        self._module: ModuleType = durable_rules_engine
        self.restart()
        _engines.add(self)

    def restart(self) -> None:
        """Forget every ruleset without touching it: what a forked child must do."""
        self._lock = Lock()
        self._identities = count()
        self._shards: WeakKeyDictionary[Program, dict[int, list[_Shard]]] = WeakKeyDictionary()
        # A finaliser may run inside any call, so it only queues; the next call under the lock deletes.
        self._doomed: deque[_Shard] = deque()

    def fire(self, program: Program, stratum: int, literals: frozenset[int]) -> tuple[int, ...]:
        """Return the heads that durable-rules infers, each once, in the order of the clauses.

        Raises:
            EngineError: The extension failed; its rulesets for this program are made anew next time.
        """
        with self._lock:
            self._sweep()
            heads: dict[int, None] = {}
            try:
                for shard in self._prepare(program, stratum):
                    heads.update(dict.fromkeys(self._ask(shard, literals)))
            except BaseException as error:
                self._shards.pop(program, {}).clear()  # state unknown: leak the rulesets, do not crash on them
                if isinstance(error, EngineError) or not isinstance(error, Exception):
                    raise
                raise EngineError(f"durable-rules {self.version} failed on stratum {stratum}: {error}") from error
            return tuple(heads)

    def close(self, program: Program) -> None:
        """Free the program's rulesets."""
        with self._lock:
            _doom(self._doomed, self._shards.pop(program, {}))
            self._sweep()

    def _ask(self, shard: _Shard, literals: frozenset[int]) -> list[int]:
        for _ in range(_ATTEMPTS):
            fired = shard.fire(literals, str(next(self._identities)))
            if fired is not None:
                return fired
        raise EngineError(f"durable-rules: {_ATTEMPTS} fresh facts in a row were taken for old ones.")

    def _prepare(self, program: Program, stratum: int) -> list[_Shard]:
        strata = self._shards.get(program)
        if strata is None:
            strata = self._shards[program] = {}
            finalize(program, _doom, self._doomed, strata).atexit = False
        if stratum not in strata:
            strata[stratum] = [_Shard(self._module, part) for part in _split(program.strata[stratum])]
        return strata[stratum]

    def _sweep(self) -> None:
        while self._doomed:
            self._doomed.popleft().delete()


def _doom(doomed: deque[_Shard], strata: dict[int, list[_Shard]]) -> None:
    for shards in strata.values():
        doomed.extend(shards)
    strata.clear()


def _rules(clauses: list[Clause]) -> dict[str, Any]:
    """Write clauses as rules over one marked fact, highest priority first."""
    bodies = {f"c{index}": sorted(clause.body) for index, clause in enumerate(clauses)}
    return {
        name: {"all": [{"m": {"$and": [{"nebula": True}, *({f"k{literal}": True} for literal in body)]}}], "pri": pri}
        for pri, (name, body) in enumerate({**bodies, _ALWAYS: []}.items())
    }


def _split(clauses: tuple[Clause, ...]) -> Iterator[list[Clause]]:
    """Cut a stratum into rulesets within the bounds on rules and fields."""
    part: list[Clause] = []
    fields: set[int] = set()
    for clause in clauses:
        if len(part) == MAX_RULES or len(fields | clause.body) > MAX_FIELDS:
            yield part
            part, fields = [], set()
        part.append(clause)
        fields |= clause.body
    if part:
        yield part


def _restart_all() -> None:
    for engine in tuple(_engines):
        engine.restart()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_restart_all)
