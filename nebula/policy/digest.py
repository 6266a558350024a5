"""The identity of a policy: a hash of what it says, not of how it is written."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from nebula.policy.model import PolicyFile

__all__ = ["digest_of"]


def digest_of(file: PolicyFile, parameters: Mapping[str, bool | int | float | str]) -> str:
    """Hash a resolved policy with its effective parameters.

    Comments, white space, quotes and the order of keys do not matter; the order of rules does.

    Args:
        file: The resolved policy, its conditions checked.
        parameters: Effective parameters.

    Returns:
        `blake2b:` and 32 hexadecimal digits.
    """
    content = file.model_dump(mode="json", by_alias=True)
    if file.on_drift is None:  # so that policies from before this key keep their identity
        del content["on_drift"]
    content["parameters"] = dict(parameters)
    content["definitions"] = {name: _canonical(condition) for name, condition in content["definitions"].items()}
    for rule in (*content["derive"], *content["select"]):
        rule["when"] = _canonical(rule["when"])
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return f"blake2b:{blake2b(text.encode(), digest_size=16).hexdigest()}"


def _canonical(condition: Any) -> Any:
    """Write each condition text as Python's own formatter does."""
    if isinstance(condition, str):
        return ast.unparse(ast.parse(" ".join(condition.splitlines()).strip(), mode="eval"))
    if isinstance(condition, dict):
        return {key: _canonical(inner) for key, inner in condition.items()}
    return [_canonical(part) for part in condition] if isinstance(condition, list) else condition
