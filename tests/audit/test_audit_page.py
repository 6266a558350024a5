"""What docs/audit.md shows is what happens; `python -m tests.audit.test_audit_page` writes it anew."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import tempfile
from pathlib import Path
from typing import Any

from tests.audit.stamps import steady
from tests.cli.runner import call
from tests.project.tree import ROOT

PAGE = ROOT / "docs" / "audit.md"
RESULTS = ROOT / "benchmarks" / "results"
_BLOCK = re.compile(r"(?P<mark>^```(?P<kind>console|python)\n)(?P<body>.*?)(?=^```$)", re.MULTILINE | re.DOTALL)
_COSTS = re.compile(r"(?<=\| what \| median \| ratio \|\n\| --- \| --- \| --- \|\n)(?:\|.*\n)*")


def rendered(text: str) -> str:
    """The page with its scripts and commands run again in order, in a folder that holds a table."""
    before = Path.cwd()
    names, known = dict[str, Any](), dict[str, str]()

    def again(block: re.Match[str]) -> str:
        if block["kind"] == "python":
            exec(block["body"], names)  # noqa: S102 - the page's own code
            return block[0]
        commands = re.findall(r"^\$ (.*)$", block["body"], re.MULTILINE)
        return block["mark"] + "".join(f"$ {command}\n{steady(_run(command), known)}" for command in commands)

    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as way_back:
        way_back.callback(os.chdir, before)
        os.chdir(folder)
        rows = (f"{20 + i * 7 % 60},{i * i % 7},{100 + i * 37 % 100 * 1.25:g}" for i in range(120))
        Path("people.csv").write_text("\n".join(["age,visits,premium", *rows]) + "\n", encoding="utf-8")
        return _COSTS.sub(_costs(), _BLOCK.sub(again, text))


def _costs() -> str:
    rows = json.loads((RESULTS / "audit.json").read_text(encoding="utf-8"))["rows"]
    lines = (f"| {row['what']} | {row['median_us'] / 1000:.1f} ms | {row['ratio']:.2f} |\n" for row in rows)
    return "".join(lines)


def _run(command: str) -> str:
    command, _, first = command.partition(" | head -")
    command, _, status = command.partition("; echo ")
    done = call(*shlex.split(command)[1:])
    lines = done.stdout.splitlines(keepends=True)
    return "".join(lines[: int(first)] if first else lines) + (f"{done.exit_code}\n" if status else "")


def test_every_example_gives_the_output_that_is_shown() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert rendered(text) == text, "run `python -m tests.audit.test_audit_page`"
    assert text.count("\n$ nebula audit ") >= 8


def test_the_faults_are_those_that_were_run() -> None:
    text, ran = PAGE.read_text(encoding="utf-8"), json.loads((RESULTS / "audit_faults.json").read_text())
    for told in (
        f"{ran['kill']['kills']} writers were killed",
        f"{ran['kill']['kills that tore a record']} of them tore a record",
        f"{ran['together']['processes']} processes appended {ran['together']['records of each']:,} records each",
        f"each of {ran['flips']['flips of one bit']:,} flipped bits",
        f"{ran['replays']['byte-equal']:,} decisions on random data",
    ):
        assert told in " ".join(text.split())


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
