"""What docs/policy-testing.md shows is what happens; `python -m tests.workbench.test_page` writes it anew."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.cli.runner import call
from tests.pages.folder import working_folder
from tests.project.tree import ROOT

PAGE = ROOT / "docs" / "policy-testing.md"
RESULT = ROOT / "benchmarks" / "results" / "policy_mutations.json"
_FILE = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CONSOLE = re.compile(r"(?<=^```console\n)\$ (?P<command>nebula .*?)\n.*?(?=^```$)", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"(?<=^\| --- \| --- \| --- \| --- \| --- \| --- \| --- \|\n)(?:\|.*\|\n)+", re.MULTILINE)


def rendered(text: str) -> str:
    """The page with its commands run again, beside the file of cases, and the mutations as they were measured."""
    with working_folder():
        (cases,) = _FILE.findall(text)
        Path("visits.test.yaml").write_text(cases, encoding="utf-8")
        text = _CONSOLE.sub(lambda block: f"$ {block['command']}\n{_run(block['command'])}", text)
    return _TABLE.sub("".join(map(_row, measured())), text)


def measured() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(RESULT.read_text(encoding="utf-8"))
    return rows


def _run(command: str) -> str:
    words, _, head = command.removeprefix("nebula ").partition(" 2>/dev/null")
    lines = call(*words.split()).stdout.splitlines(keepends=True)
    return "".join(lines[: int(head.split("-")[-1])] if "head" in head else lines)


def _row(row: dict[str, object]) -> str:
    name, killed = str(row["policy"]).split()[0], int(str(row["killed"])) + int(str(row["refused"]))
    cells = (name, row["cases"], row["mutants"], killed, row["equivalent"], row["survived"])
    return f"| {' | '.join(map(str, cells))} | {row['killed_percent']} % |\n"


def test_the_page_shows_what_the_commands_print_and_what_was_measured() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert rendered(text) == text, "run `python -m tests.workbench.test_page`"
    assert (len(_CONSOLE.findall(text)), len(_TABLE.findall(text))) == (2, 1)


def test_the_cases_of_shipped_policies_kill_most_mutants() -> None:
    assert {str(row["policy"]).split()[0] for row in measured()} == {"default", "strict", "paper"}
    assert min(float(str(row["killed_percent"])) for row in measured()) >= 95


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
