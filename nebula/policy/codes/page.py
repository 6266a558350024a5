"""What a code's page holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["HEAD", "CodePage", "rule"]

HEAD = "apiVersion: nebula/v1\nname: example\nversion: 1.0.0\n"


@dataclass(frozen=True)
class CodePage:
    """One kind of problem, explained.

    Attributes:
        code: Its stable name.
        title: What is wrong, in a few words.
        meaning: What it means and why it matters.
        mend: What to do.
        bad: A policy with this problem; the head (`apiVersion`, `name`, `version`) is left out.
        good: The same, mended.
        severity: An `error` keeps the policy from loading; a `warning` does not.
        whole: The bad example stands without the head.
        encoding: Encoding of the bad example.
        settings: Parameters given from outside (`--set`) with the bad example.
        beside: Other files in the folder of the bad example, by name.
    """

    code: str
    title: str
    meaning: str
    mend: str
    bad: str
    good: str
    severity: Literal["error", "warning"] = "error"
    whole: bool = False
    encoding: str = "utf-8"
    settings: Mapping[str, object] = field(default_factory=dict)
    beside: Mapping[str, str] = field(default_factory=dict)


def rule(when: str, *, use: str = "{loss: MSELoss}", identity: str = "a", section: str = "select:\n") -> str:
    """Write one select rule of an example, under a heading unless it is empty."""
    return f"{section}  - id: {identity}\n    when: {when}\n    use: {use}\n    because: An example.\n"
