"""`nebula profile --html`: a page that stands alone, says what the terminal says, and escapes what it is given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nebula.cli.exit_codes import ExitCode
from tests.audit.test_html import ALLOWED, Reader
from tests.cli.runner import call

NASTY = "<script>alert(1)</script>"


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path]:
    paths = tmp_path / "a.csv", tmp_path / "b.csv"
    for shift, path in enumerate(paths):
        rows = [f"{place * place % 11 + shift},{place % 7 + 0.25},{NASTY if place % 3 > shift else 'b & c'}"
                for place in range(200)]  # fmt: skip
        path.write_text("\n".join(["count,real,kind", *rows]) + "\n")
    return paths


def read(path: Path) -> Reader:
    page = path.read_text(encoding="utf-8")
    reader = Reader(page)
    assert set(reader.tags) <= ALLOWED
    assert not [name for name, _ in reader.attributes if name in ("src", "href", "onclick", "onload")]
    assert "url(" not in page
    return reader


@pytest.mark.parametrize("target", ["count", "real", "kind"])
def test_a_page_holds_every_known_fact(tables: tuple[Path, Path], tmp_path: Path, target: str) -> None:
    out = tmp_path / "page.html"
    done = call("profile", tables[0], "-t", target, "--html", out)
    assert done.exit_code == ExitCode.OK
    assert done.stdout == ""
    shown = call("profile", tables[0], "-t", target).stdout.splitlines()
    said = read(out).text
    for line in shown[1 : shown.index(next(line for line in shown if line.endswith("share")))]:
        if line.strip():
            assert line.split()[0] in said
    if target == "kind":
        assert NASTY in said
        assert "200" in said


@pytest.mark.parametrize("target", ["count", "real", "kind"])
def test_two_profiles_side_by_side(tables: tuple[Path, Path], tmp_path: Path, target: str) -> None:
    out = tmp_path / "page.html"
    done = call("profile", tables[0], "-t", target, "--compare", tables[1], "--html", out, "--json")
    assert done.exit_code == ExitCode.OK
    found, said = json.loads(done.stdout), read(out).text
    assert f"{found['shift']['psi']:.4g} over" in said
    if found["shift"]["ks"] is not None:
        assert f"{found['shift']['ks']:.4g}, " in said
    for decision in found["decisions"]:
        assert (decision["loss"] or decision["error"] or "refuses to guess") in said
    assert [str(table) in said for table in tables] == [True, True]


def test_a_page_that_cannot_be_written_is_told(tables: tuple[Path, Path], tmp_path: Path) -> None:
    done = call("profile", tables[0], "-t", "real", "--html", tmp_path / "none" / "page.html")
    assert done.exit_code == ExitCode.USAGE
    assert "none" in done.output
