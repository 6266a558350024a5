"""All codes with their pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType

from nebula.policy.codes import advice, language, layout, naming, reading
from nebula.policy.codes.page import CodePage

__all__ = ["CODES", "nearest_code", "whole_code"]

CODES: Mapping[str, CodePage] = MappingProxyType(
    {page.code: page for part in (reading, layout, naming, language, advice) for page in part.PAGES}
)
"""Every page by its code, in the order of the codes."""


def whole_code(code: str) -> str:
    """Return a code as the pages spell it: in capitals, and with the prefix that may be left out."""
    spelt = code.strip().upper()
    return spelt if spelt.startswith("NEB") else f"NEB-{spelt}"


def nearest_code(code: str, known: Iterable[str] = CODES) -> str | None:
    """Return the known code that is spelt most alike, or None."""
    near = get_close_matches(whole_code(code), list(known), n=1, cutoff=0.7)
    return near[0] if near else None
