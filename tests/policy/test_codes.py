"""Every code is stable, explained, and shown by an example that really produces it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from nebula.errors import Problem
from nebula.policy.codes import advice, language, layout, naming, reading
from nebula.policy.codes.catalogue import CODES, nearest_code
from nebula.policy.codes.page import HEAD, CodePage, rule
from nebula.policy.lint import lint_policy
from tests.policy.faulty_files import CONDITIONS, FILES
from tests.policy.test_load_errors import found

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [p for p in (ROOT / "nebula" / "policy").rglob("*.py") if "codes" not in p.parts]


def problems(page: CodePage, text: str, folder: Path, **options: object) -> tuple[Problem, ...]:
    for name, content in page.beside.items():
        (folder / name).write_text(content, encoding="utf-8")
    source = folder / "policy.yaml"
    source.write_text(text, encoding=str(options.pop("encoding", "utf-8")))
    return lint_policy(source, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("page", CODES.values(), ids=list(CODES))
def test_the_bad_example_has_this_problem_and_no_other(page: CodePage, tmp_path: Path) -> None:
    text = page.bad if page.whole else HEAD + page.bad
    bad = problems(page, text, tmp_path, encoding=page.encoding, parameters=page.settings)
    assert {problem.code for problem in bad} == {page.code}, bad
    assert {problem.severity for problem in bad} == {page.severity}


@pytest.mark.parametrize("page", CODES.values(), ids=list(CODES))
def test_the_good_example_has_none(page: CodePage, tmp_path: Path) -> None:
    assert problems(page, HEAD + page.good, tmp_path) == ()


def test_codes_are_unique_ordered_and_well_formed() -> None:
    listed = [page.code for part in (reading, layout, naming, language, advice) for page in part.PAGES]
    assert listed == sorted(set(listed)) == list(CODES)
    assert [code for code in listed if not re.fullmatch(r"NEB-P\d{3}", code)] == []


@pytest.mark.parametrize("page", CODES.values(), ids=list(CODES))
def test_a_page_says_everything_in_sentences(page: CodePage) -> None:
    assert page.title
    assert not page.title.endswith(".")
    assert page.meaning.endswith(".")
    assert page.mend.endswith(".")


def test_the_codes_in_use_are_the_codes_explained() -> None:
    used = {code for path in SOURCES for code in re.findall(r"NEB-P\d{3}", path.read_text(encoding="utf-8"))}
    assert used == set(CODES)


@pytest.mark.parametrize("text", [case[1] for case in FILES], ids=[case[0] for case in FILES])
def test_no_problem_of_a_file_is_without_a_code(text: str) -> None:
    assert all(problem.code in CODES for problem in found(HEAD + text))


@pytest.mark.parametrize("condition", [case[1] for case in CONDITIONS], ids=[case[0] for case in CONDITIONS])
def test_no_problem_of_a_condition_is_without_a_code_and_an_end(condition: str) -> None:
    extra = "parameters: {imbalance: 0.1}\ndefinitions: {counts: target.min >= 0}\n"
    extra += "derive:\n  - {id: d, when: true, set: {task: count}}\n"
    for problem in found(HEAD + extra + rule(f"|-\n      {condition}")):
        assert problem.code in CODES
        assert problem.end_column == 0 or problem.end_column > problem.column


@pytest.mark.parametrize("path", sorted((ROOT / "nebula" / "policy").rglob("*.py")), ids=lambda path: path.stem)
def test_whoever_makes_a_problem_gives_its_code(path: Path) -> None:
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] in ("Problem", "problem"):
            texts = [ast.unparse(argument) for argument in (*call.args, *(word.value for word in call.keywords))]
            assert any("code" in text or "NEB-P" in text for text in texts), ast.unparse(call)


def test_the_nearest_code() -> None:
    assert nearest_code("neb-p052") == "NEB-P052"
    assert nearest_code("MSELoss") is None
