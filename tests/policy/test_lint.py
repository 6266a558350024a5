"""The cheap lint tells what cannot be meant, and nothing that can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula.errors import Problem
from nebula.policy.files import shipped_policies
from nebula.policy.lint import lint_policy
from nebula.policy.loader import loads
from tests.policy.samples import derive, policy


@pytest.fixture
def lint(tmp_path: Path) -> Any:
    return lambda text: lint_text(text, tmp_path)


def lint_text(text: str, folder: Path) -> tuple[Problem, ...]:
    source = folder / "p.yaml"
    source.write_text(text, encoding="utf-8")
    return lint_policy(source)


CONDITIONS = [
    ("above", "target.class_balance > 2", "NEB-P101", "`target.class_balance` lies in [0, 1]"),
    ("at-bound", "target.class_balance >= 1", None, ""),
    ("past-bound", "target.class_balance > 1", "NEB-P101", "can never hold"),
    ("below", "target.n < 0", "NEB-P101", "`target.n` lies in [0, ∞)"),
    ("swapped", "2 < target.class_balance", "NEB-P101", "can never hold"),
    ("chain", "0 < target.class_balance < 2", "NEB-P102", "`target.class_balance < 2` always holds once it is known"),
    ("always", "target.std >= 0", "NEB-P102", "always holds"),
    ("unequal", "target.class_balance != 3", "NEB-P102", "always holds"),
    ("arithmetic", "target.class_balance * 2 + 1 > 3", "NEB-P101", "lies in [1, 3]"),
    ("minus", "-target.n > 0", "NEB-P101", "lies in (-∞, 0]"),
    ("divided-by-zero", "1 / target.zero_fraction < 0", None, ""),
    ("large", "target.n > 1" + "0" * 300 + " - 1", None, ""),
    ("overflow", "target.class_balance * 1" + "0" * 300 + " * 1" + "0" * 300 + " > 1", None, ""),
    ("all-words", 'target.categories in ["ordered", "unordered"]', "NEB-P102", "is one of ordered, unordered"),
    ("free-fact", "target.mean > 1e300", None, ""),
    ("two-facts", "target.max > target.mean", None, ""),
    ("two-bounded", "target.zero_fraction + 2 < target.class_balance", "NEB-P101", "and `target.class_balance` lies"),
    ("itself", "target.n < target.n", "NEB-P101", "both sides are the same"),
    ("itself-equal", "target.n == target.n", "NEB-P102", "both sides are the same"),
    ("open-low", "target.min_gap <= 0", "NEB-P101", "`target.min_gap` lies in (0, ∞)"),
    ("open-low-always", "target.min_gap > 0", "NEB-P102", "lies in (0, ∞)"),
    ("open-low-equal", "hints.quantile == 0", "NEB-P101", "`hints.quantile` lies in (0, 1)"),
    ("open-low-unequal", "hints.quantile != 0", "NEB-P102", "lies in (0, 1)"),
    ("open-high", "hints.label_noise >= 1", "NEB-P101", "`hints.label_noise` lies in [0, 1)"),
    ("open-high-always", "hints.label_noise < 1", "NEB-P102", "lies in [0, 1)"),
    ("open-high-member", "hints.quantile in [0.5, 1]", "NEB-P101", "it can never be `1`"),
    ("open-swapped", "0 < hints.quantile", "NEB-P102", "lies in (0, 1)"),
    ("open-inside", "hints.quantile > 0.5", None, ""),
    ("closed-low", "hints.label_noise <= 0", None, ""),
    ("open-arithmetic", "hints.quantile - 1 < 0", None, ""),
    ("open-contradiction", "hints.quantile > 0.9 and hints.quantile >= 1", "NEB-P101", "lies in (0, 1)"),
    ("open-percentage", "hints.quantile > 50", "NEB-P101", "can never hold"),
    ("literals", "1 > 2", "NEB-P101", "can never hold"),
    ("false", "false", "NEB-P101", "the condition is `false`"),
    ("parameter", "target.class_balance > big", "NEB-P101", "and `big` is 2"),
    ("switch", "big > 1", None, ""),
    ("fraction", "target.n == 2.5", "NEB-P104", "is a whole number and `2.5` is not"),
    ("fraction-order", "target.n > 2.5", None, ""),
    ("whole-float", "target.n == 2.0", None, ""),
    ("member", "target.n in [1, -4]", "NEB-P101", "it can never be `-4`"),
    ("member-fraction", "target.n in [1, 1.5]", "NEB-P101", "it can never be `1.5`"),
    ("member-free", "target.mean in [1, -4]", None, ""),
    ("empty-range", "target.skew > 3 and target.skew < 2", "NEB-P103", "contradicts `target.skew > 3`"),
    ("touching", "target.skew > 3 and target.skew <= 3", "NEB-P103", "contradicts"),
    ("point", "target.skew >= 3 and target.skew <= 3", None, ""),
    ("no-whole-between", "target.n > 3 and target.n < 4", "NEB-P103", "contradicts"),
    ("some-between", "target.skew > 3 and target.skew < 4", None, ""),
    (
        "two-words",
        'hints.task == "count" and hints.task == "binary"',
        "NEB-P103",
        'contradicts `hints.task == "count"`',
    ),
    ("both-flags", "target.is_constant and not target.is_constant", "NEB-P103", "contradicts"),
    ("unknown-and-used", "not known(target.mean) and target.mean > 1", "NEB-P103", "not known(target.mean)"),
    ("unknown-or-used", "not known(target.mean) or target.mean > 1", None, ""),
    ("de-morgan", "not (target.n <= 3 or target.n >= 3)", "NEB-P103", "contradicts"),
    ("one-way", "target.n > 3 and (target.n < 2 or target.mean > 1)", "NEB-P103", "`target.n < 2` contradicts"),
    ("not-both", "target.n > 3 and not (target.n > 3 and target.mean > 1)", None, ""),
    ("through-definition", "large and target.n < 5", "NEB-P103", "contradicts `target.n > 9`"),
    ("definition-with-or", "target.n > 9 and either", None, ""),
    ("list-and-range", "target.mean in [1, 2] and target.mean > 2", "NEB-P103", "contradicts"),
    (
        "excluded-words",
        'target.categories != "ordered" and target.categories != "unordered"',
        "NEB-P103",
        "contradicts",
    ),
    ("same-part", "target.n > 3 and target.n > 3", "NEB-P109", "stands beside itself"),
    ("same-part-spaced", "target.n>3 or target.n > 3", "NEB-P109", "stands beside itself"),
    ("same-element", "target.n in [1, 2, 1]", "NEB-P109", "stands in the list twice"),
    ("same-word", 'has_word(target.name, "age", "Age")', "NEB-P109", "among the words twice"),
]


@pytest.mark.parametrize(
    ("condition", "code", "part"), [case[1:] for case in CONDITIONS], ids=[case[0] for case in CONDITIONS]
)
def test_conditions(lint: Any, condition: str, code: str | None, part: str) -> None:
    text = policy(
        condition,
        "target.mean > 0 and big > 0 and large and either",  # so that every name is used
        parameters={"big": 2},
        definitions={"large": "target.n > 9", "either": "target.n < 2 or target.mean > 4"},
    )
    found = lint(text)
    assert [problem.code for problem in found] == ([code] if code else []), found
    assert all(problem.severity == "warning" and problem.hint for problem in found)
    assert all(part in problem.message for problem in found), found


FACTS = {
    "target.class_balance": (0.0, 1.0),
    "target.n": (0, 40),
    "target.mean": (-50.0, 50.0),
    "hints.quantile": (5e-324, 1 - 2**-53),
    "hints.label_noise": (0.0, 1 - 2**-53),
}
NUMBERS = st.integers(-3, 3).map(str) | st.sampled_from(["0.5", "1.5", "0.1"])
TERMS = st.recursive(
    st.sampled_from(list(FACTS)) | NUMBERS,
    lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
    max_leaves=4,
)
OPERATORS = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])


@st.composite
def values(draw: st.DrawFn) -> dict[str, Any]:
    """A value for each fact within its bounds, the bounds themselves often."""
    found: dict[str, Any] = {}
    for name, (low, high) in FACTS.items():
        inner = st.integers(low, high) if isinstance(low, int) else st.floats(low, high)  # type: ignore[arg-type]
        found[name] = draw(inner | st.sampled_from([low, high]))
    return found


@settings(max_examples=300, deadline=None)
@given(TERMS, OPERATORS, TERMS, st.lists(values(), min_size=4, max_size=8))
def test_what_is_settled_is_settled_on_all_values(
    tmp_path_factory: pytest.TempPathFactory, left: str, op: str, right: str, many: list[dict[str, Any]]
) -> None:
    text = policy(f"{left} {op} {right}", f"not ({left} {op} {right})")
    codes = {problem.code for problem in lint_text(text, tmp_path_factory.getbasetemp())}
    compiled = loads(text)
    for facts in many:
        fired = compiled.outcome_only(facts)
        if "NEB-P102" in codes or ("NEB-P104" in codes and op == "!="):
            assert "r0" in fired or fired == ()
        elif codes & {"NEB-P101", "NEB-P104"}:
            assert "r0" not in fired


ATOMS = [
    *(f"target.mean {op} {number}" for op in ("<", "<=", ">", ">=", "==", "!=") for number in (1, 2, 3)),
    *(f"target.n {op} {number}" for op in ("<", "<=", ">", ">=", "==", "!=") for number in (1, 1.5, 2, 3)),
    "target.mean in [1, 3]",
    "target.n not in [1, 2]",
    "known(target.mean)",
    "known(target.n)",
    "target.is_constant",
    'target.categories == "ordered"',
    'target.categories != "ordered"',
    'target.categories in ["ordered", "unordered"]',
    "known(target.categories)",
]
MEANS = [None, 0.5, 1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 3.5]
COUNTS = [None, 0, 1, 2, 3, 4]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ATOMS), st.booleans()), min_size=2, max_size=5, unique=True))
def test_a_conjunction_is_contradictory_exactly_when_no_value_makes_it_true(
    tmp_path_factory: pytest.TempPathFactory, atoms: list[tuple[str, bool]]
) -> None:
    parts = [atom if positive else f"not ({atom})" for atom, positive in atoms]
    text = policy(" and ".join(parts))
    codes = {problem.code for problem in lint_text(text, tmp_path_factory.getbasetemp())}
    compiled = loads(text)
    possible = any(
        compiled.outcome_only(
            {"target.mean": mean, "target.n": n, "target.is_constant": flag, "target.categories": word}
        )
        for mean in MEANS
        for n in COUNTS
        for flag in (None, True, False)
        for word in (None, "ordered", "unordered")
    )
    # What a comparison on its own settles is told as such, and not as a contradiction too.
    if codes & {"NEB-P101", "NEB-P102", "NEB-P104"}:
        assert "NEB-P103" not in codes or not possible
    else:
        assert ("NEB-P103" in codes) is not possible


@pytest.mark.parametrize("source", list(shipped_policies()), ids=lambda path: path.name)
def test_shipped_policies_have_no_findings(source: Path) -> None:
    assert lint_policy(source) == ()


RULES = [
    ("after-true", policy("target.n > 1", "true", "target.n > 2"), ["NEB-P105"]),
    ("true-last", policy("target.n > 1", "true"), []),
    ("same", policy("target.n > 1", "target.mean > 1", "target.n  >  1"), ["NEB-P106"]),
    ("same-by-priority", policy("target.n > 1", "target.n > 1", hit_policy="priority"), []),
    (
        "derive-true",
        policy('task == "a"', derive=[derive("d", True, task="a"), derive("e", "target.n > 1", task="b")]),
        ["NEB-P105"],
    ),
    (
        "derive-other-name",
        policy(
            'task == "a" and known(size)',
            derive=[derive("d", True, task="a"), derive("e", "target.n > 1", task="b", size=1)],
        ),
        [],
    ),
    ("unused-chain", policy("true", definitions={"a": "b", "b": "target.n > 1"}), ["NEB-P107", "NEB-P107"]),
    ("used-chain", policy("a", definitions={"a": "b", "b": "target.n > 1"}), []),
    ("unused-parameter", policy("true", parameters={"p": 1}), ["NEB-P108"]),
    ("parameter-of-definition", policy("a", parameters={"p": 1}, definitions={"a": "target.n > p"}), []),
    (
        "parameter-as-reference",
        policy('size == "s"', parameters={"p": "s"}, derive=[derive("d", "target.n > 1", size="$p")]),
        [],
    ),
]


@pytest.mark.parametrize(("text", "codes"), [case[1:] for case in RULES], ids=[case[0] for case in RULES])
def test_rules_and_names(lint: Any, text: str, codes: list[str]) -> None:
    assert [problem.code for problem in lint(text)] == codes


def test_places_are_those_of_the_file(lint: Any) -> None:
    text = (
        "apiVersion: nebula/v1\nname: p\nversion: 1.0.0\nparameters:\n  lost: 1\nselect:\n  - id: a\n    when: >\n"
        "      target.n > 1 and\n      target.class_balance > 2\n    use: {loss: MSELoss}\n    because: b\n"
    )
    places = [(p.line, p.column, p.end_column) for p in lint(text)]
    assert places == [(5, 3, 7), (10, 7, 31)]


def test_inherited_names_may_be_unused_but_a_parameter_that_settles_a_rule_is_told(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        policy("target.class_balance < few", parameters={"few": 0.2, "spare": 1}), encoding="utf-8"
    )
    child = {"apiVersion": "nebula/v1", "name": "c", "version": "1.0.0", "extends": ["base.yaml"]}
    source = tmp_path / "child.yaml"
    source.write_text(yaml.safe_dump(child), encoding="utf-8")
    assert lint_policy(source) == ()
    source.write_text(yaml.safe_dump({**child, "parameters": {"few": 3.0}}), encoding="utf-8")
    (problem,) = lint_policy(source)
    assert (problem.code, Path(problem.file).name) == ("NEB-P102", "base.yaml")


BESIDE = {
    "other condition": (policy("target.class_balance > 2", "target.meen > 1"), ["NEB-P101", "NEB-P052"]),
    "same condition": (policy("target.class_balance > 2 and target.meen > 1"), ["NEB-P052"]),
    "faulty rule": (policy("target.class_balance > 2") + "- {id: b}\n", ["NEB-P101", "NEB-P022", "NEB-P022"]),
    "unknown key": (policy("target.class_balance > 2", selct=[]), ["NEB-P021", "NEB-P101"]),
    "through a faulty definition": (
        policy("odd and target.n > 1", definitions={"odd": "target.meen > 1"}),
        ["NEB-P052"],
    ),
    "circle": (
        policy("odd and target.n < 0", definitions={"odd": "not even", "even": "not odd"}),
        ["NEB-P046", "NEB-P101"],
    ),
    "after true": (policy("target.meen > 1", "true", "target.n > 2"), ["NEB-P052", "NEB-P105"]),
    "unused names wait": (policy("target.meen > 1", parameters={"p": 1}), ["NEB-P052"]),
    "loss": (policy("target.class_balance > 2").replace("MSELoss", "MSELos"), ["NEB-P101", "NEB-P060"]),
}


@pytest.mark.parametrize(("text", "codes"), BESIDE.values(), ids=BESIDE)
def test_warnings_come_beside_errors(lint: Any, text: str, codes: list[str]) -> None:
    assert [problem.code for problem in lint(text)] == codes


def test_definitions_that_grow_without_bound_are_not_put_in_beside_an_error(lint: Any) -> None:
    doubled = {f"d{i}": f"d{i - 1} and d{i - 1} or target.n > {i}" for i in range(1, 60)}
    found = lint(policy("d59", "target.meen > 1", definitions={"d0": "target.n > 0", **doubled}))
    assert "NEB-P052" in {problem.code for problem in found}


UNITS = [
    (
        "rows-and-target",
        "target.n > target.mean",
        "`target.n` is a count and `target.mean` is in the unit of the target",
    ),
    ("fraction-and-target", "target.zero_fraction > target.mean", "is a fraction"),
    ("fraction-and-count", "target.zero_fraction < target.n", "is a fraction"),
    ("nats", "target.entropy > target.std", "in nats"),
    ("equal", "target.median == target.n", "a count"),
    ("chain", "0 < target.n < target.max", "mixes them"),
    ("sum", "target.n + target.mean > 1", "`target.n + target.mean` mixes them"),
    ("difference", "-(target.n - target.mean) > 1", "`target.n - target.mean` mixes them"),
    ("scaled", "2 * target.n / 3 > -target.mean", "mixes them"),
    ("same", "target.median > target.mean + target.std", ""),
    ("counts", "target.n_elements > target.n", ""),
    ("no-unit", "target.n_unique < target.max - target.min + 1", ""),
    ("ratio", "target.std / target.mean > target.zero_fraction", ""),
    ("square", "target.var > target.mean", ""),
    ("product", "target.zero_fraction * target.n > 5 * target.mean", ""),
    ("parameter", "target.n > few", ""),
    ("other-parameter", "target.mean > few", "`few` is a count"),
    ("percent", "target.zero_fraction < share", "`share` is a percentage"),
    ("unknown-word", "target.zero_fraction < euros", ""),
    ("member", "target.zero_fraction in [few]", "`few` is a count"),
]


@pytest.mark.parametrize(("condition", "part"), [case[1:] for case in UNITS], ids=[case[0] for case in UNITS])
def test_units(lint: Any, condition: str, part: str) -> None:
    parameters = {
        "few": {"value": 1, "unit": "rows"},
        "share": {"value": 0.5, "unit": "percent"},
        "euros": {"value": 0.5, "unit": "EUR"},
    }
    used = "target.n > few or target.mean > euros or target.skew > share"
    found = [problem for problem in lint(policy(condition, used, parameters=parameters)) if "r0" in problem.message]
    assert [problem.code for problem in found] == (["NEB-P110"] if part else []), found
    assert all(part in problem.message and problem.hint for problem in found), found


PERCENTAGES = [
    ("target.zero_fraction > 30", "did you mean 0.3?"),
    ("30 > target.zero_fraction", "did you mean 0.3?"),
    ("target.zero_fraction > share", "did you mean 0.25?"),
    ("target.zero_fraction in [0.5, 99]", "did you mean 0.99?"),
    ("target.zero_fraction > 5", "Mend one side"),
    ("target.zero_fraction > 300", "Mend one side"),
    ("target.n > -30", "known(...)"),
]


@pytest.mark.parametrize(("condition", "hint"), PERCENTAGES, ids=[case[0] for case in PERCENTAGES])
def test_a_percentage_beside_a_fraction_is_guessed(lint: Any, condition: str, hint: str) -> None:
    text = policy(condition, "target.mean > share", parameters={"share": {"value": 25, "unit": "percent"}})
    (problem,) = [problem for problem in lint(text) if "r0" in problem.message]
    assert problem.code in ("NEB-P101", "NEB-P102")
    assert hint in problem.hint
