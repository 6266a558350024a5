"""Time of one decision: nebula with its full trace beside other policy engines, in one run.

    make bench-policy

20 rules of 3 comparisons (a float, an integer, a string) over 40 facts, three profiles: the last
rule fires after all comparisons, the first fires, none fires. Contenders are checked against the
expected rule on every profile, then timed in turn, in a shuffled order; ratios are medians over
rounds of times of the same round. Writes benchmarks/results/policy_engines.json.

"Full trace": every rule and every comparison is judged, the engine infers the rules beside, both are
compared, and what is returned holds the frozen evidence from which each comparison's record (text,
outcome, values, threshold, distance) is written when it is read, without a rule being judged again.
"Trace read": the records of all comparisons are written as Python objects, too, as zen-engine's trace
is. "Trace as JSON": they are written as the `rules` of a decision's trace and those as JSON.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import arta
import celpy
import rule_engine
import zen
from pydantic import TypeAdapter

from nebula.decision.record import record_rules
from nebula.decision.trace import RuleTrace
from nebula.policy.engine import NativeEngine, default_engine
from nebula.policy.loader import loads
from nebula.profiling.vocabulary import vocabulary

RESULT = Path(__file__).parent / "results" / "policy_engines.json"
RULES, FACTS = 20, 40
TASKS = ("regression",) * (RULES - 1) + ("count",)

_RULES = TypeAdapter(tuple[RuleTrace, ...])

Facts = dict[str, Any]
Decide = Callable[[Facts], str | None]


def thresholds(rule: int) -> tuple[float, int, str]:
    """The rule holds when mean > the first, n <= the second and the task is the third."""
    return 0.01 * rule, 10_000 + rule, TASKS[rule]


def profiles() -> dict[str, tuple[Facts, str | None]]:
    """40 known facts by dotted name, and the rule that must fire."""
    numbers = [f.name for f in vocabulary().values() if f.kind == "float" and f.name != "target.mean"][: FACTS - 3]
    filler = dict.fromkeys(numbers, 0.5)
    base = {**filler, "target.mean": 0.9, "target.n": 500, "hints.task": "count"}
    return {
        "last": (base, f"r{RULES - 1}"),
        "first": ({**base, "hints.task": "regression"}, "r0"),
        "none": ({**base, "hints.task": "binary"}, None),
    }


def nebula_engines() -> dict[str, Decide]:
    """Evaluation of every rule with the evidence of every comparison, and written; and the unrecorded fast path."""
    rules = "\n".join(
        f"  - {{id: r{i}, when: 'target.mean > {m} and target.n <= {n} and hints.task == \"{task}\"', "
        "use: {loss: MSELoss}, because: benchmark}"
        for i, (m, n, task) in enumerate(map(thresholds, range(RULES)))
    )
    compiled = loads(f"apiVersion: nebula/v1\nname: bench\nversion: 1.0.0\nselect:\n{rules}\n")

    def recorded(engine: Any) -> Decide:
        return lambda facts: next(iter(compiled.evaluate(facts, engine).fired), None)

    def read(facts: Facts) -> str | None:
        evaluation = compiled.evaluate(facts, NativeEngine())
        return next((rule.id for rule in evaluation.select if rule.fires), None)

    def serialised(facts: Facts) -> str | None:
        evaluation = compiled.evaluate(facts, NativeEngine())
        _RULES.dump_json(record_rules(compiled, evaluation))
        return next(iter(evaluation.fired), None)

    return {
        "nebula native, full trace": recorded(NativeEngine()),
        "nebula native, trace read": read,
        "nebula native, trace as JSON": serialised,
        f"nebula {default_engine().name}, full trace": recorded(default_engine()),
        "nebula, rules only": lambda facts: next(iter(compiled.outcome_only(facts)), None),
    }


def flat(facts: Facts) -> Facts:
    """Names without dots, which every engine can read."""
    return {name.replace(".", "_"): value for name, value in facts.items()}


def zen_engines() -> dict[str, Decide]:
    """A decision table with hit policy first, loaded once."""
    rows = [
        {"_id": str(i), "m": f"> {m}", "n": f"<= {n}", "t": f'"{task}"', "o": f'"r{i}"'}
        for i, (m, n, task) in enumerate(map(thresholds, range(RULES)))
    ]
    fields = {"m": "target_mean", "n": "target_n", "t": "hints_task"}
    table = {
        "hitPolicy": "first",
        "inputs": [{"id": key, "name": name, "field": name} for key, name in fields.items()],
        "outputs": [{"id": "o", "name": "rule", "field": "rule"}],
        "rules": rows,
    }
    nodes = [
        {"id": "in", "name": "in", "type": "inputNode"},
        {"id": "table", "name": "table", "type": "decisionTableNode", "content": table},
        {"id": "out", "name": "out", "type": "outputNode"},
    ]
    edges = [
        {"id": "a", "type": "edge", "sourceId": "in", "targetId": "table"},
        {"id": "b", "type": "edge", "sourceId": "table", "targetId": "out"},
    ]
    engine = zen.ZenEngine({"loader": {"type": "static", "content": {"p": {"nodes": nodes, "edges": edges}}}})

    def decide(options: dict[str, bool]) -> Decide:
        return lambda facts: (engine.evaluate("p", facts, options)["result"] or {}).get("rule")

    return {"zen-engine": decide({}), "zen-engine, trace": decide({"trace": True})}


def text_of(rule: int, *, conjunction: str) -> str:
    """One rule's condition in another engine's syntax."""
    m, n, task = thresholds(rule)
    return f" {conjunction} ".join((f"target_mean > {m}", f"target_n <= {n}", f'hints_task == "{task}"'))


def rule_engine_engine() -> dict[str, Decide]:
    """One compiled expression a rule, in order, stopping at the first that holds."""
    compiled = [rule_engine.Rule(text_of(i, conjunction="and")) for i in range(RULES)]
    return {"rule-engine": lambda facts: next((f"r{i}" for i, r in enumerate(compiled) if r.matches(facts)), None)}


def cel_engine() -> dict[str, Decide]:
    """One compiled program a rule, in order; facts are converted once a decision."""
    environment = celpy.Environment()
    programs = [environment.program(environment.compile(text_of(i, conjunction="&&"))) for i in range(RULES)]

    def decide(facts: Facts) -> str | None:
        activation = celpy.json_to_cel(facts)
        return next((f"r{i}" for i, p in enumerate(programs) if p.evaluate(activation)), None)

    return {"cel-python": decide}


def arta_engine() -> dict[str, Decide]:
    """Rules of Python functions; arta stops at the first that holds."""

    def holds(mean: float, n: int, task: str, limits: tuple[float, int, str]) -> bool:
        return mean > limits[0] and n <= limits[1] and task == limits[2]

    inputs = {"mean": "input.target_mean", "n": "input.target_n", "task": "input.hints_task"}
    rules: dict[str, Any] = {
        f"r{i}": {
            "condition": holds,
            "condition_parameters": {**inputs, "limits": thresholds(i)},
            "action": lambda rule: rule,
            "action_parameters": {"rule": f"r{i}"},
        }
        for i in range(RULES)
    }
    rules["none"] = {"condition": None, "condition_parameters": None, "action": lambda: None, "action_parameters": {}}
    engine = arta.RulesEngine(rules_dict={"pick": rules})
    return {"arta": lambda facts: engine.apply_rules(facts)["pick"]}


def measure(rounds: int, batch: int) -> list[dict[str, Any]]:
    """Return one row per contender and profile."""
    ours = nebula_engines()
    others = {**zen_engines(), **rule_engine_engine(), **cel_engine(), **arta_engine()}
    rows: list[dict[str, Any]] = []
    for name, (facts, expected) in profiles().items():
        asked = {**dict.fromkeys(ours, facts), **dict.fromkeys(others, flat(facts))}
        contenders = {**ours, **others}
        for who, decide in contenders.items():
            if decide(asked[who]) != expected:
                raise SystemExit(f"{who}: expected {expected} on profile {name!r}, found {decide(asked[who])}")
        times: dict[str, list[float]] = {who: [] for who in contenders}
        order = list(contenders)
        shuffle = random.Random(0).shuffle
        for _ in range(rounds):
            shuffle(order)
            for who in order:
                decide, asked_facts = contenders[who], asked[who]
                began = time.perf_counter()
                for _ in range(batch):
                    decide(asked_facts)
                times[who].append((time.perf_counter() - began) / batch)
        base = times["nebula native, full trace"]
        for who, seconds in times.items():
            ratio = statistics.median(a / b for a, b in zip(seconds, base, strict=True))
            median = statistics.median(seconds) * 1e6
            rows.append({"profile": name, "engine": who, "median_us": median, "ratio": ratio})
            print(f"{name:<6} {who:<34} {median:>9.1f} us  {ratio:>7.2f} x native with trace")
    return rows


def main() -> None:
    """Check, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batch", type=int, default=50)
    options = parser.parse_args()
    rows = measure(options.rounds, options.batch)
    names = ("zen-engine", "rule-engine", "cel-python", "arta", "durable-rules")
    document = {
        "rules": RULES,
        "facts": FACTS,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in names},
        "rows": rows,
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"written: benchmarks/results/{RESULT.name}")


if __name__ == "__main__":
    main()
