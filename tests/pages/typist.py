"""Whoever types what a page shows: in this process, or in a shell of another environment."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import runpy
import shlex
import subprocess
import warnings
from pathlib import Path
from typing import Any, Protocol

from tests.cli.runner import call

__all__ = ["InProcess", "Shell", "Typist"]

_HEAD = re.compile(r" \| head -(\d+)$")
_STATUS = re.compile(r"; echo \$\?$")


class Typist(Protocol):
    """Types a command, or a script of the page, in the present folder, and reads what comes back."""

    def command(self, line: str) -> str: ...

    def script(self, code: str) -> str: ...


class InProcess:
    """Calls `nebula`, `python FILE` and `cat FILE` without a new process; scripts of a page share their names."""

    def __init__(self) -> None:
        self._names: dict[str, Any] = {}

    def command(self, line: str) -> str:
        """What a command writes; `| head -N` and `; echo $?` may follow it."""
        status, line = _STATUS.search(line), _STATUS.sub("", line)
        head, line = _HEAD.search(line), _HEAD.sub("", line)
        output, code = self._run(*shlex.split(line))
        lines = output.splitlines(keepends=True)
        return "".join(lines[: int(head[1])] if head else lines) + (f"{code}\n" if status else "")

    def script(self, code: str) -> str:
        """What a script prints."""
        with _shown() as shown:
            exec(code, self._names)  # noqa: S102 - the page's own code
        return shown.getvalue()

    def _run(self, program: str, *arguments: str) -> tuple[str, int]:
        if program == "cat":
            return Path(arguments[0]).read_text(encoding="utf-8"), 0
        if program == "python":
            with _shown() as shown:
                runpy.run_path(arguments[0], run_name="__main__")
            return shown.getvalue(), 0
        assert program == "nebula", f"a page may type nebula, python and cat, not {program}"
        done = call(*arguments)
        return done.output, done.exit_code


@contextlib.contextmanager
def _shown() -> Any:
    """What is printed; the log of nebula, which says the same at more length, is left out."""
    shown, log = io.StringIO(), logging.getLogger("nebula")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(shown), warnings.catch_warnings():
            yield shown
    finally:
        log.setLevel(level)


class Shell:
    """Types everything into bash, with the programs of another environment.

    Args:
        programs: The folder of its programs, `bin`.
    """

    def __init__(self, programs: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))}
        self._environment = {**kept, "PATH": f"{programs}{os.pathsep}{kept['PATH']}", "COLUMNS": "80"}

    def command(self, line: str) -> str:
        """What a command writes to the terminal."""
        return self._run("bash", "-c", line)

    def script(self, code: str) -> str:
        """What a script prints, in an interpreter of its own."""
        return self._run("python", "-c", code)

    def _run(self, *command: str) -> str:
        together: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        done = subprocess.run(command, env=self._environment, text=True, check=False, **together)
        return str(done.stdout)
