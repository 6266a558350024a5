"""What docs/policy-tuning.md shows is what happens; `python -m tests.tuning.test_tuning_page` writes it anew."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.cli.runner import call
from tests.pages.folder import working_folder
from tests.project.tree import ROOT
from tests.tuning.results import planted, pure_noise, written

PAGE = ROOT / "docs" / "policy-tuning.md"
_FILE = re.compile(r"^```yaml\n(# (\S+\.yaml)\n.*?)^```$", re.MULTILINE | re.DOTALL)
_CONSOLE = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


def rendered(text: str) -> str:
    """The page with every console block run again, in a folder that holds its policy and two tables."""
    with working_folder(_FILE.findall(text)):
        written(Path(), pure_noise(1)).rename("noise.jsonl")
        written(Path(), planted(3.0))
        return _CONSOLE.sub(lambda block: _session(block[0]), text)


def _session(block: str) -> str:
    return "".join(f"$ {command}\n{_run(command)}" for command in re.findall(r"^\$ (.*)$", block, re.MULTILINE))


def _run(command: str) -> str:
    program, *arguments = shlex.split(command.removesuffix(" 2>/dev/null"))
    if program == "cat":
        return Path(arguments[0]).read_text(encoding="utf-8")
    assert program == "nebula"
    return call(*arguments).stdout


def test_every_example_gives_the_output_that_is_shown() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert rendered(text) == text, "run `python -m tests.tuning.test_tuning_page`"
    assert text.count("\n$ nebula ") == 3


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
