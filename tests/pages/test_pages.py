"""What the tutorial, the how-to pages and the concepts show is what happens; `python -m tests.pages.test_pages`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.pages.page import rendered
from tests.pages.typist import Shell
from tests.project.tree import ROOT

DOCS = ROOT / "docs"
TUTORIAL = DOCS / "tutorial.md"
PAGES = [TUTORIAL, *sorted((DOCS / "how-to").glob("*.md")), *sorted((DOCS / "concepts").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_example_gives_the_output_that_is_shown(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert rendered(text) == text, "run `python -m tests.pages.test_pages`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_is_of_a_kind_that_is_run(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    kinds = set(re.findall(r"^ *```(\w+)$", text, re.MULTILINE))
    assert kinds <= {"yaml", "python", "console", "text"} | ({"bash"} if page == TUTORIAL else set())
    assert "Traceback" not in text
    for block in re.findall(r"^```yaml\n(.*?)\n", text, re.MULTILINE):
        assert block.startswith("# "), "a file is shown with its name"
    assert len(re.findall(r"^```text$", text, re.MULTILINE)) == len(
        re.findall(r"^```python\n(?:(?!```).*\n)*```\n\n```text$", text, re.MULTILINE)
    ), "text is what the script above it prints"


def test_the_commands_of_the_job_are_those_that_are_run() -> None:
    text = (DOCS / "how-to" / "ci.md").read_text(encoding="utf-8")
    steps = re.findall(r"^ +- run: (nebula .*)$", text, re.MULTILINE)
    assert len(steps) >= 4
    assert [f"$ {step}; echo $?" in text for step in steps] == [True] * len(steps)


def test_a_wrong_output_is_noticed() -> None:
    page = "```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n\n```console\n$ nebula --version\nnothing\n```\n"
    told = rendered(page)
    assert "\n2\n" in told
    assert "nothing" not in told


def test_a_shell_types_what_this_process_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shell = Shell(Path(sys.executable).parent)
    assert shell.script("print(6 * 7)") == "42\n"
    assert shell.command("false; echo $?") == "1\n"


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(rendered(page.read_text(encoding="utf-8")), encoding="utf-8")
