"""docs/cli.md has every command in the order of the help, and what its examples show is what happens."""

from __future__ import annotations

import pytest

from tests.cli.cli_page import PAGE, commands, examples, rendered, sections

TEXT = PAGE.read_text(encoding="utf-8")
COMMANDS = commands()
UNRUN = ("nebula demo", "nebula bench outcome", "nebula bench paper", "nebula bench sweep")
"""They train for minutes; what they write stands in README.md and docs/evidence.md and has tests there."""


def test_the_page_is_what_the_commands_say_and_do() -> None:
    assert rendered(TEXT).rstrip() + "\n" == TEXT, "run `python -m tests.cli.cli_page`"


def test_every_command_stands_on_the_page_in_the_order_of_the_help() -> None:
    assert list(sections(TEXT)) == list(COMMANDS)


@pytest.mark.parametrize("name", [name for name, command in COMMANDS.items() if not hasattr(command, "commands")])
def test_every_command_has_an_example_that_is_run(name: str) -> None:
    example = examples(TEXT).get(name, "")
    assert example, f"write one below **Example** in the section `{name}` of docs/cli.md"
    assert name in UNRUN or f"\n$ {name} " in example


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_told(name: str) -> None:
    options = [option for param in COMMANDS[name].params for option in param.opts if option.startswith("--")]
    told = sections(TEXT)[name]
    assert [option for option in options if option not in told and option != "--help"] == []
