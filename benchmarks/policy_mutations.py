"""Whether the test cases of the shipped policies notice a wrong policy: mutation analysis.

    python benchmarks/policy_mutations.py [--policy default.yaml] [--quiet]

Every single change of a threshold, a comparison's operator, `and` or `or`, the order of two
neighbouring rules, or a loss is made in turn, and the policy's own cases are run on the result
until one fails (DeMillo, Lipton and Sayward 1978). Writes benchmarks/results/policy_mutations.json.
"""

from __future__ import annotations

import argparse
import ast
import copy
import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nebula.decision.policy import Policy, load_policy
from nebula.errors import PolicyError
from nebula.policy.engine import NativeEngine
from nebula.policy.loader import loads
from nebula.profiling.vocabulary import facts_of
from nebula.workbench.case_reader import Suite, read_suite
from nebula.workbench.coverage import Seen
from nebula.workbench.run import run_case
from nebula.workbench.witness import changes_of, neighbours

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks" / "results" / "policy_mutations.json"
POLICIES = ("default.yaml", "strict.yaml", "paper.yaml")
SEARCHED = 6_000
STEP = 0.1
_OPERATORS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}

Document = dict[str, Any]


@dataclass(frozen=True)
class Mutant:
    """One wrong policy.

    Attributes:
        kind: threshold, operator, connective, order or loss.
        where: The rule, definition or parameter that was changed.
        change: Before and after.
        document: The policy.
        proof: Why no profile can tell it from the original, where that follows from its form.
    """

    kind: str
    where: str
    change: str
    document: Document
    proof: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant.

    Attributes:
        kind: As the mutant's.
        where: As the mutant's.
        change: As the mutant's.
        outcome: killed, refused (it does not load), equivalent (proven), or survived.
        by: The case that failed, the loader's message, or the proof.
        witness: For a survivor, a profile that tells it from the original: a case and changed facts.
    """

    kind: str
    where: str
    change: str
    outcome: str
    by: str | None
    witness: str | None


def mutants_of(document: Document) -> Iterator[Mutant]:
    """Yield every single mutation of a resolved policy."""
    for name, value in document.get("parameters", {}).items():
        for changed in _nudged(value):
            yield _mutant(
                document, "threshold", f"parameter {name}", f"{value} -> {changed}", ["parameters", name], changed
            )
    for where, path in _conditions(document):
        for kind, change, text in _conditions_near(_at(document, path)):
            proof = _unread(document, path[1]) if path[0] == "definitions" else None
            yield _mutant(document, kind, where, change, path, text, proof)
    for section in ("derive", "select"):
        rules = document.get(section, [])
        for index in range(len(rules) - 1):
            first, second = rules[index], rules[index + 1]
            swapped = [*rules[:index], second, first, *rules[index + 2 :]]
            change = f"{first['id']} <-> {second['id']}"
            yield Mutant(
                "order",
                section,
                change,
                {**document, section: swapped},
                _same_either_way(first, second, document.get("definitions", {})),
            )
    for index, rule in enumerate(document["select"]):
        if "use" in rule:
            old = rule["use"]["loss"]
            new = "L1Loss" if old == "MSELoss" else "MSELoss"
            changed = {name: value for name, value in rule["use"].items() if name != "params"} | {"loss": new}
            yield _mutant(document, "loss", f"rule {rule['id']}", f"{old} -> {new}", ["select", index, "use"], changed)


def _mutant(
    document: Document, kind: str, where: str, change: str, path: list[Any], value: Any, proof: str | None = None
) -> Mutant:
    mutated = copy.deepcopy(document)
    _at(mutated, path[:-1])[path[-1]] = value
    return Mutant(kind, where, change, mutated, proof)


def _at(document: Any, path: list[Any]) -> Any:
    for part in path:
        document = document[part]
    return document


def _conditions(document: Document) -> Iterator[tuple[str, list[Any]]]:
    yield from ((f"definition {name}", ["definitions", name]) for name in document.get("definitions", {}))
    for section in ("derive", "select"):
        for index, rule in enumerate(document.get(section, [])):
            if isinstance(rule["when"], str):
                yield f"rule {rule['id']}", [section, index, "when"]


def _nudged(value: float | str | bool) -> tuple[float, ...]:
    if isinstance(value, bool | str):
        return ()
    return (
        (value - 1, value + 1)
        if isinstance(value, int)
        else (round(value * (1 - STEP), 6), round(value * (1 + STEP), 6))
    )


def _conditions_near(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield (kind, change, mutated text) of one condition; the language is within Python's grammar."""
    body = " ".join(text.split())
    for index, node in enumerate(ast.walk(ast.parse(body, mode="eval"))):
        for kind, apply in _edits(node):
            tree = ast.parse(body, mode="eval")
            target = list(ast.walk(tree))[index]
            before = ast.unparse(target)
            apply(target)
            yield kind, f"{before} -> {ast.unparse(target)}", ast.unparse(tree)


def _edits(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], None]]]:
    match node:
        case ast.Compare():
            for place, op in enumerate(node.ops):
                for new in _OPERATORS[type(op)]:
                    yield "operator", lambda target, place=place, new=new: target.ops.__setitem__(place, new())
        case ast.BoolOp():
            other = ast.Or if isinstance(node.op, ast.And) else ast.And
            yield "connective", lambda target: setattr(target, "op", other())
        case ast.Constant(value) if isinstance(value, int | float) and not isinstance(value, bool):
            for changed in _nudged(value):
                yield "threshold", lambda target, changed=changed: setattr(target, "value", changed)


def _same_either_way(first: Document, second: Document, definitions: Document) -> str | None:
    """Prove that two neighbours may change places: they set the same, or cannot hold together."""
    if "set" in first and first["set"] == second.get("set"):
        return "both set the same"
    one, other = (dict(_conjuncts(rule["when"], definitions)) for rule in (first, second))
    for text in one.keys() & other.keys():
        if one[text] is not other[text]:
            return f"`{text}` cannot be both true and false"
    equal = [
        {t.partition(" == ")[0]: t for t, holds in found.items() if holds and " == " in t} for found in (one, other)
    ]
    for name in equal[0].keys() & equal[1].keys():
        if equal[0][name] != equal[1][name]:
            return f"`{name}` cannot have both values"
    return None


def _conjuncts(condition: Any, definitions: Document, holds: bool = True) -> Iterator[tuple[str, bool]]:
    """Yield (comparison, truth) of everything that must be so for the condition to hold."""
    if not isinstance(condition, str | ast.expr):
        return
    node = ast.parse(" ".join(condition.split()), mode="eval").body if isinstance(condition, str) else condition
    match node:
        case ast.BoolOp(op, values) if isinstance(op, ast.And) is holds:
            for value in values:
                yield from _conjuncts(value, definitions, holds)
        case ast.BoolOp():
            return
        case ast.UnaryOp(ast.Not(), operand):
            yield from _conjuncts(operand, definitions, not holds)
        case ast.Name(name) if name in definitions:
            yield from _conjuncts(definitions[name], definitions, holds)
        case ast.Compare(left, [ast.NotEq()], [right]):
            yield f"{ast.unparse(left)} == {ast.unparse(right)}", not holds
        case _:
            yield ast.unparse(node), holds


def _unread(document: Document, name: str) -> str | None:
    """Prove that a definition does not matter: no condition names it."""
    texts = [_at(document, path) for where, path in _conditions(document) if where != f"definition {name}"]
    names = {
        node.id for text in texts for node in ast.walk(ast.parse(" ".join(text.split()))) if isinstance(node, ast.Name)
    }
    return None if name in names else "no condition reads it"


def judge(mutant: Mutant, suite: Suite, original: Policy) -> Verdict:
    """Run a suite on a mutant until a case fails; look for a witness when none does."""

    def verdict(outcome: str, by: str | None, witness: str | None = None) -> Verdict:
        return Verdict(mutant.kind, mutant.where, mutant.change, outcome, by, witness)

    text, made = json.dumps(mutant.document), {}
    for case in suite.cases:
        key = tuple(sorted(case.parameters.items()))
        try:
            made[key] = made.get(key) or Policy(loads(text, parameters=dict(case.parameters)))
        except PolicyError as error:
            return verdict("refused", error.problems[0].message)
        if not run_case(made[key], case).passed:
            return verdict("killed", case.name)
    if mutant.proof:
        return verdict("equivalent", mutant.proof)
    return verdict("survived", None, _witness(Policy(loads(text)), original, suite))


def _witness(mutated: Policy, original: Policy, suite: Suite) -> str | None:
    starts = [Seen(case.name, facts_of(case.profile)) for case in suite.cases]
    engine = NativeEngine()
    for start, changes, facts in neighbours(starts, changes_of(original.compiled), SEARCHED):
        one, other = (policy.compiled.evaluate(facts, engine) for policy in (original, mutated))
        if (one.fired[:1], one.derived) != (other.fired[:1], other.derived):
            made = ", ".join(f"{name} = {value}" for name, value in changes)
            return f"{start.name}, with {made}: {one.fired[:1]} {one.derived} against {other.fired[:1]} {other.derived}"
    return None


def analyse(name: str) -> dict[str, Any]:
    """Judge every mutant of a shipped policy."""
    began = time.perf_counter()
    original = load_policy(ROOT / "policies" / name)
    suite = read_suite(ROOT / "policies" / "tests" / name.replace(".yaml", ".test.yaml"))
    document = original.compiled.file.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"extends"})
    verdicts = [judge(mutant, suite, original) for mutant in mutants_of(document)]
    count = Counter(verdict.outcome for verdict in verdicts)
    noticed = count["killed"] + count["refused"]
    hidden = sum(verdict.outcome == "survived" and verdict.witness is None for verdict in verdicts)
    return {
        "policy": f"{original.name} {original.version}",
        "cases": len(suite.cases),
        "mutants": len(verdicts),
        **{outcome: count[outcome] for outcome in ("killed", "refused", "equivalent", "survived")},
        "survived_without_witness": hidden,
        "killed_percent": round(100 * noticed / (noticed + count["survived"]), 1),
        "killed_percent_of_distinguishable": round(100 * noticed / (noticed + count["survived"] - hidden), 1),
        "by_kind": {
            kind: dict(Counter(verdict.outcome for verdict in verdicts if verdict.kind == kind))
            for kind in ("threshold", "operator", "connective", "order", "loss")
        },
        "seconds": round(time.perf_counter() - began, 1),
        "not_killed": [asdict(v) for v in verdicts if v.outcome in ("survived", "equivalent")],
    }


def main() -> None:
    """Analyse, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", choices=POLICIES, help="only this one; nothing is written")
    parser.add_argument("--quiet", action="store_true", help="leave the survivors out")
    arguments = parser.parse_args()
    logging.getLogger("nebula").setLevel(logging.ERROR)
    found = [analyse(name) for name in ([arguments.policy] if arguments.policy else POLICIES)]
    for row in found:
        print(
            f"{row['policy']:<15} {row['mutants']:>4} mutants: {row['killed']} killed, {row['refused']} refused, "
            f"{row['equivalent']} equivalent, {row['survived']} survived "
            f"({row['survived_without_witness']} without a witness); {row['killed_percent']} % in {row['seconds']} s"
        )
        for verdict in [] if arguments.quiet else row["not_killed"]:
            if verdict["outcome"] == "survived":
                print(f"  {verdict['kind']:<10} {verdict['where']:<32} {verdict['change']}\n      {verdict['witness']}")
    if not arguments.policy:
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
