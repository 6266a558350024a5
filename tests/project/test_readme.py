"""What the README shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nebula.cli.main import app
from tests.cli.runner import call
from tests.project.readme import README, rendered
from tests.project.tree import ROOT

TEXT = README.read_text(encoding="utf-8")


def test_every_example_gives_the_output_that_is_shown() -> None:
    assert rendered(TEXT) == TEXT, "run `make readme`"


def test_the_demonstration_is_shown() -> None:
    (shown,) = re.findall(r"^<!-- demo output -->\n(.*?)^<!-- end of demo output -->$", TEXT, re.MULTILINE | re.DOTALL)
    assert "naive rule" in shown
    assert "better" in shown


def test_there_are_examples() -> None:
    assert "Traceback" not in TEXT
    assert TEXT.count("\n$ nebula ") >= 3


def test_the_example_policy_is_sound(tmp_path: Path) -> None:
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    (tmp_path / "mine.yaml").write_text(block)
    (tmp_path / "prices.csv").write_text("price\n" + "\n".join(f"{100 + i * i % 37}.5" for i in range(200)) + "\n")
    assert call("policy", "lint", tmp_path / "mine.yaml").exit_code == 0
    done = call("select", tmp_path / "prices.csv", "-t", "price", "-p", tmp_path / "mine.yaml")
    assert "prices-by-median" in done.stdout, done.stderr


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", TEXT))))
def test_links_lead_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`nebula ([a-z]+)", TEXT))))
def test_commands_exist(command: str) -> None:
    known = {c.name or (c.callback.__name__ if c.callback else "") for c in app.registered_commands}
    assert command in known | {group.name for group in app.registered_groups}
