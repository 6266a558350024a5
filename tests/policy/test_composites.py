"""Rules that choose several losses: `compose`, and `hit_policy: collect`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch
import yaml

import nebula
from nebula.decision.collect import collect
from nebula.errors import PolicyError
from nebula.losses.composite import CompositeCriterion
from nebula.policy.model import SelectRule
from nebula.schemas import SCHEMAS

HEAD = "apiVersion: nebula/v1\nname: sums\nversion: 1.0.0\n"
LABELS = torch.tensor([0, 1, 2, 3, 4] * 10)
LOGITS = torch.randn(50, 5, generator=torch.Generator().manual_seed(0))

COMPOSE = (
    HEAD
    + """
parameters: {smooth_weight: 0.25}
select:
  - id: pixels
    when: target.is_integer_valued
    use:
      compose:
        - {loss: CrossEntropyLoss, name: hard}
        - {loss: CrossEntropyLoss, params: {label_smoothing: 0.5}, weight: $smooth_weight}
        - {loss: NLLLoss, weight: {schedule: linear, from: 0, to: 2, over: 10}}
      params: {weighting: static}
      penalties: [{kind: l2, strength: 0.5}]
      output_bias: log_prior
      serve: argmax
    because: Labels are classes.
otherwise: {error: none}
"""
)

COLLECT = (
    HEAD
    + """
hit_policy: collect
select:
  - id: labels
    when: target.is_integer_valued
    use: {loss: CrossEntropyLoss, output_bias: log_prior, serve: argmax}
    because: Labels are classes.
  - id: never
    when: target.n_classes > 1000
    use: {loss: NLLLoss}
    because: Too many.
  - id: soft
    when: target.n_classes > 2
    use: {loss: CrossEntropyLoss, params: {label_smoothing: 0.1}, weight: 0.5}
    because: Several classes.
otherwise: {error: none}
"""
)


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def inner(text: str) -> Path:
        path = tmp_path / "policy.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return inner


def test_composed_terms_become_a_composite_criterion(write: Any) -> None:
    decision = nebula.select(LABELS, LOGITS, policy=write(COMPOSE))
    spec = decision.spec
    assert spec is not None
    assert [(term.name, term.spec.loss) for term in spec.terms] == [
        ("hard", "CrossEntropyLoss"),
        ("crossentropyloss", "CrossEntropyLoss"),
        ("nllloss", "NLLLoss"),
    ]
    model = torch.nn.Linear(5, 5)
    criterion = nebula.build(decision)
    assert isinstance(criterion, CompositeCriterion)
    criterion.attach(model).advance(5)
    hard = torch.nn.functional.cross_entropy(LOGITS, LABELS)
    soft = torch.nn.functional.cross_entropy(LOGITS, LABELS, label_smoothing=0.5)
    expected = hard + 0.25 * soft + 1.0 * hard + 0.25 * model.weight.square().sum()
    torch.testing.assert_close(criterion(LOGITS, LABELS), expected)
    assert torch.equal(criterion.predict(LOGITS), LOGITS.argmax(1))
    assert criterion.init_output_bias(model).bias.shape == (5,)


def test_collect_adds_the_choices_of_all_rules_that_fire(write: Any) -> None:
    decision = nebula.select(LABELS, LOGITS, policy=write(COLLECT))
    assert decision.rule_id == "labels"
    assert decision.trace.because == "Labels are classes. Several classes."
    assert decision.spec is not None
    assert [(term.name, term.weight) for term in decision.spec.terms] == [("labels", 1.0), ("soft", 0.5)]
    smooth = torch.nn.functional.cross_entropy(LOGITS, LABELS, label_smoothing=0.1)
    expected = torch.nn.functional.cross_entropy(LOGITS, LABELS) + 0.5 * smooth
    torch.testing.assert_close(nebula.build(decision)(LOGITS, LABELS), expected)


def test_collect_of_one_rule_is_that_rules_loss(write: Any) -> None:
    labels, logits = torch.tensor([0, 1] * 10), torch.randn(20, 2)
    decision = nebula.select(labels, logits, policy=write(COLLECT))
    assert decision.spec is not None
    assert decision.spec.loss == "CrossEntropyLoss"


def test_a_decision_reads_back_from_its_trace(write: Any) -> None:
    for text in (COMPOSE, COLLECT):
        trace = nebula.select(LABELS, LOGITS, policy=write(text)).trace
        again = type(trace).model_validate_json(trace.model_dump_json())
        assert again.spec == trace.spec


def test_rules_that_ask_contribute_nothing() -> None:
    def rule(identity: str, **fields: Any) -> SelectRule:
        return SelectRule.model_validate({"id": identity, "when": True, "because": "x", **fields})

    asking = rule("asks", ambiguous={"between": ["a", "b"], "ask": "which?"})
    single = rule("single", use={"loss": "MSELoss", "serve": "mean"})
    nested = rule("nested", use={"compose": [{"loss": "L1Loss", "name": "a"}, {"loss": "HuberLoss"}]})
    assert collect([asking]) is None
    assert collect([asking, single]) == single.use
    both = collect([single, asking, nested])
    assert both is not None
    assert [term.name for term in both.compose] == ["single", "nested-a", "nested-2"]
    assert both.serve == "mean"


@pytest.mark.parametrize(
    ("use", "message"),
    [
        ("{serve: mean}", "expected `loss`, or `compose`"),
        ("{loss: MSELoss, compose: [{loss: L1Loss}]}", "expected `loss`, or `compose`"),
        ("{loss: CompositeLoss}", "expected `loss`, or `compose`"),
        ("{compose: []}", "expected `loss`, or `compose`"),
        ("{loss: MSELoss, penalties: [{kind: l1, strength: 1}]}", "expected `penalties` beside `compose`"),
        ("{compose: [{loss: CompositeLoss}]}", "found a composite"),
        ("{compose: [{loss: HuberLos}]}", "Did you mean `HuberLoss`"),
        ("{compose: [{loss: HuberLoss, params: {delta: -1}}]}", "HuberLoss: expected a number > 0|greater than 0"),
        ("{compose: [{loss: HuberLoss, params: {dleta: 1}}]}", "Did you mean `delta`"),
        ("{compose: [{loss: HuberLoss, weight: $targt.n}]}", "Did you mean `$target.n`"),
        ("{compose: [{loss: HuberLoss, weight: -1}]}", "greater than or equal to 0, found -1"),
        ("{compose: [{loss: HuberLoss, weight: {schedule: linear, from: 1}}]}", "expected the key `over`"),
        ("{compose: [{loss: HuberLoss}], params: {weighting: dw}}", "Did you mean `dwa`"),
    ],
    ids=lambda text: text[:48],
)
def test_what_makes_no_sense_is_refused_with_its_place(write: Any, use: str, message: str) -> None:
    text = HEAD + f"select:\n  - id: a\n    when: true\n    use: {use}\n    because: x\notherwise: {{error: none}}\n"
    with pytest.raises(PolicyError, match=message.replace("$", r"\$")) as refused:
        nebula.load_policy(write(text))
    assert refused.value.problems[0].line == 7


@pytest.mark.parametrize("text", [COMPOSE, COLLECT], ids=["compose", "collect"])
def test_the_schema_admits_them(text: str) -> None:
    jsonschema.validate(yaml.safe_load(text), SCHEMAS["policy"]())


@pytest.mark.parametrize(
    "use",
    [
        {"serve": "mean"},
        {"compose": [{"loss": "CompositeLoss"}]},
        {"compose": [{"loss": "HuberLoss", "params": {"delta": -1}}]},
        {"compose": [{"loss": "HuberLoss", "weight": {"schedule": "wave"}}]},
        {"compose": [{"loss": "HuberLoss"}], "params": {"weighting": "dw"}},
    ],
    ids=str,
)
def test_the_schema_refuses_the_broken(use: dict[str, Any]) -> None:
    document = yaml.safe_load(COMPOSE)
    document["select"][0]["use"] = use
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMAS["policy"]())
