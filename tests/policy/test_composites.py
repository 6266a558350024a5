"""Rules that choose several losses: `compose`, and `hit_policy: collect`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch
import yaml

import nebula
from nebula.decision.collect import collect
from nebula.decision.policy import Policy
from nebula.errors import PolicyError
from nebula.losses.composite import CompositeCriterion
from nebula.losses.factory import build_criterion
from nebula.losses.spec import LossSpec
from nebula.policy.lint import lint_policy
from nebula.policy.loader import loads
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


@pytest.mark.parametrize("weight", [0.5, 0.0, "$half"])
def test_a_lone_rule_keeps_its_weight(write: Any, weight: float | str) -> None:
    text = COLLECT.replace("target.n_classes > 2", "target.n_classes > 5").replace(
        "{loss: CrossEntropyLoss, output_bias", f"{{loss: CrossEntropyLoss, weight: {weight}, output_bias"
    )
    policy = write(text.replace("select:", "parameters: {half: 0.5}\nselect:", 1))
    decision = nebula.select(LABELS, LOGITS, policy=policy)
    assert decision.spec is not None
    factor = 0.5 if isinstance(weight, str) else weight
    assert [(term.name, term.weight) for term in decision.spec.terms] == [("labels", factor)]
    assert decision.spec.serve.functional == "argmax"
    assert decision.spec.output_bias is not None
    loss = build_criterion(decision.spec)(LOGITS, LABELS)
    plain = torch.nn.functional.cross_entropy(LOGITS, LABELS)
    assert loss.item() == pytest.approx(factor * plain.item())


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


LINEAR = "{schedule: linear, from: 1, to: 0.5, over: 200}"


def lone(use: str, hit_policy: str = "first") -> str:
    rule = f"  - {{id: a, when: known(target.mean), use: {use}, because: So.}}\n"
    return f"{HEAD}hit_policy: {hit_policy}\nselect:\n{rule}otherwise: {{error: none}}\n"


LONE = [
    ("alone", lone(f"{{compose: [{{loss: MSELoss, weight: {LINEAR}}}]}}"), True),
    ("two-terms", lone(f"{{compose: [{{loss: MSELoss, weight: {LINEAR}}}, {{loss: L1Loss}}]}}"), False),
    (
        "penalty",
        lone(f"{{compose: [{{loss: MSELoss, weight: {LINEAR}}}], penalties: [{{kind: l2, strength: 0.1}}]}}"),
        False,
    ),
    ("constant", lone("{compose: [{loss: MSELoss, weight: 0.5}]}"), False),
    ("fact", lone("{compose: [{loss: MSELoss, weight: $target.mean}]}"), False),
    ("collected", lone(f"{{compose: [{{loss: MSELoss, weight: {LINEAR}}}]}}", "collect"), False),
    (
        "otherwise",
        f"{HEAD}otherwise: {{use: {{compose: [{{loss: MSELoss, weight: {LINEAR}}}]}}, because: So.}}\n",
        True,
    ),
]


@pytest.mark.parametrize(("text", "told"), [case[1:] for case in LONE], ids=[case[0] for case in LONE])
def test_a_schedule_on_the_only_term_is_told(text: str, told: bool, tmp_path: Path) -> None:
    source = tmp_path / "p.yaml"
    source.write_text(text, encoding="utf-8")
    found = lint_policy(source)
    assert [problem.code for problem in found] == (["NEB-P111"] if told else [])
    for problem in found:
        line = text.splitlines()[problem.line - 1]
        assert line[problem.column - 1 :].startswith("{schedule: linear")


def trained(weight: Any, optimiser: Callable[[list[torch.Tensor]], torch.optim.Optimizer], steps: int) -> torch.Tensor:
    """Where a regression of five weights stands after some steps with a single-term composite."""
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(64, 5, generator=draw)
    y = x @ torch.arange(5.0) + 0.1 * torch.randn(64, generator=draw)
    term = {"name": "mse", "weight": weight, "spec": {"loss": "MSELoss", "serve": {"functional": "mean"}}}
    spec = LossSpec.model_validate({"loss": "CompositeLoss", "serve": {"functional": "mean"}, "terms": [term]})
    criterion = build_criterion(spec)
    assert isinstance(criterion, CompositeCriterion)
    w = torch.zeros(5, requires_grad=True)
    stepper = optimiser([w])
    for _ in range(steps):
        stepper.zero_grad()
        criterion(x @ w, y).backward()
        stepper.step()
        criterion.advance()
    return w.detach()


SLOW = {"schedule": "linear", "from": 1.0, "to": 0.2, "over": 800}
OPTIMISERS = {
    "adam": lambda weights: torch.optim.Adam(weights, lr=0.002, betas=(0.9, 0.98)),  # a memory of 50 steps
    "sgd": lambda weights: torch.optim.SGD(weights, lr=0.0005),
}


def moved(name: str, weight: Any) -> float:
    """How far a weight moves the end of training, beside its length."""
    plain, weighted = (trained(w, OPTIMISERS[name], 800) for w in (1.0, weight))
    return float((plain - weighted).norm() / plain.norm())


def test_adam_hardly_sees_the_weight_of_the_only_term() -> None:
    """What NEB-P111 says."""
    assert moved("adam", 0.01) < 1e-3
    assert moved("adam", SLOW) < 0.1
    assert moved("sgd", SLOW) > 2 * moved("adam", SLOW)


EXPLAINED = [
    ({"schedule": "cosine", "from": 1, "to": 0, "over": 10}, "cosine: from 1 to 0 over 10 steps"),
    (
        {"schedule": "linear", "from": 0, "to": 2, "over": 9, "delay": 3},
        "linear: from 0 to 2 over 9 steps, after 3 steps",
    ),
    ({"schedule": "step", "from": 1, "factor": 0.5, "every": 4}, "step: 1, times 0.5 every 4 steps"),
    (
        {"schedule": "step", "from": 1, "factor": 0.5, "every": 4, "least": 0.1},
        "step: 1, times 0.5 every 4 steps, never below 0.1",
    ),
    ({"schedule": "cyclical", "low": 0, "high": 1, "period": 8}, "cyclical: from 0 to 1 and back every 8 steps"),
    (
        {"schedule": "phases", "phases": [{"until": 5, "weight": 0}, {"weight": 1}]},
        "phases: 0 until step 5, then 1",
    ),
    (0.25, "0.25"),
]


@pytest.mark.parametrize(("weight", "said"), EXPLAINED, ids=[said.partition(":")[0] for _, said in EXPLAINED])
def test_explain_lists_terms_weights_and_penalties(weight: Any, said: str) -> None:
    use = {
        "compose": [{"loss": "CrossEntropyLoss"}, {"loss": "NLLLoss", "name": "second", "weight": weight}],
        "penalties": [
            {"kind": "elastic_net", "strength": 0.5, "l1_share": 0.25, "include": ["encoder.*"]},
            {"kind": "l2", "strength": 1, "exclude": ["head.*"], "biases_and_norms": True},
        ],
    }
    document = yaml.safe_load(HEAD) | {
        "select": [{"id": "a", "when": "target.is_integer_valued", "use": use, "because": "So."}]
    }
    decision = Policy(loads(yaml.safe_dump(document))).decide(nebula.profile(LABELS, LOGITS))
    text = decision.explain()
    assert "term:        crossentropyloss: CrossEntropyLoss(" in text
    assert "second: NLLLoss(" in text
    assert f"weight {said}\n" in text
    assert "penalty:     elastic_net of strength 0.5, 0.25 of it l1 on encoder.*" in text
    assert "penalty:     l2 of strength 1 on all weights without head.*, biases and norms too" in text
    assert decision.spec is not None
    for term in decision.spec.terms:
        for step in term.spec.adapt:
            assert f"{term.name}: {step.on}: {step.step}" in text
