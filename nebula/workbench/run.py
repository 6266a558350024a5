"""Cases on their policy: what came out against what was expected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nebula.decision.model import Decision
from nebula.decision.policy import Policy, load_policy
from nebula.errors import NebulaError
from nebula.workbench.case_model import Expectation
from nebula.workbench.case_reader import Case, Suite

__all__ = ["Difference", "Result", "differences", "policy_of", "run_case", "run_suite"]


@dataclass(frozen=True)
class Difference:
    """One expectation that does not hold.

    Attributes:
        what: The key under `expect`.
        expected: What the case says.
        got: What came out.
    """

    what: str
    expected: str
    got: str


@dataclass(frozen=True)
class Result:
    """One case that was run.

    Attributes:
        case: The case.
        policy: The policy it was run on, with the case's parameters.
        decision: What came out; None when deciding raised an error.
        error: That error as `Class: message`.
        differences: The expectations that do not hold; none when the case passes.
    """

    case: Case
    policy: Policy
    decision: Decision | None
    error: str | None
    differences: tuple[Difference, ...]

    @property
    def passed(self) -> bool:
        """Whether everything expected holds."""
        return not self.differences


def policy_of(suite: Suite) -> Callable[[Mapping[str, Any]], Policy]:
    """Return the suite's policy as a function of the parameters; each set is loaded once."""
    loaded: dict[tuple[tuple[str, Any], ...], Policy] = {}

    def policy(parameters: Mapping[str, Any]) -> Policy:
        key = tuple(sorted(parameters.items()))
        if key not in loaded:
            loaded[key] = load_policy(suite.policy, parameters=dict(parameters))
        return loaded[key]

    return policy


def run_suite(suite: Suite, cases: Iterable[Case] | None = None) -> Iterator[Result]:
    """Yield the result of each case.

    Args:
        suite: The cases and the policy they are for.
        cases: Which of them to run; all when None.

    Raises:
        PolicyError: The policy cannot be used.
    """
    policy = policy_of(suite)
    for case in suite.cases if cases is None else cases:
        yield run_case(policy(case.parameters), case)


def run_case(policy: Policy, case: Case) -> Result:
    """Decide on what the case gives and compare with what it expects.

    Args:
        policy: The policy with the case's parameters.
        case: The case.
    """
    decision, error = None, None
    try:
        decision = policy.decide(case.profile)
    except NebulaError as raised:
        error = f"{type(raised).__name__}: {raised}"
    return Result(case, policy, decision, error, tuple(differences(case.expect, decision, error)))


def differences(expect: Expectation, decision: Decision | None, error: str | None) -> Iterator[Difference]:
    """Yield the expectations that do not hold.

    Args:
        expect: What the case says.
        decision: What came out, or None after an error.
        error: The error, as `Class: message`.
    """
    if expect.error is not None:
        if error is None:
            yield Difference("error", expect.error, str(decision))
        elif expect.error not in error:
            yield Difference("error", expect.error, error)
    elif error is not None:
        yield Difference("error", "none", error)
    if decision is None:
        return
    rule = decision.rule_id or "otherwise"
    spec = decision.spec
    came_out = {
        "loss": spec.loss if spec else "none",
        "rule": rule,
        "task": decision.task or "none",
        "status": decision.status,
        "link": spec.link if spec else "none",
        "serve": spec.serve.functional if spec else "none",
    }
    for what, got in came_out.items():
        expected = getattr(expect, what)
        if expected is not None and expected != got:
            yield Difference(what, expected, got)
    unwanted = (expect.not_rule,) if isinstance(expect.not_rule, str) else expect.not_rule or ()
    if rule in unwanted:
        yield Difference("not_rule", f"not {rule}", rule)
