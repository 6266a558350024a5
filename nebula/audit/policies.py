"""The policies that decided, kept beside the log under their content's hash."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from nebula.decision.policy import Policy
from nebula.errors import PolicyError
from nebula.policy.compiled import CompiledPolicy
from nebula.policy.loader import loads
from nebula.policy.yaml_reader import MAX_BYTES

__all__ = ["PolicyArchive", "policy_text"]

_DIGEST = re.compile(r"blake2b:([0-9a-f]{32})")


def policy_text(policy: CompiledPolicy) -> str:
    """Return a policy as one YAML file with its effective parameters; it has the same digest.

    Args:
        policy: The policy as it was loaded; its files may have changed since.
    """
    document: dict[str, Any] = policy.file.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    document["apiVersion"] = policy.file.api_version
    written = dict(document.pop("parameters", {}))
    for name, value in policy.parameters.items():
        written[name] = {**written[name], "value": value} if isinstance(written.get(name), dict) else value
    if written:
        document["parameters"] = written
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


class PolicyArchive:
    """A folder of policies by digest; each is written once.

    Args:
        folder: Made when the first policy is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kept: set[str] = set()

    def keep(self, policy: Policy) -> None:
        """Write a policy unless it is there.

        Raises:
            OSError: The folder cannot be written.
        """
        if policy.digest in self._kept:
            return
        path = self._path(policy.digest)
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}.{uuid4().hex}")
            try:
                with draft.open("w", encoding="utf-8") as stream:
                    stream.write(policy_text(policy.compiled))
                    stream.flush()
                    os.fsync(stream.fileno())
                draft.replace(path)
            finally:
                draft.unlink(missing_ok=True)
        self._kept.add(policy.digest)

    def load(self, digest: str, source: str) -> Policy | None:
        """Return the policy of this digest; None when it is missing, unreadable or says something else.

        Args:
            digest: `blake2b:` and 32 hexadecimal digits.
            source: What the policy was called when it decided.
        """
        try:
            with self._path(digest).open("rb") as stream:
                text = stream.read(MAX_BYTES + 1).decode("utf-8")
            found = Policy(loads(text, name=source))
        except (OSError, ValueError, PolicyError):
            return None
        return found if found.digest == digest else None

    def _path(self, digest: str) -> Path:
        found = _DIGEST.fullmatch(digest)
        if found is None:
            raise ValueError(f"expected `blake2b:` and 32 hexadecimal digits, found {digest!r}.")
        return self.folder / f"{found[1]}.yaml"
