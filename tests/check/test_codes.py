"""Every code is stable, explained, and shown by an example that really produces it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from nebula.checking.codes import calls, extras, sequences, spaces, targets
from nebula.checking.codes.catalogue import CHECK_CODES
from nebula.checking.codes.markdown import render_check_page
from nebula.checking.codes.page import PREAMBLE, CheckPage
from nebula.checking.report import CheckReport
from nebula.checking.run import check
from tests.project.tree import PACKAGE


def run(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {"extra": {}}
    exec("import functools\n" + PREAMBLE + code, names)  # noqa: S102 - the example of a page
    return names


def report(names: dict[str, Any]) -> CheckReport:
    return check(names["loss"], names["prediction"], names["target"], **names["extra"])


@pytest.mark.parametrize("page", CHECK_CODES.values(), ids=list(CHECK_CODES))
def test_the_bad_example_has_this_finding_and_no_other(page: CheckPage) -> None:
    found = report(run(page.bad))
    assert found.codes() == (page.code,), str(found)
    assert found.findings[0].severity == page.severity or page.code == "NEB-C054"


@pytest.mark.parametrize("page", CHECK_CODES.values(), ids=list(CHECK_CODES))
def test_the_good_example_has_none(page: CheckPage) -> None:
    found = report(run(page.good))
    assert found.findings == (), str(found)


@pytest.mark.parametrize("code", [code for code in CHECK_CODES if code not in ("NEB-C001", "NEB-C006", "NEB-C007")])
def test_the_fix_is_python_that_makes_the_finding_go_away(code: str) -> None:
    names = run(CHECK_CODES[code].bad)
    names.update(names["extra"])
    if isinstance(names["prediction"], tuple):
        names["prediction"], names["positive"], names["negative"] = names["prediction"]
        names["extra"] = {"positive": names["positive"], "negative": names["negative"]}
    before = report(names)
    exec(before.findings[0].fix, names)  # noqa: S102 - the fix is meant to be run
    names["extra"] = {key: names[key] for key in names["extra"]}
    after = report(names)
    assert code not in after.codes(), f"{before}\n{after}"
    assert all(finding.severity != "error" for finding in after.findings), f"{before}\n{after}"


def test_codes_are_unique_ordered_and_well_formed() -> None:
    listed = [page.code for part in (calls, targets, spaces, sequences, extras) for page in part.PAGES]
    assert listed == sorted(set(listed)) == list(CHECK_CODES)
    assert [code for code in listed if not re.fullmatch(r"NEB-C\d{3}", code)] == []


def test_the_codes_in_use_are_the_codes_explained() -> None:
    sources = [path for path in (PACKAGE / "checking").rglob("*.py") if "codes" not in path.parts]
    used = {code for path in sources for code in re.findall(r"\"(NEB-C\d{3})\"", path.read_text(encoding="utf-8"))}
    assert used == set(CHECK_CODES)


@pytest.mark.parametrize("page", CHECK_CODES.values(), ids=list(CHECK_CODES))
def test_a_page_says_everything_in_sentences(page: CheckPage) -> None:
    assert page.title
    assert not page.title.endswith(".")
    assert page.meaning.endswith(".")
    assert page.mend.endswith(".")
    assert page.bad in render_check_page(page)
