"""What only a real process shows: what is loaded, broken pipes, faults of our own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nebula.cli.exit_codes import ExitCode
from tests.cli.runner import ROOT, process

COMMANDS = [
    "",
    "select",
    "explain",
    "explain-code",
    "profile",
    "losses",
    "facts",
    "schema",
    "demo",
    "policy",
    "policy lint",
    "policy show",
]

HELP = """
import sys
from nebula.cli.main import app
try:
    app()
except SystemExit as end:
    assert end.code == 0, end.code
print(*sorted({"torch", "numpy", "pydantic", "pandas", "yaml"} & sys.modules.keys()), file=sys.stderr)
"""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda name: name.replace(" ", "-") or "nebula")
def test_help_loads_nothing_heavy(command: str) -> None:
    done = process(*command.split(), "--help", code=HELP)
    assert done.returncode == 0, done.stderr
    assert "Usage:" in done.stdout
    # typer itself may read a command's options with pydantic
    assert set(done.stderr.split()) <= ({"pydantic"} if command else set())


def test_help_documents_every_exit_status() -> None:
    text = " ".join(process("--help").stdout.split())
    assert [f"{code.value} {code.name.lower().replace('_', ' ')}" in text for code in ExitCode] == [True] * len(
        ExitCode
    )


def test_a_reader_that_goes_away_is_no_error() -> None:
    code = "from nebula.cli.main import main; main()"
    writer = subprocess.Popen(
        [sys.executable, "-c", code, "facts", "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    assert writer.stderr is not None
    writer.stdout.close()
    assert writer.wait(timeout=120) == ExitCode.BROKEN_PIPE
    assert writer.stderr.read() == ""
    writer.stderr.close()


FAULT = """
import nebula.cli.request
from nebula.cli.main import main
def fail(*_): raise ZeroDivisionError("a fault of ours")
nebula.cli.request.DataRequest.profile = fail
main()
"""


def test_a_fault_of_our_own_is_one_sentence() -> None:
    done = process("profile", "any.csv", "-t", "y", code=FAULT)
    assert done.returncode == ExitCode.INTERNAL
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "internal error: ZeroDivisionError: a fault of ours" in line


def test_the_traceback_is_there_when_asked_for() -> None:
    done = process("profile", "any.csv", "-t", "y", code=f"import os; os.environ['NEBULA_TRACEBACK'] = '1'\n{FAULT}")
    assert done.returncode == ExitCode.INTERNAL
    assert "Traceback" in done.stderr
