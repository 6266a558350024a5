"""Whatever happens to the file, nothing wrong is returned, the run goes on, and one warning says why."""

from __future__ import annotations

import logging
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

import nebula
from nebula.store.sqlite_store import SqliteStore

FULL = os.environ.get("NEBULA_FAULTS") == "full"
VALUES = {f"name{index}": f"value {index} ".encode() * 20 for index in range(6)}
SHAPE = nebula.PredictionSpec(shape=(None, 1))
TARGET = torch.tensor([1.5, 2.5, 8.25, 3.0])


def filled(path: Path) -> Path:
    store = SqliteStore(path)
    for name, payload in VALUES.items():
        store.write("target", name, "now", payload)
    store.close()
    return path


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return filled(tmp_path_factory.mktemp("sound") / "c").read_bytes()


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    with caplog.at_level(logging.WARNING, "nebula"):
        yield lambda: [record.getMessage() for record in caplog.records]


def found(path: Path) -> dict[str, bytes]:
    """What is read back; a value that is not found is fine, another value never is."""
    store = SqliteStore(path, patience_s=0.05)
    read = {name: store.read("target", name, "now") for name in VALUES}
    store.close()
    assert all(value is None or value == VALUES[name] for name, value in read.items())
    return {name: value for name, value in read.items() if value is not None}


def positions(size: int) -> range:
    """Every byte, or in the gate one of each 53."""
    return range(0, size, 1 if FULL else 53)


@pytest.mark.timeout(7200 if FULL else 120)
def test_no_flipped_byte_gives_another_value(tmp_path: Path, sound: bytes) -> None:
    lost = 0
    for place in positions(len(sound)):
        folder = tmp_path / "flip"
        folder.mkdir()
        broken = bytearray(sound)
        broken[place] ^= 1 << place % 8
        (folder / "c").write_bytes(broken)
        lost += len(VALUES) - len(found(folder / "c"))
        shutil.rmtree(folder)
    assert lost > 0, "some flips hit a value"


def test_every_flip_in_a_value_is_seen(tmp_path: Path, sound: bytes) -> None:
    payload = VALUES["name3"]
    start = sound.index(payload)
    for place in range(start - 16, start + len(payload), 1 if FULL else 7):
        path = tmp_path / f"{place}"
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        assert SqliteStore(path).verify().broken == ("name3",)
        assert set(found(path)) == set(VALUES) - {"name3"}
        assert SqliteStore(path).verify().is_sound, "the broken value was removed, the others stay"


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_put_aside(
    tmp_path: Path, sound: bytes, share: float, warnings: Callable[[], list[str]]
) -> None:
    path = tmp_path / "c"
    path.write_bytes(sound[: int(len(sound) * share)])
    found(path)
    filled(filled(path))  # the write that meets the fault is lost
    assert found(path) == VALUES
    assert len(warnings()) <= 1


def test_a_broken_file_is_put_aside_and_a_new_one_begun(
    tmp_path: Path, sound: bytes, warnings: Callable[[], list[str]]
) -> None:
    path = tmp_path / "c"
    path.write_bytes(sound[:100] + b"\xff" * (len(sound) - 100))
    assert found(path) == {}
    (message,) = warnings()
    (aside,) = tmp_path.glob("c.corrupt-*")
    assert message.endswith(f"it is now {aside.name}")
    assert aside.read_bytes()[100:] == b"\xff" * (len(sound) - 100)
    filled(path)
    assert found(path) == VALUES
    assert len(warnings()) == 1


def _foreign_database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mine (precious TEXT)")
    connection.close()


FOREIGN: dict[str, Callable[[Path], object]] = {
    "a text": lambda path: path.write_text("Dear reader, this is no cache.\n" * 20),
    "a short text": lambda path: path.write_text("x"),
    "a database": _foreign_database,
    "a picture": lambda path: path.write_bytes(b"\x89PNG\r\n" + bytes(range(256)) * 4),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_belongs_to_others_is_left_alone(
    tmp_path: Path, kind: str, warnings: Callable[[], list[str]], sound: bytes
) -> None:
    path = tmp_path / "c"
    FOREIGN[kind](path)
    before = path.read_bytes()
    criterion = nebula.Nebula(cache=path)
    for _ in range(3):
        criterion.fit(TARGET, prediction=SHAPE)
    assert criterion.decision is not None
    assert criterion.decision.trace.cache.decision == "hit", "in memory"
    assert path.read_bytes() == before
    assert [line for line in warnings() if "expected a store that can be used" in line] == warnings()
    assert len(warnings()) == 1


def test_a_folder_is_no_cache(tmp_path: Path, warnings: Callable[[], list[str]]) -> None:
    assert nebula.select(TARGET, SHAPE, cache=tmp_path).trace.cache.decision == "miss"
    (message,) = warnings()
    assert "found Is a directory: going on in memory" in message


def test_a_layout_of_tomorrow_is_left_alone(tmp_path: Path, warnings: Callable[[], list[str]]) -> None:
    path = filled(tmp_path / "c")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    assert found(path) == {}
    assert "a cache of version 2" in warnings()[0]


def test_another_layout_is_put_aside(tmp_path: Path, warnings: Callable[[], list[str]]) -> None:
    path = filled(tmp_path / "c")
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TRIGGER evil AFTER INSERT ON entry BEGIN DELETE FROM entry; END")
    connection.close()
    assert found(path) == {}
    assert "the layout is another" in warnings()[0]
    assert list(tmp_path.glob("c.corrupt-*"))


@pytest.mark.parametrize("column", ["sealed = 'text'", "sealed = 7", "sealed = x''"])
def test_a_row_of_another_type_is_not_used(tmp_path: Path, column: str) -> None:
    path = filled(tmp_path / "c")
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE entry SET {column} WHERE name = 'name2'")  # noqa: S608
    connection.close()
    assert set(found(path)) == set(VALUES) - {"name2"}


def test_values_that_changed_places_are_not_used(tmp_path: Path) -> None:
    path = filled(tmp_path / "c")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE entry SET name = 'x' WHERE name = 'name1'")
        connection.execute("UPDATE entry SET name = 'name1' WHERE name = 'name2'")
        connection.execute("UPDATE entry SET name = 'name2' WHERE name = 'x'")
    connection.close()
    assert set(found(path)) == set(VALUES) - {"name1", "name2"}


def test_a_locked_file_is_read_and_not_waited_for_long(tmp_path: Path, warnings: Callable[[], list[str]]) -> None:
    path = filled(tmp_path / "c")
    hold = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN IMMEDIATE');"
        "print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", hold, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert found(path) == VALUES
        store = SqliteStore(path, patience_s=0.05)
        for name in ("new", "newer"):
            store.write("target", name, "now", b"x")
        holder.communicate("")
    (message,) = warnings()
    assert "database is locked" in message
    assert found(path) == VALUES


def in_a_child(work: Callable[[], bool]) -> bool:
    """Run with limits that could not be taken back, in a process of its own."""
    child = os.fork()
    if child == 0:
        status = 2
        try:
            status = 0 if work() else 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _decides_with_one_warning(path: Path, caplog: pytest.LogCaptureFixture) -> bool:
    criterion = nebula.Nebula(cache=path)
    uses = []
    for target in (TARGET, TARGET, TARGET + 1):
        criterion.fit(target, prediction=SHAPE)
        assert criterion.decision is not None
        uses.append(criterion.decision.trace.cache.decision)
    warned = [record.getMessage() for record in caplog.records if "going on in memory" in record.getMessage()]
    return uses == ["miss", "hit", "miss"] and len(warned) == 1


def test_a_full_disk_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = filled(tmp_path / "c")

    def work() -> bool:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        return _decides_with_one_warning(path, caplog)

    assert in_a_child(work)
    assert found(path) == VALUES


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "folder"
        folder.mkdir()
        folder.parent.chmod(0o755)
        yield folder
        folder.chmod(0o755)


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_may_not_be_written_is_a_warning(open_folder: Path, caplog: pytest.LogCaptureFixture, what: str) -> None:
    path = filled(open_folder / "c") if what == "file" else open_folder / "deep" / "c"
    if what == "file":
        path.chmod(0o444)
    open_folder.chmod(0o555)

    def work() -> bool:
        if os.geteuid() == 0:
            os.setuid(65534)  # whom permissions stop
        return _decides_with_one_warning(path, caplog)

    assert in_a_child(work)
    if what == "file":
        path.chmod(0o644)
        assert found(path) == VALUES


def test_a_file_removed_while_in_use_is_begun_anew(tmp_path: Path) -> None:
    store = SqliteStore(filled(tmp_path / "c"))
    assert store.read("target", "name1", "now") == VALUES["name1"]
    for file in tmp_path.glob("c*"):
        file.unlink()
    assert store.read("target", "name1", "now") is None
    store.write("target", "name1", "now", b"new")
    assert SqliteStore(tmp_path / "c").read("target", "name1", "now") == b"new"
