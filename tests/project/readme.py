"""The examples in README.md, run again: `python -m tests.project.readme` writes their real output into it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console

from nebula.demo.report import DemoReport
from nebula.demo.table import print_summary
from tests.project.tree import ROOT

README = ROOT / "README.md"
DEMO = ROOT / "artifacts" / "demo.json"
_CONSOLE = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
_SCRIPT = re.compile(r"(^```python\n)(.*?)(^```\n\n```text\n)(.*?)(^```$)", re.MULTILINE | re.DOTALL)
_DEMO = re.compile(r"(^<!-- demo output -->\n)(.*?)(^<!-- end of demo output -->$)", re.MULTILINE | re.DOTALL)


def rendered(text: str) -> str:
    """Return the README with every `console` block and every `text` block after a `python` block run again.

    All blocks run in one empty folder, in order, with the `nebula` of this environment.
    """
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        command = here / "bin" / "nebula"
        command.parent.mkdir()
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m nebula.cli.main "$@"\n')
        command.chmod(0o755)
        text = _SCRIPT.sub(lambda m: f"{m[1]}{m[2]}{m[3]}{_run(here, sys.executable, '-c', m[2])}{m[5]}", text)
        return _CONSOLE.sub(lambda m: _session(here, m[0]), text)


def _session(here: Path, block: str) -> str:
    commands = re.findall(r"^\$ (.*?(?:\\\n.*?)*)$", block, re.MULTILINE)
    return "".join(f"$ {command}\n{_run(here, 'bash', '-c', command)}" for command in commands)


def _run(here: Path, *command: str) -> str:
    path = f"{here / 'bin'}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=here, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.stdout


def with_demo(text: str, report: DemoReport) -> str:
    """Return the README with the summary table of a whole demonstration."""
    shown = StringIO()
    print_summary(Console(file=shown, width=100), report)
    table = "\n".join(line.rstrip() for line in shown.getvalue().strip().splitlines())
    return _DEMO.sub(lambda m: f"{m[1]}\n```text\n{table}\n```\n\n{m[3]}", text)


def main() -> None:
    """Write the README again; the demonstration's table only when `make demo` has left its numbers."""
    text = rendered(README.read_text(encoding="utf-8"))
    if DEMO.exists():
        report = DemoReport.model_validate_json(DEMO.read_text(encoding="utf-8"))
        text = text if report.settings.quick else with_demo(text, report)
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
