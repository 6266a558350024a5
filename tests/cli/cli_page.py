"""The page of the command line: `python -m tests.cli.cli_page` writes docs/cli.md anew.

What a command takes is typer's own description. What stands under **Example** was written by hand:
it stays with its command, and its commands are run again.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import typer
from typer.cli import get_docs_for_click

from nebula.audit.log import AuditLog
from nebula.cli.main import app
from nebula.decision.drift_event import DriftEvent
from tests.audit.stamps import steady
from tests.cli.runner import ROOT, call
from tests.pages.folder import working_folder
from tests.tuning.results import planted, written

PAGE = ROOT / "docs" / "cli.md"
MARK = "**Example**\n"
_HEADING = re.compile(r"^#{1,3} `(nebula[a-z -]*)`$", re.MULTILINE)
_FILE = re.compile(r"^```yaml\n(# (\S+\.yaml)\n.*?)^```$", re.MULTILINE | re.DOTALL)
_CONSOLE = re.compile(r"(?<=^```console\n)\$ .*?(?=^```$)", re.MULTILINE | re.DOTALL)
_LISTED = re.compile(r"^\* `(\S+)`: .*\n", re.MULTILINE)
_HELP = "* `--help`: Show this message and exit.\n"
_OWN_PROCESS = ("verify", "diff")
"""What the solver did before in a process can change its witness."""

_EVENT = DriftEvent(
    id="0" * 32,
    time="2026-01-31T12:00:00.000+00:00",
    kind="below",
    message="expected values in [0, inf) for PoissonNLLLoss, found -1",
    expected="values in [0, inf)",
    found="-1",
    decision="1" * 32,
    policy_digest="blake2b:0",
    rule_id="count",
    loss="PoissonNLLLoss",
    calls=64,
    rows=2048,
    on_drift="warn",
    outcome="told",
)


def commands() -> dict[str, Any]:
    """Every command by its whole name, in the order of `nebula --help`."""
    return dict(_walk("nebula", typer.main.get_command(app)))


def _walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield name, command
    for inner, found in getattr(command, "commands", {}).items():
        yield from _walk(f"{name} {inner}", found)


def sections(text: str) -> dict[str, str]:
    """The page cut at its headings, by command."""
    parts = _HEADING.split(text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def examples(text: str) -> dict[str, str]:
    """What was written by hand, by command."""
    return {name: part.partition(MARK)[2].strip() for name, part in sections(text).items() if MARK in part}


def rendered(text: str) -> str:
    """The page with what commands take derived again and every example run again, in one folder."""
    root = typer.main.get_command(app)
    reference = get_docs_for_click(obj=root, ctx=typer.Context(root), name="nebula").replace(_HELP, "")
    kept, known = examples(text), commands()
    with _folder(text):
        return "".join(_section(name, part, kept.get(name, ""), known) for name, part in sections(reference).items())


def _section(name: str, reference: str, example: str, known: dict[str, Any]) -> str:
    described, listing, listed = reference.partition("**Commands**:\n")
    lines = [_link(f"{name} {inner}", known) for inner in _LISTED.findall(listed)]
    described = f"{described}{listing}\n{''.join(lines)}".replace("**Options**:\n\n\n", "").strip()
    shown = f"{MARK}\n{_CONSOLE.sub(lambda block: _session(block[0]), example)}" if example else ""
    level = "#" * max(1, name.count(" ") + 1)
    return "\n\n".join(part for part in (f"{level} `{name}`", described, shown) if part) + "\n\n"


def _link(name: str, known: dict[str, Any]) -> str:
    return f"* [`{name}`](#{name.replace(' ', '-')}): {_first_sentence(known[name].help)}\n"


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=\.)\s", " ".join(text.split()), maxsplit=1)[0]


@contextlib.contextmanager
def _folder(text: str) -> Iterator[None]:
    """A working folder with the policies that the page shows, a table and a batch."""
    with working_folder(_FILE.findall(text)):
        AuditLog("watched.jsonl").append_event(_EVENT)
        rows = (f"{20 + i * 7 % 60},{i * i % 7},{100 + i * 37 % 100 * 1.25:g}" for i in range(120))
        Path("people.csv").write_text("\n".join(["age,visits,premium", *rows]) + "\n", encoding="utf-8")
        rows = (f"{20 + i * 7 % 60},{i * i % 9},{100 + i * 37 % 100 * 1.25:g}" for i in range(100))
        Path("later.csv").write_text("\n".join(["age,visits,premium", *rows]) + "\n", encoding="utf-8")
        written(Path(), planted(3.0))
        torch.save({"prediction": torch.arange(8.0).reshape(8, 1), "target": torch.arange(8.0)}, "batch.pt")
        yield


def _session(block: str) -> str:
    return "".join(f"$ {command}\n{_run(command)}" for command in re.findall(r"^\$ (.*)$", block, re.MULTILINE))


def _run(command: str) -> str:
    command, _, first = command.partition(" | head -")
    command, quiet, _ = command.partition(" 2>/dev/null")
    program, *arguments = shlex.split(command)
    if program == "cat":
        output = Path(arguments[0]).read_text(encoding="utf-8")
    elif arguments[0] == "policy" and arguments[1] in _OWN_PROCESS:
        output = _in_a_process(arguments)
    else:
        done = call(*arguments)
        output = done.stdout if quiet else done.output
        if arguments[0] == "audit":
            output = steady(output, {})
    lines = output.splitlines(keepends=True)
    return "".join(lines[: int(first)] if first else lines)


def _in_a_process(arguments: list[str]) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "nebula.cli.main", *arguments]
    return subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    ).stdout


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")).rstrip() + "\n", encoding="utf-8")
