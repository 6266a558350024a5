"""How the tests call the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner, Result

from nebula.cli.main import app

ROOT = Path(__file__).resolve().parents[2]


def call(*arguments: object) -> Result:
    """Run one command in this process; nothing is a terminal."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="nebula")


def process(
    *arguments: object, code: str = "from nebula.cli.main import main; main()"
) -> subprocess.CompletedProcess[str]:
    """Run one command in a process of its own."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
