"""A policy's digest, and what a compiled policy tells about itself."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable

import pytest

from nebula.policy.compiled import CompiledPolicy
from nebula.policy.loader import load, loads
from tests.policy.samples import derive, policy

PLAIN = """\
apiVersion: nebula/v1
name: sample
version: 1.0.0
parameters: {low: 1, high: 0.5}
definitions:
  small: target.n < low
derive:
  - {id: d, when: small, set: {task: count}}
select:
  - id: a
    when: task == "count" and target.mean > high
    use: {loss: HuberLoss, params: {delta: $target.iqr}}
    because: b
  - {id: c, when: true, use: {loss: MSELoss}, because: b}
"""
SAME = {
    "comment": ("select:", "# why\nselect:  # here"),
    "spacing": ("target.mean > high", "target.mean>high"),
    "quotes": ('"count"', "'count'"),
    "fold": ('task == "count" and target.mean > high', '>\n      task == "count"\n      and target.mean > high'),
    "order-of-keys": ("{low: 1, high: 0.5}", "{high: 0.5, low: 1}"),
    "style": ("{low: 1, high: 0.5}", "\n  low: 1\n  high: 0.5"),
    "number": ("high: 0.5", "high: 5e-1"),
}
OTHER = {
    "parameter": ("low: 1", "low: 2"),
    "definition": ("target.n < low", "target.n <= low"),
    "loss": ("loss: MSELoss", "loss: L1Loss"),
    "because": ("because: b\n", "because: c\n"),
    "set": ("set: {task: count}", "set: {task: count, size: 1}"),
    "version": ("1.0.0", "1.0.1"),
}


@pytest.mark.parametrize(("old", "new"), SAME.values(), ids=SAME)
def test_how_it_is_written_does_not_change_the_digest(old: str, new: str) -> None:
    assert old in PLAIN
    assert loads(PLAIN.replace(old, new)).digest == loads(PLAIN).digest


@pytest.mark.parametrize(("old", "new"), OTHER.values(), ids=OTHER)
def test_what_it_says_changes_the_digest(old: str, new: str) -> None:
    assert old in PLAIN
    assert loads(PLAIN.replace(old, new)).digest != loads(PLAIN).digest


def test_the_order_of_rules_changes_the_digest() -> None:
    assert loads(policy("true", "false")).digest != loads(policy("false", "true")).digest


def test_the_digest_is_128_bits_and_stable() -> None:
    assert re.fullmatch("blake2b:[0-9a-f]{32}", loads(PLAIN).digest)
    assert loads(PLAIN, name="x").digest == loads(PLAIN, name="y").digest


def test_a_policy_answers_for_its_rules() -> None:
    compiled = loads(PLAIN, name="p.yaml")
    assert compiled.rule("a").use.loss == "HuberLoss"  # type: ignore[union-attr]
    assert compiled.text("a") == 'task == "count" and target.mean > high'
    assert compiled.text("d") == "small"
    assert [compiled.position(rule) for rule in ("d", "a", "c")] == [("p.yaml", 8), ("p.yaml", 10), ("p.yaml", 14)]
    assert (compiled.source, compiled.file.name) == ("p.yaml", "sample")
    with pytest.raises(KeyError):
        compiled.rule("d")


def test_a_tree_is_told_as_one_line() -> None:
    compiled = loads(policy({"any": ["target.n > 1", {"not": "target.is_simplex"}]}))
    assert compiled.text("r0") == "(target.n > 1) or (not (target.is_simplex))"


def pickled(compiled: CompiledPolicy) -> CompiledPolicy:
    twin: CompiledPolicy = pickle.loads(pickle.dumps(compiled))
    return twin


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_a_copy_decides_the_same(copied: Callable[[CompiledPolicy], CompiledPolicy]) -> None:
    compiled = loads(PLAIN, parameters={"low": 7})
    twin = copied(compiled)
    facts = {"target.n": 3, "target.mean": 0.75}
    assert twin.evaluate(facts) == compiled.evaluate(facts)
    assert twin.evaluate(facts).fired == ("a", "c")
    assert (twin.digest, twin.parameters, twin.position("a")) == (
        compiled.digest,
        compiled.parameters,
        compiled.position("a"),
    )


def test_a_shipped_policy_is_found_by_name_and_by_path() -> None:
    assert load("default.yaml").source == "default.yaml"
    assert load("default.yaml").file.select


def test_derive_and_select_rules_share_their_ids_namespace() -> None:
    compiled = loads(policy("size == 1", derive=[derive("d", "true", size=1)]))
    assert compiled.position("d")[1] < compiled.position("r0")[1]


def test_a_file_is_compiled_once_for_each_content(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(PLAIN, encoding="utf-8")
    first = load(path)
    assert load(path) is first
    assert load(path, parameters={"low": 2}).digest != first.digest
    path.write_text(PLAIN.replace("0.5", "0.6"), encoding="utf-8")
    assert load(path).digest != first.digest


def test_a_change_of_the_base_is_seen(tmp_path):
    base, child = tmp_path / "base.yaml", tmp_path / "child.yaml"
    base.write_text(PLAIN, encoding="utf-8")
    child.write_text("apiVersion: nebula/v1\nname: child\nversion: 1.0.0\nextends: [base.yaml]\n", encoding="utf-8")
    first = load(child)
    base.write_text(PLAIN.replace("MSELoss", "L1Loss"), encoding="utf-8")
    assert load(child).rule("c").use.loss == "L1Loss"
    assert first.rule("c").use.loss == "MSELoss"
