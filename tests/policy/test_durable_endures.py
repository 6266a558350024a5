"""durable-rules as a process lives with it: long, with threads, over a fork, through reloads and faults."""

from __future__ import annotations

import gc
import random
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from nebula.errors import EngineError
from nebula.policy.compiled import CompiledPolicy
from nebula.policy.engine import DurableEngine, NativeEngine
from nebula.policy.engine.program import Clause, Program
from nebula.policy.loader import loads
from tests.policy.samples import derive, policy

pytest.importorskip("durable_rules_engine", reason="durable-rules does not build on Python 3.13 and newer")

SMALL = policy(
    "size == 1 and target.mean > 0.5",
    "target.n > 10 or target.is_simplex",
    "not target.is_simplex",
    derive=[derive("d", "target.n > 5", size=1)],
)
DECISIONS = 200_000


def resident_kib() -> int:
    """Memory in use now, from the kernel's own table (the peak where there is none)."""
    table = Path("/proc/self/statm")
    if table.exists():
        return int(table.read_text(encoding="ascii").split()[1]) * resource.getpagesize() // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def profile(choose: random.Random) -> dict[str, Any]:
    return {
        "target.n": choose.choice([None, 1, 6, 11]),
        "target.mean": choose.choice([None, 0.1, 1e-05, 0.9]),
        "target.is_simplex": choose.choice([None, True, False]),
    }


def expected(compiled: CompiledPolicy, facts: dict[str, Any]) -> tuple[str, ...]:
    return compiled.evaluate(facts, NativeEngine()).fired


def test_two_hundred_thousand_decisions_leave_no_trace() -> None:
    """Straight at the engine: every decision is compared with the twin, memory must stay flat."""
    engine, native = DurableEngine(), NativeEngine()
    program = loads(SMALL)._plan.program
    strata = [index for index, clauses in enumerate(program.strata) if clauses]
    choose = random.Random(1)  # noqa: S311
    cases = []
    for _ in range(500):
        stratum = choose.choice(strata)
        literals = frozenset(choose.sample(range(program.first_rule), choose.randrange(program.first_rule)))
        cases.append((stratum, literals, native.fire(program, stratum, literals)))
    before = 0
    for turn in range(DECISIONS):
        stratum, literals, fired = cases[turn % len(cases)]
        assert engine.fire(program, stratum, literals) == fired
        if turn == DECISIONS // 10:
            before = resident_kib()
    assert resident_kib() - before < 2_000
    engine.close(program)


def test_eight_threads_share_one_engine() -> None:
    engine = DurableEngine()
    compiled = [loads(SMALL), loads(policy("target.mean <= 1e-05", "known(target.n)"))]
    barrier = threading.Barrier(8)

    def work(seed: int) -> int:
        choose = random.Random(seed)  # noqa: S311
        barrier.wait()
        wrong = 0
        for turn in range(400):
            facts, chosen = profile(choose), compiled[turn % 2]
            wrong += chosen.evaluate(facts, engine).fired != expected(chosen, facts)
        return wrong

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [0] * 8


FORKING = """
import os, random, sys, threading, warnings
from nebula.policy.engine import default_engine
from nebula.policy.loader import loads

warnings.simplefilter("ignore", DeprecationWarning)  # CPython 3.12 warns of forks with threads: that is the test
compiled = loads(sys.stdin.read())
facts = {"target.n": 11, "target.mean": 0.9, "target.is_simplex": False}
right = compiled.evaluate(facts).fired
assert right == ("r0", "r1", "r2") and default_engine().name == "durable-rules"
stop = threading.Event()

def busy():
    while not stop.is_set():
        compiled.evaluate(facts)

threads = [threading.Thread(target=busy, daemon=True) for _ in range(3)]
[thread.start() for thread in threads]
for _ in range(25):
    child = os.fork()
    if child == 0:
        ok = all(compiled.evaluate(facts).fired == right for _ in range(20))
        ok = ok and loads(open(os.devnull).read() or TEXT).evaluate(facts).fired == right
        os._exit(0 if ok else 3)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, status
    assert compiled.evaluate(facts).fired == right
stop.set()
[thread.join() for thread in threads]
print("done")
"""


@pytest.mark.timeout(120)
def test_a_forked_child_decides_though_threads_of_the_parent_were_busy() -> None:
    code = FORKING.replace("open(os.devnull).read() or TEXT", repr(SMALL))
    done = subprocess.run(
        [sys.executable, "-c", code], input=SMALL, capture_output=True, text=True, timeout=100, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "done"), done.stderr


def programs(count: int) -> Iterator[Program]:
    """Distinct programs of twenty rules, as that many loaded policies would bring."""
    for number in range(count):
        clauses = tuple(
            Clause(200 + rule, frozenset({2 * rule, 2 * rule + 2, 2 * (number % 90)})) for rule in range(20)
        )
        yield Program(f"p{number}", (clauses,), (range(1),), 200, 20)


def test_three_thousand_programs_come_and_go_without_a_leak() -> None:
    engine = DurableEngine()
    before = 0
    everything = frozenset(range(0, 200, 2))
    for number, program in enumerate(programs(3_000)):
        assert engine.fire(program, 0, everything) == tuple(range(200, 220))
        assert engine.fire(program, 0, frozenset()) == ()
        if number == 300:
            gc.collect()
            before = resident_kib()
    del program
    gc.collect()
    assert resident_kib() - before < 20_000
    assert len(engine._shards) == 0


def test_policies_that_are_loaded_again_share_one_ruleset() -> None:
    engine = DurableEngine()
    first = loads(SMALL)
    first.evaluate({"target.n": 11}, engine)
    (kept,) = engine._shards.values()
    for _ in range(50):
        assert loads(SMALL).evaluate({"target.n": 11}, engine).fired == ("r1",)
    assert list(engine._shards.values()) == [kept]


def test_a_policy_that_is_dropped_frees_its_rulesets() -> None:
    engine = DurableEngine()
    # equal programs are one object: these clauses are shared with no other policy of the suite
    odd = " or ".join(f"(target.n > {n} and not target.mean > {n})" for n in range(11))
    compiled = loads(policy(odd))
    compiled.evaluate({"target.n": 1}, engine)
    del compiled
    gc.collect()
    assert (len(engine._shards), len(engine._doomed)) == (0, 1)
    kept = loads(SMALL)
    kept.evaluate({}, engine)
    assert len(engine._doomed) == 0


def test_a_closed_program_is_made_again_on_use() -> None:
    engine, compiled = DurableEngine(), loads(SMALL)
    for _ in range(3):
        assert compiled.evaluate({"target.n": 11}, engine).fired == ("r1",)
        engine.close(compiled._plan.program)
        engine.close(compiled._plan.program)
        assert len(engine._shards) == 0


def test_no_thread_is_started() -> None:
    before = threading.active_count()
    loads(SMALL).evaluate({}, DurableEngine())
    assert threading.active_count() == before


class Faulty:
    """The C extension, with one function that fails a few times."""

    def __init__(self, module: Any, function: str, times: int, result: Any) -> None:
        self.module, self.function, self.times, self.result = module, function, times, result

    def __getattr__(self, name: str) -> Any:
        if name != self.function or self.times == 0:
            return getattr(self.module, name)
        self.times -= 1

        def fail(*_: Any) -> Any:
            if isinstance(self.result, BaseException):
                raise self.result
            return self.result

        return fail


FAULTS = [
    ("create_ruleset", RuntimeError("Could not create ruleset, error code: 102"), "error code: 102"),
    ("assert_fact", RuntimeError("Could not assert fact, error code: 302"), "error code: 302"),
    ("assert_fact", (1, 0), "found result 1"),
    ("start_action_for_state", None, "the last rule"),
    ("start_action_for_state", MemoryError(), "failed on stratum"),
    ("complete_and_start_action", RuntimeError("error code: 307"), "error code: 307"),
    ("complete_and_start_action", '{"c0":{"m":{"sid":"nebula","id":"another"}}}', "another message"),
    ("retract_fact", RuntimeError("error code: 301"), "error code: 301"),
]


@pytest.mark.parametrize(
    ("function", "result", "part"), FAULTS, ids=[f"{name}-{part[:12]}" for name, _, part in FAULTS]
)
def test_a_fault_of_the_extension_is_told_and_does_not_stick(function: str, result: Any, part: str) -> None:
    engine, compiled = DurableEngine(), loads(SMALL)
    engine._module = Faulty(engine._module, function, 1, result)  # type: ignore[assignment]
    with pytest.raises(EngineError, match=part):
        compiled.evaluate({"target.n": 11}, engine)
    assert compiled.evaluate({"target.n": 11}, engine).fired == ("r1",)


@pytest.mark.parametrize("function", ["assert_fact", "complete_and_start_action"])
def test_an_interrupt_passes_through_and_leaves_the_engine_usable(function: str) -> None:
    engine, compiled = DurableEngine(), loads(SMALL)
    engine._module = Faulty(engine._module, function, 1, KeyboardInterrupt())  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        compiled.evaluate({"target.n": 11}, engine)
    assert compiled.evaluate({"target.n": 11}, engine).fired == ("r1",)


@pytest.mark.parametrize(("times", "fires"), [(2, True), (3, False)])
def test_a_fact_taken_for_an_old_one_is_sent_again_under_a_fresh_name(*, times: int, fires: bool) -> None:
    engine, compiled = DurableEngine(), loads(policy("target.n > 1"))
    engine._module = Faulty(engine._module, "assert_fact", times, (2, 0))  # type: ignore[assignment]
    if fires:
        assert compiled.evaluate({"target.n": 11}, engine).fired == ("r0",)
    else:
        with pytest.raises(EngineError, match="3 fresh facts in a row"):
            compiled.evaluate({"target.n": 11}, engine)


def test_without_the_package_the_native_engine_decides() -> None:
    code = (
        "import sys; sys.modules['durable_rules_engine'] = None\n"
        "from nebula.policy.engine import default_engine, DurableEngine\n"
        "from nebula.errors import EngineError\n"
        "print(default_engine().name)\n"
        "try: DurableEngine()\n"
        "except EngineError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout.startswith("native\nexpected the package durable-rules, found none"), done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize("width", [1, 7, 40, 200])
def test_no_ruleset_exceeds_what_the_extension_survives(width: int) -> None:
    """Above 64 matching rules the heap is corrupted, which may go unnoticed: so the sizes are read off."""
    clauses = tuple(Clause(9_000 + i, frozenset(range(i % 50, i % 50 + width))) for i in range(300))
    program = Program("wide", (clauses,), (range(1),), 9_000, 300)
    engine = DurableEngine()
    assert engine.fire(program, 0, frozenset(range(300))) == tuple(range(9_000, 9_300))
    (shards,) = engine._shards[program].values()
    assert sum(len(shard.heads) for shard in shards) == 300
    assert all(len(shard.heads) <= 63 and len(shard.fields) <= 240 for shard in shards)
