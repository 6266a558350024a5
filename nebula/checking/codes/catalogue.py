"""All codes of findings with their pages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nebula.checking.codes import calls, extras, sequences, spaces, targets
from nebula.checking.codes.page import CheckPage

__all__ = ["CHECK_CODES"]

CHECK_CODES: Mapping[str, CheckPage] = MappingProxyType(
    {page.code: page for part in (calls, targets, spaces, sequences, extras) for page in part.PAGES}
)
"""Every page by its code, in the order of the codes."""
