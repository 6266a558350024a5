"""What docs/explaining.md shows is what happens; `python -m tests.decision.test_why_page` writes it anew."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np

from tests.cli.runner import call
from tests.pages.folder import working_folder
from tests.project.tree import ROOT

PAGE = ROOT / "docs" / "explaining.md"
_FILE = re.compile(r"^```yaml\n(# (\S+\.yaml)\n.*?)^```$", re.MULTILINE | re.DOTALL)
_CONSOLE = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
_SCRIPT = re.compile(r"(^```python\n)(.*?)(^```\n\n```text\n)(.*?)(^```$)", re.MULTILINE | re.DOTALL)


def rendered(text: str) -> str:
    """The page with every command and script run again, in a folder that holds its policy and its column."""
    with working_folder(_FILE.findall(text)):
        heights = np.random.default_rng(5).normal(170, 9, size=300).round(2)
        Path("heights.csv").write_text("y\n" + "\n".join(map(str, heights)) + "\n", encoding="utf-8")
        text = _CONSOLE.sub(lambda block: _session(block[0]), text)
        return _SCRIPT.sub(lambda found: f"{found[1]}{found[2]}{found[3]}{_run(found[2])}{found[5]}", text)


def _session(block: str) -> str:
    commands = re.findall(r"^\$ (nebula .*)$", block, re.MULTILINE)
    return "".join(f"$ {command}\n{call(*shlex.split(command)[1:]).output}" for command in commands)


def _run(code: str) -> str:
    shown, names = io.StringIO(), dict[str, Any]()
    with contextlib.redirect_stdout(shown):
        exec(code, names)  # noqa: S102 - the page's own code
    return shown.getvalue()


def test_every_example_gives_the_output_that_is_shown() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert rendered(text) == text, "run `python -m tests.decision.test_why_page`"
    assert text.count("\n$ nebula ") == 8
    assert "HuberLoss would be chosen by rule `outliers` if target.outlier_fraction rose from" in text


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
