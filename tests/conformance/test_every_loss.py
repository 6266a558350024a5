"""The conformance suite over every registered loss, one test a property."""

from __future__ import annotations

import pytest

from nebula.conformance.suite import Check, checks
from nebula.losses.catalogue import FAMILIES

CHECKS = list(checks(entry for family in FAMILIES for entry in family.ENTRIES))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_conforms(check: Check) -> None:
    check.run()
