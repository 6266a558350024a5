"""Every package that comes along is listed with its licence, and none of them binds the user's own code."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError

import pytest

from tests.project.licences import EXTRAS, OWN, PAGE, canonical, closure, licence
from tests.project.test_packaging import CONSTRAINTS, PROJECT

LISTED = dict(re.findall(r"^\| (?!package)([a-z0-9-]+) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
BACKPORTS = {canonical(line.split("==")[0]) for line in CONSTRAINTS if 'python_version < "3.11"' in line}
PERMISSIVE = re.compile(r"MIT|BSD|Apache|PSF|ISC|Zlib|CC0|BSL|MPL|HPND|Unlicense|Python")


@pytest.mark.parametrize("extra", ["", *EXTRAS])
def test_everything_that_comes_along_is_listed(extra: str) -> None:
    installed = set()
    for name in closure(extra):
        try:
            licence(name)
        except PackageNotFoundError:
            continue
        installed.add(name)
    assert installed - LISTED.keys() - BACKPORTS == set(), "run `python -m tests.project.licences`"


def test_every_extra_of_the_product_is_listed() -> None:
    assert set(PROJECT["optional-dependencies"]) - {"dev", "docs", "bench"} == set(EXTRAS)
    assert OWN not in LISTED


@pytest.mark.parametrize(("name", "told"), sorted(LISTED.items()))
def test_the_licence_is_permissive(name: str, told: str) -> None:
    assert told
    assert PERMISSIVE.search(told), name
    assert "GPL" not in told.replace("LGPL", ""), name
