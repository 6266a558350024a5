"""docs/caching.md and docs/lockfile.md show what happens; `python -m tests.store.test_pages` writes them anew."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest
import torch

import nebula
from nebula.errors import LockError
from tests.cli.runner import call
from tests.pages.folder import working_folder
from tests.project.tree import ROOT

PAGES = [ROOT / "docs" / name for name in ("caching.md", "lockfile.md")]
_CONSOLE = re.compile(r"(?<=^```console\n)\$ .*?(?=^```$)", re.MULTILINE | re.DOTALL)
_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def rendered(text: str) -> str:
    """The page with its commands run again, in a folder with a table."""
    with working_folder():
        Path("people.csv").write_text("visits\n" + "".join(f"{i * i % 7}\n" for i in range(120)), encoding="utf-8")
        return _CONSOLE.sub(lambda block: _session(block[0]), text)


def _session(block: str) -> str:
    return "".join(f"$ {command}\n{_run(command)}" for command in re.findall(r"^\$ (.*)$", block, re.MULTILINE))


def _run(command: str) -> str:
    command, _, first = command.partition(" | head -")
    command, _, wanted = command.partition(" | grep -A2 ")
    lines = call(*shlex.split(command)[1:]).output.splitlines(keepends=True)
    if wanted:
        places = [place for place, line in enumerate(lines) if wanted.strip("'") in line]
        lines = [line for place in places for line in lines[place : place + 3]]
    return "".join(lines[: int(first)] if first else lines)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_example_gives_the_output_that_is_shown(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert rendered(text) == text, "run `python -m tests.store.test_pages`"


def test_the_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    train, write = _PYTHON.findall(PAGES[1].read_text(encoding="utf-8"))
    names = {"nebula": nebula, "targets": torch.arange(60) % 3, "shape": nebula.PredictionSpec(shape=(None, 3))}
    exec(write, names)  # noqa: S102 - the page's own code
    exec(train, names)  # noqa: S102
    with pytest.raises(LockError):
        exec(train, {**names, "targets": torch.arange(60) % 2})  # noqa: S102


if __name__ == "__main__":
    os.environ["NEBULA_CACHE"] = ":memory:"
    for page in PAGES:
        page.write_text(rendered(page.read_text(encoding="utf-8")), encoding="utf-8")
