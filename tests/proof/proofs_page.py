"""The page about proofs, its examples run again: `python -m tests.proof.proofs_page` writes their output into it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.project.tree import ROOT

PAGE = ROOT / "docs" / "policy-proofs.md"
_FILE = re.compile(r"^```yaml\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CONSOLE = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


def rendered(text: str) -> str:
    """Return the page with every command run in one folder that holds the files it shows."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        for name, content in _FILE.findall(text):
            (here / name).write_text(content, encoding="utf-8")
        _record(here / "recorded.jsonl")
        return _CONSOLE.sub(lambda block: _session(here, block[0]), text)


def _session(here: Path, block: str) -> str:
    return "".join(f"{line}\n{_run(here, line)}" for line in re.findall(r"^\$ .*$", block, re.MULTILINE))


def _run(here: Path, line: str) -> str:
    """Run a command in a process of its own: what the solver did before can change its witness."""
    command = [sys.executable, "-m", "nebula.cli.main", *shlex.split(line)[2:]]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, check=False).stdout


def _record(path: Path) -> None:
    """Profiles of the columns of a table, one a line."""
    from sklearn.datasets import load_breast_cancer

    from nebula import PredictionSpec
    from nebula.profiling.profiler import profile

    table = load_breast_cancer(as_frame=True).frame
    profiles = (profile(table[column], PredictionSpec(shape=(None, 1))) for column in table)
    path.write_text("".join(found.model_dump_json() + "\n" for found in profiles), encoding="utf-8")


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
