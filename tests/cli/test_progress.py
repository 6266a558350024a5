"""Long work shows how far it is on a terminal, and nothing in a pipe."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nebula.cli.exit_codes import ExitCode
from nebula.cli.progress import show_progress
from tests.audit.samples import written
from tests.cli.runner import call


def test_progress_counts_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress("checking", "records") as advance:
        assert advance is None
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with show_progress("checking", "records") as advance:
        assert advance is not None
        advance(1200)
        advance(34)
    assert "1,234 records" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["verify", "replay"])
def test_an_audit_log_is_gone_through_with_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    log, seen = written(tmp_path / "log.jsonl", 4), []

    class Shown:
        def __init__(self, *_: str) -> None: ...

        def __enter__(self) -> object:
            return seen.append

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(f"nebula.cli.audit_{command}.show_progress", Shown)
    assert call("audit", command, log.path).exit_code == ExitCode.OK
    assert seen == [1] * 4
