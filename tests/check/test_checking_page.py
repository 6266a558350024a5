"""What docs/checking.md shows is what happens; `python -m tests.check.test_checking_page` writes it anew."""

from __future__ import annotations

import contextlib
import io
import re
import shlex

import torch

from tests.cli.runner import call
from tests.pages.folder import working_folder
from tests.project.tree import ROOT

PAGE = ROOT / "docs" / "checking.md"
TEXT = PAGE.read_text(encoding="utf-8")
_CODE = re.compile(r"(^```python\n)(.*?)(^```\n\n```text\n)(.*?)(^```$)", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^```python\n(# (\S+\.py)\n.*?)^```$", re.MULTILINE | re.DOTALL)
_CONSOLE = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


def rendered(text: str) -> str:
    """The page with every example run again, in a folder that holds its script and a batch."""
    with working_folder(_FILE.findall(text)):
        torch.manual_seed(0)
        torch.save({"prediction": torch.randn(32, 5), "target": torch.randn(32, 5).softmax(1)}, "batch.pt")
        text = _CODE.sub(lambda found: f"{found[1]}{found[2]}{found[3]}{_output(found[2])}{found[5]}", text)
        return _CONSOLE.sub(lambda block: _session(block[0]), text)


def _output(code: str) -> str:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        exec(code, {})  # noqa: S102 - the page's own code
    return shown.getvalue()


def _session(block: str) -> str:
    commands = re.findall(r"^\$ (.*)$", block, re.MULTILINE)
    return "".join(f"$ {command}\n{call(*shlex.split(command)[1:]).output}" for command in commands)


def test_every_example_gives_the_output_that_is_shown() -> None:
    assert rendered(TEXT) == TEXT, "run `python -m tests.check.test_checking_page`"
    assert TEXT.count("NEB-C") >= 5


if __name__ == "__main__":
    PAGE.write_text(rendered(TEXT), encoding="utf-8")
