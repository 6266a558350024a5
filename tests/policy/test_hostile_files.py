"""Files made to hurt are refused with one clear problem, in bounded work."""

from __future__ import annotations

from pathlib import Path

import pytest

from nebula.errors import PolicyError
from nebula.policy.loader import load, loads
from tests.policy.samples import derive, policy

HEAD = "apiVersion: nebula/v1\nname: sample\nversion: 1.0.0\n"
LAUGHS = "a: &a [x, x]\n" + "".join(f"b{i}: &b{i} [*{'a' if i == 0 else f'b{i - 1}'}, *a]\n" for i in range(30))

DOUBLING = {
    "d0": "target.n > 1 and target.n > 2",
    **{f"d{i}": f"d{i - 1} and not d{i - 1}" for i in range(1, 30)},
}
NOTS = {"d0": "target.n > 1", **{f"d{i}": f"not d{i - 1}" for i in range(1, 400)}}

FILES = {
    "aliases": (HEAD + LAUGHS, "expected no aliases"),
    "deep-flow": (HEAD + "description: " + "[" * 100_000, "levels of nesting"),
    "deep-mapping": (HEAD + "description: " + "{a: " * 5_000, "levels of nesting"),
    "deep-block": (HEAD + "".join("  " * i + "a:\n" for i in range(40)), "levels of nesting"),
    "large": (HEAD + "# " + "x" * (1 << 20), "bytes, found more"),
    "many-values": (HEAD + "description: [" + "1," * 60_000 + "]", "values, found more"),
    "many-keys": (HEAD + "".join(f"k{i}: 1\n" for i in range(3_000)), "unknown key `k2999`"),
    "long-number": (HEAD + "parameters: {a: " + "9" * 100_000 + "}", "finite number"),
    "object": (HEAD + "description: !!python/object/apply:os.system [ls]\n", "expected no tags"),
    "new-object": ("!!python/object/new:object {}\n", "expected no tags"),
    "nul": (HEAD + "description: a\0b\n", "cannot be read"),
    "escape": (HEAD + 'description: "ok\\e[2J"\n', "can be seen, found the character 0x001b"),
    "bell-in-a-key": (HEAD + '"\\a": 1\n', "can be seen, found the character 0x0007"),
    "return": (HEAD + 'description: "bad\\rgood"\n', "found the character 0x000d"),
    "c1": (HEAD + 'description: "\\x9b31m"\n', "found the character 0x009b"),
    "right-to-left": (HEAD + "description: a\u202eb\n", "found the character 0x202e"),
    "isolate": (policy("target.mean > 1 \u2066"), "found the character 0x2066"),
    "long-condition": (policy("target.n > 1 and " * 200 + "true"), "2000 characters"),
    "long-name": (policy("a" * 1_900 + " > 1"), "unknown name"),
    "brackets": (policy("(" * 900 + "true" + ")" * 900), "expected"),
    "nots": (policy("not " * 450 + "true"), "levels of nesting"),
    "minuses": (policy("-" * 1_800 + "target.n > 1"), "levels of nesting"),
    "sum": (policy("+".join(["target.n"] * 200) + " > 1"), "levels of nesting"),
    "comparisons": (policy("<".join(["1"] * 250)), "200 comparisons"),
    "tree": (policy({"all": [{"all": ["true"] * 64}] * 64, "any": []}), "exactly one key"),
    "wide-tree": (policy({"all": ["true"] * 65}), "1 to 64 conditions"),
    "doubling-definitions": (policy("d29", definitions=DOUBLING), "comparisons with definitions put in"),
    "deep-definitions": (policy("d399", definitions=NOTS), "levels with definitions put in"),
    "self-reading-chain": (
        policy("true", derive=[derive(f"a{i}", f"x{(i + 1) % 999} == 1", **{f"x{i}": 1}) for i in range(999)]),
        "is read to set itself",
    ),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize(("text", "part"), FILES.values(), ids=FILES)
def test_a_hostile_file_is_refused(text: str, part: str) -> None:
    with pytest.raises(PolicyError) as caught:
        loads(text)
    assert part in str(caught.value)
    assert all(problem.line > 0 for problem in caught.value.problems)


def test_more_clauses_than_the_bound_name_the_rule() -> None:
    wide = [" or ".join(f"(target.n > {i} and target.mean < {j + 1}{i})" for i in range(35)) for j in range(130)]
    with pytest.raises(PolicyError, match=r"rule `r\d+`: expected at most 4096 clauses") as caught:
        loads(policy(*wide))
    assert caught.value.problems[0].line > 100


def test_a_clause_longer_than_the_bound_names_the_rule() -> None:
    parts = [" and ".join(f"target.n != {100 * i + j}" for j in range(100)) for i in range(3)]
    with pytest.raises(PolicyError, match="rule `r0`: expected at most 200 comparisons joined by `and`"):
        loads(policy({"all": parts}))


@pytest.mark.timeout(30)
def test_a_long_chain_of_derived_facts_loads_and_decides() -> None:
    rules = [
        derive("a0", "target.n > 1", x0=1),
        *(derive(f"a{i}", f"x{i - 1} == 1", **{f"x{i}": 1}) for i in range(1, 300)),
    ]
    compiled = loads(policy("x299 == 1", derive=rules))
    assert compiled.outcome_only({"target.n": 2}) == ("r0",)
    assert compiled.evaluate({"target.n": 2}).derived == {f"x{i}": 1 for i in range(300)}


def test_a_device_or_a_pipe_is_no_policy(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="no file"):
        load("/dev/zero")


@pytest.mark.parametrize(
    ("written", "value"),
    [("yes", "yes"), ("on", "on"), ("1:30", "1:30"), ("2001-01-01", "2001-01-01"), ("1e-5", 1e-5), ("0x10", "0x10"),
     ("010", 10), ("1_000", "1_000"), ("+.5", 0.5), ("True", True), ("'1'", "1"), ("-3", -3), ("1.", 1.0)],
)  # fmt: skip
def test_plain_scalars_follow_the_core_schema(written: str, value: object) -> None:
    compiled = loads(HEAD + f"parameters: {{a: {written}}}\n")
    assert compiled.parameters == {"a": value}
    assert type(compiled.parameters["a"]) is type(value)


def test_a_control_character_is_shown_where_it_stands() -> None:
    with pytest.raises(PolicyError) as caught:
        loads(HEAD + "description: a\x00b\n")
    (problem,) = caught.value.problems
    assert (problem.line, problem.column, problem.code) == (4, 15, "NEB-P004")


def test_tabs_line_ends_and_joiners_are_seen() -> None:
    text = policy("true").replace("version: 1.0.0\n", 'version: 1.0.0\ndescription: "a\\tb\\n\u200d é"\n')
    assert loads(text).file.description == "a\tb\n\u200d é"


def test_a_fault_without_a_place_is_told_without_one() -> None:
    with pytest.raises(PolicyError) as caught:
        load("nowhere.yaml")
    assert str(caught.value).startswith("nowhere.yaml: expected a policy file")
