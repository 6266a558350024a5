"""On a terminal there are tables; they hold what the pipe would."""

from __future__ import annotations

from pathlib import Path

import pytest

from nebula.cli.output import show_table
from nebula.losses.registry import entries
from tests.cli.runner import call


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("output", "decision_view"):
        monkeypatch.setattr(f"nebula.cli.{module}.on_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "160")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["losses"], ["family", "HuberLoss"]),
        (["facts"], ["meaning", "target.zero_fraction"]),
        (["policy", "show", "paper.yaml"], ["Rules, first match wins", "because"]),
        (["profile", "table.csv", "-t", "price"], ["target.kurtosis"]),
        (["select", "table.csv", "-t", "price", "--prediction-shape", "N,1"], ["MSELoss", "because"]),
        (["explain", "table.csv", "-t", "price", "--prediction-shape", "N,1"], ["Rules", "verdict", "decided by"]),
    ],
    ids=lambda value: "-".join(value[:2]) if isinstance(value, list) else None,
)
def test_tables(folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: list[str]) -> None:
    monkeypatch.chdir(folder)
    done = call(*arguments)
    assert done.exit_code == 0, done.stderr
    assert [word for word in expected if word not in done.stdout] == []


def test_every_loss_has_its_row() -> None:
    shown = call("losses").stdout
    assert [entry.name for entry in entries() if entry.name not in shown] == []


def test_brackets_are_text_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("value",), [("[bold]0, 1[/bold]",), ("[/]",)])
    shown = capsys.readouterr().out
    assert "[bold]0, 1[/bold]" in shown
    assert "[/]" in shown
