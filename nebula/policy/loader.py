"""A policy's name or text → a checked, compiled policy, or every problem at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from nebula.errors import PolicyError
from nebula.policy.checks import check_policy
from nebula.policy.compiled import CompiledPolicy, RuleText
from nebula.policy.digest import digest_of
from nebula.policy.files import PolicyText, find_policy
from nebula.policy.inheritance import Resolved, resolve
from nebula.policy.parameters import override_parameters

__all__ = ["load", "loads"]


def load(source: str | Path, *, parameters: Mapping[str, Any] | None = None) -> CompiledPolicy:
    """Read, check and compile a policy.

    Args:
        source: A path, or the name of a shipped policy such as `default.yaml`; paths come first.
        parameters: Values that replace the policy's parameters, by name and of the same type.

    Returns:
        The policy, ready to evaluate.

    Raises:
        PolicyError: The policy cannot be used; lists every problem with file, line and column.
    """
    text = find_policy(source)
    if parameters or not isinstance(text.content, bytes) or b"extends" in text.content:
        return _compile(text, parameters)
    return _compile_once(text)


@lru_cache(maxsize=32)
def _compile_once(text: PolicyText) -> CompiledPolicy:
    """Compile a file that stands alone once for each content; what others extend may change on disk."""
    return _compile(text, None)


def loads(text: str, *, name: str = "<string>", parameters: Mapping[str, Any] | None = None) -> CompiledPolicy:
    """Check and compile a policy given as text; its `extends` start from the working directory.

    Args:
        text: The policy in YAML.
        name: What errors call it.
        parameters: As for `load`.

    Returns:
        The policy, ready to evaluate.

    Raises:
        PolicyError: The policy cannot be used; lists every problem with line and column.

    Example:
        >>> policy = loads('''
        ... apiVersion: nebula/v1
        ... name: two-lines
        ... version: 1.0.0
        ... select:
        ...   - {id: counts, when: target.min >= 0, use: {loss: PoissonNLLLoss}, because: Counts.}
        ... ''')
        >>> policy.outcome_only({"target.min": 0.0})
        ('counts',)
    """
    return _compile(PolicyText(name, text, Path(), name), parameters)


def _compile(text: PolicyText, overrides: Mapping[str, Any] | None) -> CompiledPolicy:
    resolved = resolve(text)
    parameters = override_parameters(resolved, overrides)
    checked = check_policy(resolved, parameters)
    if checked is None or resolved.problems:
        raise PolicyError(list(dict.fromkeys(resolved.problems)))
    return CompiledPolicy(
        checked.file,
        checked.plan,
        {rule: _text(resolved, rule, said) for rule, said in checked.texts.items()},
        source=text.name,
        digest=digest_of(checked.file, parameters),
        parameters=parameters,
    )


def _text(resolved: Resolved, rule: str, text: str) -> RuleText:
    origin = resolved.origins.get(("select", rule)) or resolved.origins["derive", rule]
    return RuleText(text, origin.source.name, origin.source.place(origin.path)[0])
