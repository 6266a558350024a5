"""Every fault of a policy file is told with its line, its column and what to do."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from nebula.errors import PolicyError, Problem
from nebula.policy.loader import load, loads
from tests.policy.samples import policy

HEAD = "apiVersion: nebula/v1\nname: sample\nversion: 1.0.0\n"
RULE = "  - id: a\n    when: {when}\n    use: {{loss: MSELoss}}\n    because: b\n"


def found(text: str | bytes, **options: Any) -> list[Problem]:
    with pytest.raises(PolicyError) as caught:
        loads(text, name="p.yaml", **options)  # type: ignore[arg-type]
    return list(caught.value.problems)


# id, condition, column in the condition (from 1), parts of the message
CONDITIONS = [
    ("unknown-fact", "target.meen > 1", 1, ["unknown fact `target.meen`", "Did you mean `target.mean`?"]),
    ("second-fact", "target.n > 1 and target.skw < 2", 18, ["unknown fact `target.skw`", "`target.skew`"]),
    ("unknown-name", "target.n > imbalence", 12, ["unknown name `imbalence`", "`imbalance`"]),
    ("bare-fact", "zero_fraction > 0.1", 1, ["unknown name", "`target.zero_fraction`"]),
    ("choice", 'hints.task == "binry"', 15, ["`hints.task` is never 'binry'", "Did you mean `binary`?"]),
    ("choice-in", 'hints.task in ["count", "binry"]', 25, ["never 'binry'"]),
    ("choice-left", '"binry" == hints.task', 1, ["never 'binry'"]),
    ("choice-derived", 'task == "cuont"', 9, ["`task` is never 'cuont'", "`count`"]),
    ("order-string", 'hints.task < "count"', 1, ["expected numbers beside `<`"]),
    ("order-bool", "target.is_one_hot > false", 1, ["expected numbers beside `>`"]),
    ("mixed", 'target.n == "3"', 1, ["both sides of one type", "`target.n` (a number)", '`"3"` (a string)']),
    ("bool-number", "target.is_one_hot == 1", 1, ["both sides of one type"]),
    ("number-condition", "target.n and true", 1, ["expected a condition", "`target.n`", "a number"]),
    ("string-condition", "hints.task", 1, ["expected a condition", "a string"]),
    ("literal-condition", "1", 1, ["expected a condition"]),
    ("not-number", "not target.n", 5, ["expected a condition"]),
    ("list", "target.pos_weight == 1", 1, ["expected a single value", "known(...)"]),
    ("list-condition", "target.pos_weight", 1, ["a list"]),
    ("arithmetic", "hints.task + 1 > 2", 1, ["expected a number beside `+`"]),
    ("minus", "-target.is_one_hot > 2", 2, ["expected a number after `-`"]),
    ("word-number", 'has_word(target.n, "a")', 10, ["expected a string in `has_word(...)`"]),
    ("word-letters", 'has_word(target.name, "a1")', 23, ["expected a word of letters"]),
    ("known-value", "known(3)", 7, ["expected one fact or derived name"]),
    ("known-parameter", "known(imbalance)", 7, ["found the parameter `imbalance`"]),
    ("definition-value", "counts == true", 1, ["found the definition `counts`"]),
    ("facts-in-list", "target.n in [target.n_unique]", 14, ["expected constants in the list"]),
    ("no-list", "target.n in 3", 13, ["expected a list after `in`"]),
    ("empty-list", "target.n in []", 13, ["expected a list after `in`"]),
    ("single-equal", "target.n = 3", 10, ["compare with `==`"]),
    ("unclosed", "(target.n > 3", 1, ["expected a condition", "'(' was never closed"]),
    ("dangling", "target.n >", 11, ["expected a condition"]),
    ("is", "target.n is 3", 1, ["found `is`"]),
    ("none", "target.n == None", 13, ["known(...)"]),
    ("call", "open('/etc/passwd') == 1", 1, ["known(fact)"]),
    ("dunder", "target.__class__ == 1", 1, ["unknown fact"]),
    ("deep-name", "target.n.real == 1", 1, ["(Attribute)"]),
    ("subscript", "target.n[0] == 1", 1, ["(Subscript)"]),
    ("lambda", "(lambda: 1)() == 1", 1, ["known(fact)"]),
    ("walrus", "(n := 1) == 1", 2, ["(NamedExpr)"]),
    ("if-else", "1 if true else 2", 1, ["(IfExp)"]),
    ("power", "target.n ** 99 > 1", 1, ["(BinOp)"]),
    ("f-string", "target.name == f'{target.n}'", 16, ["(JoinedStr)"]),
    ("bytes", "target.name == b'a'", 16, ["(Constant)"]),
    ("complex", "target.n == 1j", 13, ["(Constant)"]),
    ("ellipsis", "target.n == ...", 13, ["(Constant)"]),
    ("infinite", "target.n < 1e999", 12, ["expected a finite number"]),
    ("comprehension", "target.n in [x for x in y]", 13, ["expected a list after `in`"]),
    ("condition-as-value", "(target.n > 1) == (target.n > 2)", 2, ["found the condition `target.n > 1`"]),
    ("backslash", "target.name == 'a\\n'", 18, ["no backslashes"]),
    ("comment", "target.n > 1 #and false", 14, ["no comments"]),
    ("glued", "target.n > 1and true", 12, ["expected a space after the number"]),
    ("kwargs", "known(x=target.n)", 1, ["known(fact)"]),
]


@pytest.mark.parametrize(
    ("condition", "column", "parts"), [case[1:] for case in CONDITIONS], ids=[case[0] for case in CONDITIONS]
)
def test_a_faulty_condition_is_told_at_its_column(condition: str, column: int, parts: list[str]) -> None:
    extra = "parameters: {imbalance: 0.1}\ndefinitions: {counts: target.min >= 0}\n"
    extra += "derive:\n  - {id: d, when: true, set: {task: count}}\n"
    (problem,) = found(HEAD + extra + "select:\n" + RULE.format(when="|-\n      " + condition))
    assert (problem.line, problem.column) == (11, 6 + column)
    for part in ["rule `a`", *parts]:
        assert part in problem.message


@pytest.mark.parametrize(
    ("when", "line", "column"),
    [
        ("target.n > 1 and target.meen > 2", 6, 28),
        ("target.n > 1\n      and target.meen > 2", 7, 11),
        (">\n      target.n > 1\n      and target.meen > 2", 8, 11),
        ("|-\n      target.n > 1 and\n\n        (target.meen > 2)", 9, 10),
        ("\"target.name == '\\u00e4' and target.meen > 2\"", 6, 41),
        ("{all: [target.n > 1, {not: target.meen > 2}]}", 6, 38),
    ],
    ids=["plain", "plain-folded", "folded", "literal", "escaped", "tree"],
)
def test_the_place_is_found_in_every_style_of_scalar(when: str, line: int, column: int) -> None:
    (problem,) = found(HEAD + "select:\n  - id: a\n    when: " + when + "\n    use: {loss: MSELoss}\n    because: b\n")
    assert (problem.line, problem.column) == (line, column), problem
    assert "target.meen" in problem.message


# id, text after the head (line 4 on), line, column, parts of the message
FILES = [
    ("unknown-key", "selct: []\n", 4, 1, ["unknown key `selct`", "Did you mean `select`?"]),
    ("rule-key", "select:\n  - {id: a, wen: x, when: true, use: {loss: MSELoss}, because: b}\n", 5, 13, ["`wen`", "`when`"]),
    ("use-key", "select:\n  - {id: a, when: true, use: {los: MSELoss, loss: MSELoss}, because: b}\n", 5, 31, ["`los`", "`loss`"]),
    ("missing", "select:\n  - {id: a, when: true, use: {loss: MSELoss}}\n", 5, 5, ["rule `a`", "key `because`"]),
    ("no-id", "select:\n  - {when: true, use: {loss: MSELoss}, because: b}\n", 5, 5, ["key `id`"]),
    ("bad-id", "select:\n  - {id: A b, when: true, use: {loss: MSELoss}, because: b}\n", 5, 10, ["small letters, digits and hyphens"]),
    ("number-when", "select:\n  - {id: a, when: 1, use: {loss: MSELoss}, because: b}\n", 5, 19, ["expected a condition", "found 1"]),
    ("list-when", "select:\n  - {id: a, when: [true], use: {loss: MSELoss}, because: b}\n", 5, 19, ["found a list"]),
    ("tree-key", "select:\n  - {id: a, when: {al: [true]}, use: {loss: MSELoss}, because: b}\n", 5, 19, ["`al`", "Did you mean `all`?"]),
    ("tree-empty", "select:\n  - {id: a, when: {all: []}, use: {loss: MSELoss}, because: b}\n", 5, 25, ["1 to 64 conditions"]),
    ("tree-part", "select:\n  - {id: a, when: {not: {any: [true, 3]}}, use: {loss: MSELoss}, because: b}\n", 5, 38, ["found 3"]),
    ("serve", "select:\n  - {id: a, when: true, use: {loss: MSELoss, serve: maen}, because: b}\n", 5, 53, ["'maen'", "`mean`"]),
    ("serve-key", "select:\n  - {id: a, when: true, use: {loss: MSELoss, serve: {treshold: 0.5}}, because: b}\n", 5, 54, ["`treshold`", "`threshold`"]),
    ("serve-range", "select:\n  - {id: a, when: true, use: {loss: MSELoss, serve: {threshold: 1.5}}, because: b}\n", 5, 65, ["less than 1", "1.5"]),
    ("serve-word", "select:\n  - {id: a, when: true, use: {loss: MSELoss, serve: {threshold: priro}}, because: b}\n", 5, 65, ["`prior`", "'priro'"]),
    ("link", "select:\n  - {id: a, when: true, use: {loss: MSELoss, link: sigmod}, because: b}\n", 5, 52, ["`sigmoid`"]),
    ("loss", "select:\n  - {id: a, when: true, use: {loss: MSEloss}, because: b}\n", 5, 37, ["registered loss", "Did you mean `MSELoss`?"]),
    ("loss-param", "select:\n  - {id: a, when: true, use: {loss: HuberLoss, params: {dleta: 1.0}}, because: b}\n", 5, 64, ["no parameter `dleta`", "`delta`"]),
    ("loss-value", "select:\n  - {id: a, when: true, use: {loss: HuberLoss, params: {delta: wide}}, because: b}\n", 5, 64, ["HuberLoss", "'wide'"]),
    ("reference", "select:\n  - {id: a, when: true, use: {loss: HuberLoss, params: {delta: $target.irq}}, because: b}\n", 5, 64, ["`$target.irq`", "`$target.iqr`"]),
    ("otherwise-loss", "otherwise: {use: {loss: MESLoss}}\n", 4, 25, ["`MSELoss`"]),
    ("otherwise-both", "otherwise: {error: e, use: {loss: MSELoss}}\n", 4, 12, ["exactly one of `error` and `use`"]),
    ("set-reference", "derive:\n  - {id: a, when: true, set: {size: $target.m}}\n", 5, 37, ["`$target.m`"]),
    ("set-list", "derive:\n  - {id: a, when: true, set: {size: $target.pos_weight}}\n", 5, 37, ["found the list"]),
    ("set-types", "derive:\n  - {id: a, when: true, set: {size: 1}}\n  - {id: c, when: true, set: {size: big}}\n", 6, 37, ["`size` is a number in an earlier rule"]),
    ("same-id", "derive:\n  - {id: a, when: true, set: {size: 1}}\nselect:\n  - {id: a, when: true, use: {loss: MSELoss}, because: b}\n", 7, 10, ["duplicate rule id `a`", "line 5"]),
    ("clash", "parameters: {size: 1}\nderive:\n  - {id: a, when: true, set: {size: 1}}\n", 6, 31, ["`size` is a parameter already"]),
    ("clash-definition", "parameters: {size: 1}\ndefinitions: {size: target.n > 1}\n", 5, 15, ["`size` is a parameter already"]),
    ("reserved", "parameters: {known: 1}\n", 4, 14, ["found `known`", "rename"]),
    ("keyword", "definitions: {lambda: true}\n", 4, 15, ["found `lambda`"]),
    ("name-form", "parameters: {Imbalance: 1}\n", 4, 14, ["small letters, digits and underscores"]),
    ("circle", "definitions:\n  p: q\n  q: not r\n  r: p\n", 5, 6, ["reads itself", "p -> q -> r -> p"]),
    ("derive-circle", "derive:\n  - {id: a, when: known(y), set: {x: 1}}\n  - {id: c, when: known(x), set: {y: 1}}\n", 5, 19, ["is read to set itself", "x -> y -> x"]),
    ("derive-self", "derive:\n  - {id: a, when: true, set: {x: $x}}\n", 5, 19, ["x -> x"]),
    ("through-definition", "definitions: {p: known(x)}\nderive:\n  - {id: a, when: p, set: {x: 1}}\n", 6, 19, ["x -> x"]),
    ("duplicate-key", "parameters:\n  a: 1\n  a: 2\n", 6, 3, ["duplicate key `a`", "line 5"]),
    ("number-key", "parameters: {1: 2}\n", 4, 14, ["a key that is a string", "`1`"]),
    ("mapping-key", "parameters: {{a: b}: 2}\n", 4, 14, ["a key that is a string"]),
    ("tag", "description: !!python/object:os.system x\n", 4, 14, ["no tags"]),
    ("anchor", "description: &a x\n", 4, 14, ["no anchors", "`&a`"]),
    ("merge", "parameters: {<<: 1}\n", 4, 14, ["small letters, digits and underscores"]),
    ("infinity", "parameters: {a: .inf}\n", 4, 17, ["a finite number"]),
    ("nan", "parameters: {a: .nan}\n", 4, 17, ["a finite number"]),
    ("null", "parameters: {a: }\n", 4, 17, ["found nothing"]),
    ("second-document", "---\napiVersion: nebula/v1\n", 4, 1, ["one document"]),
    ("not-yaml", "select: [\n", 5, 1, ["expected YAML"]),
    ("tab", "select:\n\t- a\n", 5, 1, ["expected YAML"]),
    ("control", "description: \x07\n", 1, 1, ["cannot be read"]),
    ("base", "extends: [nowhere.yaml]\n", 4, 11, ["no such file"]),
    ("anchor-rule", "select:\n  - {id: a, when: true, before: c, use: {loss: MSELoss}, because: b}\n", 5, 33, ["an inherited rule", "`c`"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "column", "parts"), [case[1:] for case in FILES], ids=[case[0] for case in FILES]
)
def test_a_faulty_file_is_told_at_its_place(text: str, line: int, column: int, parts: list[str]) -> None:
    problems = found(HEAD + text)
    assert len(problems) == 1, problems
    assert (problems[0].line, problems[0].column) == (line, column), problems
    for part in parts:
        assert part in problems[0].message, problems


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "found nothing"),
        ("[]", "expected a mapping"),
        ("just words", "expected a mapping"),
        ("apiVersion: nebula/v1\nname: a\nversion: 1.0\n", "put it in quotes"),
        ("apiVersion: nebula/v2\nname: a\nversion: 1.0.0\n", "expected 'nebula/v1', found 'nebula/v2'"),
        ("name: a\nversion: 1.0.0\n", "expected the key `apiVersion`"),
        ("\ud800", "expected UTF-8"),
    ],
    ids=["empty", "list", "text", "version", "api", "no-api", "surrogate"],
)
def test_a_file_without_its_head(text: str, part: str) -> None:
    assert part in str(found(text)[0])


def test_all_problems_come_at_once_in_file_order() -> None:
    text = HEAD + (
        "parameters: {a: 1, a: 2}\nselect:\n"
        + RULE.format(when="target.meen > 1 and target.n > nothing")
        + RULE.replace("id: a", "id: c").format(when="[1]")
        + RULE.replace("id: a", "id: d").replace("MSELoss", "MSE").format(when="target.n >")
    )
    problems = found(text)
    assert [(p.line, p.column) for p in problems] == [(4, 20), (7, 11), (7, 42), (11, 11), (15, 21), (16, 17)]
    error = pickle.loads(pickle.dumps(PolicyError(problems)))
    assert error.problems == tuple(problems)
    assert str(error).count("\n") == len(problems) - 1


def test_a_fault_hides_no_name_from_the_rules_that_use_it() -> None:
    text = HEAD + (
        "parameters: {big: [1]}\nderive:\n  - {id: d, when: 3, set: {task: count}}\nselect:\n"
        + RULE.format(when='target.n > big and task == "count"')
    )
    assert [problem.line for problem in found(text)] == [4, 6]


@pytest.mark.parametrize(
    ("overrides", "parts"),
    [
        ({"imbalence": 0.2}, ["unknown parameter `imbalence`", "`imbalance`"]),
        ({"imbalance": "0.2"}, ["expected float", "'0.2'"]),
        ({"imbalance": True}, ["expected float", "True"]),
        ({"imbalance": float("nan")}, ["expected float", "nan"]),
        ({"few": 2.0}, ["expected int"]),
        ({"strict": 1}, ["expected bool"]),
    ],
    ids=["name", "text", "bool", "nan", "float-for-int", "int-for-bool"],
)
def test_an_override_must_exist_and_keep_the_type(overrides: dict[str, Any], parts: list[str]) -> None:
    text = policy("target.mean > imbalance", parameters={"imbalance": 0.1, "few": 20, "strict": True})
    (problem,) = found(text, parameters=overrides)
    for part in parts:
        assert part in problem.message


def test_an_override_changes_the_threshold_and_the_digest() -> None:
    text = policy("target.mean > limit", parameters={"limit": 0.5})
    plain, changed = loads(text), loads(text, parameters={"limit": 3})
    assert plain.outcome_only({"target.mean": 1.0}) == ("r0",)
    assert changed.outcome_only({"target.mean": 1.0}) == ()
    assert changed.parameters == {"limit": 3.0}
    assert type(changed.parameters["limit"]) is float
    assert plain.digest != changed.digest == loads(text, parameters={"limit": 3.0}).digest


def test_files_are_named_as_the_user_named_them(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_bytes(b"a: \xff\n")
    for source in (tmp_path / "bad.yaml", str(tmp_path / "bad.yaml")):
        with pytest.raises(PolicyError, match="expected UTF-8") as caught:
            load(source)
        assert caught.value.problems[0].file == str(source)
    with pytest.raises(PolicyError, match=r"Did you mean `default\.yaml`\?"):
        load("defalt.yaml")
    with pytest.raises(PolicyError, match="found something that is no file"):
        load(tmp_path)
    with pytest.raises(PolicyError, match="expected a (readable )?policy file"):
        load("a\0b")


def test_a_byte_order_mark_shifts_nothing() -> None:
    (problem,) = found("\ufeff" + HEAD + "selct: []\n")
    assert (problem.line, problem.column) == (4, 1)
