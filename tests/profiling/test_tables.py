"""Files: what is read, and that damage is a sentence, not a traceback."""

from __future__ import annotations

import builtins
import pickle
import zipfile

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from nebula.errors import DataError, MissingExtraError
from nebula.profiling.features import describe_features
from nebula.profiling.sources import read_table

FRAME = pd.DataFrame({"y": [0, 1, 1], "z": [0.5, 1.5, 2.5], "kind": ["b", "a", "b"], "hole": [1.0, None, 3.0]})


class Bomb:
    def __reduce__(self):
        return (exec, ("raise SystemExit('executed')",))


@pytest.fixture
def folder(tmp_path):
    FRAME.to_csv(tmp_path / "t.csv", index=False)
    FRAME.to_parquet(tmp_path / "t.parquet")
    np.savez(tmp_path / "t.npz", y=[0, 1, 1], x=[[1.0, np.nan], [1.0, 2.0], [0.0, 1.0]], short=[1])
    torch.save({"y": torch.tensor([0, 1, 1]), "x": torch.ones(3, 2), "text": "hello"}, tmp_path / "t.pt")
    torch.save(torch.tensor([0, 1, 1]), tmp_path / "one.pt")
    return tmp_path


@pytest.mark.parametrize("file", ["t.csv", "t.parquet", "t.npz", "t.pt", "one.pt"])
def test_the_target_of_every_kind_of_file(folder, file):
    table = read_table(folder / file, "y")
    assert table.target.tolist() == [0, 1, 1]
    assert table.target.dtype == torch.int64
    assert (table.name, table.rows, table.class_names) == ("y", 3, None)


@pytest.mark.parametrize("file", ["t.csv", "t.parquet"])
def test_columns_of_a_table(folder, file):
    path = str(folder / file)
    table = read_table(path, "kind")
    assert table.target.tolist() == [1, 0, 1]
    assert table.class_names == ("a", "b")
    assert tuple(table.features.model_dump().values()) == (3, 3, 3, 0, 1 / 9)
    assert tuple(read_table(path, "y", ["hole"]).features.model_dump().values()) == (3, 1, 1, 0, 1 / 3)
    assert read_table(path, "y", []).features.d == 0
    several = read_table(path, ["y", "z"])
    assert several.target.tolist() == [[0, 0.5], [1, 1.5], [1, 2.5]]
    assert (several.name, several.features.d) == (None, 2)
    holes = read_table(path, "hole").target
    assert torch.isnan(holes).tolist() == [False, True, False]


@pytest.mark.parametrize("file", ["t.npz", "t.pt"])
def test_named_arrays(folder, file):
    table = read_table(folder / file, "y", ["x"])
    assert (table.features.n, table.features.d) == (3, 2)
    assert table.features.missing_fraction == (1 / 6 if file == "t.npz" else 0)
    assert read_table(folder / file, "y").features.d is None
    assert read_table(folder / file, ["y", "y"]).target.shape == (3, 2)


@pytest.mark.parametrize("file", ["t.csv", "t.parquet", "t.npz", "t.pt"])
def test_an_unknown_column_names_the_nearest(folder, file):
    with pytest.raises(DataError, match=r"expected a column 'yy', found none.* Did you mean 'y'\? Known: "):
        read_table(folder / file, "yy")
    with pytest.raises(DataError, match="expected a column 'unheard'"):
        read_table(folder / file, "y", ["unheard"])


@pytest.mark.parametrize(
    ("file", "target", "message"),
    [
        ("absent.csv", "y", "found nothing"),
        ("folder.csv", "y", "found a folder"),
        ("t.xls", "y", "expected a file ending in .csv, .parquet, .npz, .pt"),
        ("t", "y", "no ending"),
        ("t.csv", [], "name of a target column"),
        ("t.csv", ["y", "kind"], "labels in 'kind'"),
        ("t.npz", ["y", "short"], "as many rows"),
        ("t.pt", "text", "expected a tensor"),
    ],
    ids=str,
)
def test_a_wrong_request_is_a_sentence(folder, file, target, message):
    (folder / "folder.csv").mkdir()
    with pytest.raises(DataError, match=message):
        read_table(folder / file, target)


def damaged(folder):
    for file in ("t.csv", "t.parquet", "t.npz", "t.pt"):
        content = (folder / file).read_bytes()
        suffix = file[1:]
        yield f"empty{suffix}", b""
        yield f"noise{suffix}", bytes(np.random.default_rng(0).integers(0, 256, 3000, dtype=np.uint8))
        yield f"text{suffix}", b"a\nhello"
        if suffix != ".csv":
            yield f"half{suffix}", content[: len(content) // 2]
            yield f"flipped{suffix}", content[:60] + bytes(255 - b for b in content[60:200]) + content[200:]
    yield "ragged.csv", b"y,z\n1,2\n1,2,3\n"
    yield "shifted.csv", b"y,z\n1,2,3\n4,5,6\n"
    yield "quoted.csv", b'y,z\n"1,2\n'
    yield "latin.csv", b"y,z\n\xff\xfe,2\n"
    yield "pickle.pt", pickle.dumps(Bomb())
    yield "list.pt", pickle.dumps([1, 2])


def test_damage_is_a_sentence(folder):
    for name, content in damaged(folder):
        file = folder / name
        file.write_bytes(content)
        with pytest.raises(DataError, match=r"expected .* found") as caught:
            read_table(file, "y")
        assert str(caught.value).startswith(str(file)), name
        assert len(str(caught.value)) < 700, name


def test_nothing_in_a_file_is_executed(folder):
    torch.save({"y": Bomb()}, folder / "bomb.pt")
    np.savez(folder / "bomb.npz", y=np.array([Bomb()], dtype=object))
    for file in ("bomb.pt", "bomb.npz"):
        with pytest.raises(DataError):
            read_table(folder / file, "y")


def test_an_archive_that_is_no_archive_of_arrays(folder):
    with zipfile.ZipFile(folder / "z.npz", "w") as archive:
        archive.writestr("y.npy", b"not an array")
    with pytest.raises(DataError):
        read_table(folder / "z.npz", "y")
    with (folder / "single.npz").open("wb") as file:
        np.save(file, np.arange(3))
    with pytest.raises(DataError, match="single array"):
        read_table(folder / "single.npz", "y")


def test_one_stray_word_does_not_turn_numbers_into_labels(folder):
    (folder / "stray.csv").write_text("y\n1\n2\n3\n?\n")
    with pytest.raises(DataError, match=r"found 3 numbers among 4 entries, and '\?'"):
        read_table(folder / "stray.csv", "y")
    (folder / "codes.csv").write_text("y\n1a\n2a\n3\n")
    assert read_table(folder / "codes.csv", "y").class_names == ("1a", "2a", "3")


@pytest.mark.parametrize(
    ("file", "missing"), [("t.csv", "pandas"), ("t.parquet", "pandas"), ("t.parquet", "pyarrow")], ids=str
)
def test_a_missing_extra_is_named(folder, monkeypatch, file, missing):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.partition(".")[0] == missing:
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtraError, match=rf"`{missing}`.*nebula-selector\[table\]"):
        read_table(folder / file, "y")


def test_columns_are_counted_by_what_they_hold():
    frame = pd.DataFrame(
        {
            "number": [1, 2],
            "truth": [True, False],
            "holes": [1.5, None],
            "label": ["a", None],
            "category": pd.Categorical(["a", "b"]),
            "date": pd.to_datetime(["2020-01-01", "2020-01-02"]),
        }
    )
    for features in (frame, pl.from_pandas(frame)):
        facts = describe_features(features)
        assert (facts.d, facts.n_numeric, facts.n_labelled) == (6, 3, 2)
    assert describe_features(np.zeros((3, 2))).n_numeric == 2
