"""`nebula cache` and `--cache`: what is stored, whether it is sound, and how it is emptied."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from nebula.cli.exit_codes import ExitCode
from tests.cli.runner import call


@pytest.fixture
def file(folder: Path, tmp_path: Path) -> Path:
    path = tmp_path / "cache.sqlite3"
    for target in ("price", "bought"):
        assert call("select", folder / "table.csv", "-t", target, "--cache", path).exit_code == ExitCode.OK
    return path


def test_select_and_explain_use_it(folder: Path, file: Path) -> None:
    for command in ("select", "explain"):
        done = call(command, folder / "table.csv", "-t", "price", "--cache", file, "--json")
        assert json.loads(done.stdout)["cache"] == {"target": "hit", "decision": "hit"}
    off = call("select", folder / "table.csv", "-t", "price", "--cache", ":memory:", "--json")
    assert json.loads(off.stdout)["cache"] == {"target": "miss", "decision": "miss"}


def test_profile_reads_an_unchanged_file_once(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table, cache = tmp_path / "table.csv", tmp_path / "cache"
    table.write_text((folder / "table.csv").read_text())
    first = call("profile", table, "-t", "price", "--cache", cache)
    with monkeypatch.context() as without_reading:
        without_reading.setattr("nebula.profiling.streams.source_profile.gather", None)
        assert call("profile", table, "-t", "price", "--cache", cache).stdout == first.stdout
        assert call("select", table, "-t", "price", "--cache", cache).exit_code == ExitCode.OK
    assert "share" in first.stdout
    table.write_text(table.read_text().rstrip("\n").rpartition("\n")[0] + "\n")
    assert call("profile", table, "-t", "price", "--cache", cache).stdout != first.stdout


def test_a_broken_entry_of_a_source_is_read_anew(folder: Path, file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE entry SET sealed = zeroblob(size) WHERE kind = 'source'")
    connection.close()
    done = call("select", folder / "table.csv", "-t", "price", "--cache", file, "--json")
    assert json.loads(done.stdout)["cache"] == {"target": "miss", "decision": "hit"}


def test_info_and_list_tell_what_is_there(file: Path) -> None:
    info = json.loads(call("cache", "info", "--cache", file, "--json").stdout)
    assert (info["entries"], info["by_kind"], info["stale"]) == (4, {"decision": 2, "source": 2}, 0)
    listed = json.loads(call("cache", "list", "--cache", file, "--json").stdout)
    assert [entry["kind"] for entry in listed] == ["decision", "source"] * 2
    assert sum(entry["size"] for entry in listed) == info["bytes"]
    text = call("cache", "list", "--cache", file, "--kind", "decision").stdout
    assert text.count("\n") == 3
    assert "BCEWithLogitsLoss for bought" in text
    sources = call("cache", "list", "--cache", file, "--kind", "source").stdout
    assert "300 rows of" in sources
    assert "columns, read from files" in sources
    assert "entries    4 of 20,000" in call("cache", "info", "--cache", file).stdout


def test_a_cache_that_is_not_there_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "none"
    assert "(not made yet)" in call("cache", "info", "--cache", path).stdout
    assert json.loads(call("cache", "list", "--cache", path, "--json").stdout) == []
    assert call("cache", "verify", "--cache", path).exit_code == ExitCode.OK
    assert json.loads(call("cache", "clear", "--yes", "--cache", path, "--json").stdout)["removed"] == 0
    assert not path.exists()


def test_clear_asks(file: Path) -> None:
    refused = call("cache", "clear", "--cache", file)
    assert refused.exit_code == ExitCode.USAGE
    assert "--yes" in refused.output
    kind = json.loads(call("cache", "clear", "--cache", file, "--kind", "source", "--yes", "--json").stdout)
    assert kind["removed"] == 2
    assert call("cache", "clear", "--cache", file, "--yes").stdout == "2 entries removed\n"
    assert json.loads(call("cache", "info", "--cache", file, "--json").stdout)["entries"] == 0


def test_verify_names_what_is_broken(file: Path) -> None:
    assert call("cache", "verify", "--cache", file).exit_code == ExitCode.OK
    listed = json.loads(call("cache", "list", "--cache", file, "--json").stdout)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE entry SET sealed = zeroblob(size) WHERE name = ?", (listed[0]["name"],))
    connection.close()
    done = call("cache", "verify", "--cache", file, "--json")
    assert done.exit_code == ExitCode.FINDINGS
    found = json.loads(done.stdout)
    assert (found["sound"], found["broken"]) == (False, [listed[0]["name"]])
    assert listed[0]["name"] in call("cache", "verify", "--cache", file).stdout
    assert "broken: it is not what was written" in call("cache", "list", "--cache", file).stdout


@pytest.mark.parametrize("command", ["info", "list", "clear --yes"])
def test_what_is_no_cache_is_told(tmp_path: Path, command: str) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader, this is no cache.\n" * 9)
    done = call("cache", *command.split(), "--cache", path)
    assert done.exit_code == ExitCode.USAGE
    assert "expected a nebula cache that can be used, found a file that is no cache" in done.output
    assert path.read_text().startswith("Dear reader")
    verified = call("cache", "verify", "--cache", path)
    assert verified.exit_code == ExitCode.FINDINGS


def test_a_cache_in_memory_has_nothing_to_show() -> None:
    done = call("cache", "info", "--cache", ":memory:")
    assert done.exit_code == ExitCode.USAGE
    assert "found one in memory" in done.output
    assert call("cache", "list", "--kind", "loss", "--cache", "x").exit_code == ExitCode.USAGE
