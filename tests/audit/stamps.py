"""Ids, times and hashes are others at every run; a page shows the same ones."""

from __future__ import annotations

import re
from hashlib import sha256

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00)?")
_HEX = re.compile(r"(?<![:\w])(?:[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{12})(?!\w)|(?<=\d:)[0-9a-f]{64}(?!\w)")


def steady(text: str, known: dict[str, str]) -> str:
    """The text with times and hexadecimal names replaced by steady ones of the same length.

    Args:
        text: Output of commands.
        known: What earlier names were replaced by; grows.
    """

    def name(found: re.Match[str]) -> str:
        kept = known.setdefault(found[0][:12], sha256(b"%d" % len(known)).hexdigest())
        return kept[: len(found[0])]

    return _TIME.sub(lambda found: "2026-05-31T12:00:00.000+00:00"[: len(found[0])], _HEX.sub(name, text))
