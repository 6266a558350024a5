"""A table cut into any files and chunks gives the profile of the whole; damage and kills are survived."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset, TensorDataset

import nebula
from nebula.decision.cache import DecisionCache, decision_key
from nebula.errors import DataError
from nebula.profiling.fingerprint import fingerprint
from nebula.profiling.identity import identity
from nebula.profiling.sources import read_table
from nebula.profiling.streams import array_files, arrow_files, csv_files
from nebula.profiling.streams.label_counts import LabelCounts
from nebula.profiling.streams.source_profile import profile_source
from nebula.profiling.streams.table_accumulator import TableAccumulator, unify_dtypes

ROWS = 400
TARGETS = {
    "counts": ["counts"], "real": ["real"], "kind": ["kind"], "hole": ["hole"], "holes_in_kind": ["holes_in_kind"],
    "flag": ["flag"], "two": ["counts", "real"], "late": ["late"],
}  # fmt: skip


def frame():
    random = np.random.default_rng(0)
    kind = random.choice(["c", "a", "b"], ROWS)
    return pd.DataFrame(
        {
            "counts": random.poisson(3, ROWS),
            "real": random.normal(size=ROWS),
            "kind": kind,
            "hole": np.where(random.random(ROWS) < 0.1, np.nan, random.normal(size=ROWS)),
            "holes_in_kind": np.where(random.random(ROWS) < 0.1, None, kind),
            "flag": random.random(ROWS) < 0.5,
            # Begins with numbers, and holds labels all the same.
            "late": [str(number) for number in range(100)] + [f"x{number % 7}" for number in range(ROWS - 100)],
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    monkeypatch.setattr(arrow_files, "CHUNK_ROWS", 37)
    monkeypatch.setattr(csv_files, "_BLOCK", 2000)
    monkeypatch.setattr(array_files, "_CHUNK_VALUES", 100)


def write(table, path, group=90):
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        table.to_parquet(path, row_group_size=group)
    else:
        arrow = pa.Table.from_pandas(table, preserve_index=False)
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, arrow.schema) as writer:
            writer.write_table(arrow, max_chunksize=group)


def facts(profile):
    return profile.model_dump(exclude={"fingerprint"})


@pytest.fixture(scope="module")
def wholes(folder):
    found = {}
    path = folder / "whole.parquet"
    frame().to_parquet(path)
    for name, columns in TARGETS.items():
        table = read_table(path, columns)
        found[name] = (nebula.profile(table.source, features=table.features), table.class_names)
    return found


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".arrow"])
@pytest.mark.parametrize("name", TARGETS)
def test_chunks_of_a_file_give_the_profile_of_the_whole(tmp_path, wholes, suffix, name):
    path = tmp_path / f"t{suffix}"
    write(frame(), path)
    found = profile_source(path, TARGETS[name])
    whole, names = wholes[name]
    assert facts(found.profile) == facts(whole)
    assert found.profile.fingerprint == whole.fingerprint
    assert found.class_names == names


@given(
    cuts=st.lists(st.integers(0, ROWS), max_size=4), group=st.integers(1, 300), name=st.sampled_from(sorted(TARGETS))
)
def test_any_split_into_files_gives_the_profile_of_the_whole(tmp_path_factory, wholes, cuts, group, name):
    place = tmp_path_factory.mktemp("split")
    edges = [0, *sorted(cuts), ROWS]
    schema = pa.Schema.from_pandas(frame(), preserve_index=False)
    for number, (low, high) in enumerate(pairwise(edges)):
        part = pa.Table.from_pandas(frame()[low:high], schema=schema, preserve_index=False)
        pa.parquet.write_table(part, place / f"{number}.parquet", row_group_size=group)
    found = nebula.profile(place, target=TARGETS[name])
    whole, _ = wholes[name]
    assert facts(found) == facts(whole)
    assert found.fingerprint == whole.fingerprint


def test_a_pattern_that_means_a_file_twice_reads_it_once(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "t.csv").write_text("y\n1\n2\n")
    assert nebula.profile(f"{tmp_path}/**/**/*.csv", target="y").target.n == 2


def test_a_folder_of_csv_files_whose_types_differ(tmp_path):
    (tmp_path / "a.csv").write_text("y,x\n1,2\n2,\n")
    (tmp_path / "b.csv").write_text("y,x\n0.5,3\nNA,1\n")
    found = nebula.profile(str(tmp_path / "*.csv"), target="y")
    whole = nebula.profile(np.array([1, 2, 0.5, np.nan]), name="y")
    assert found.target == whole.target
    assert found.fingerprint == whole.fingerprint
    assert (found.features.n, found.features.d, found.features.missing_fraction) == (4, 1, 0.25)
    assert (found.features.n_numeric, found.features.n_labelled) == (1, 0)
    (tmp_path / "c.csv").write_text("y,x\nTrue,3\n")
    with pytest.raises(DataError, match=r"found 3 numbers among 4 entries, and 'True'"):
        nebula.profile(tmp_path, target="y")


def test_whole_numbers_beside_missing_ones_stay_exact(tmp_path):
    big = 2**53 + 1
    table = pa.table({"y": pa.array([big, None, big + 1, big - 1])})
    assert nebula.profile(table, target="y").target.n_unique == 3


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("file", ["t.npz", "packed.npz", "t.pt", "t.npy"])
def test_arrays_in_slices(tmp_path, file, order):
    y = np.asarray(np.random.default_rng(0).random((250, 3)), order=order)
    x = np.where(np.arange(500).reshape(250, 2) % 5 == 0, np.nan, 1.0)
    path = tmp_path / file
    if file == "t.pt":
        torch.save({"y": torch.from_numpy(y), "x": torch.from_numpy(x)}, path)
    elif file == "t.npy":
        np.save(path, y)
    else:
        (np.savez if file == "t.npz" else np.savez_compressed)(path, y=y, x=x)
    beside = None if file == "t.npy" else ["x"]
    found = nebula.profile(path, target="y", features=beside)
    whole = nebula.profile(y, name="y", features=None if beside is None else x)
    assert found.target.model_dump(exclude={"label_prevalence", "mean"}) == whole.target.model_dump(
        exclude={"label_prevalence", "mean"}
    )
    assert found.target.label_prevalence == pytest.approx(whole.target.label_prevalence, abs=1e-7)
    assert (found.features, found.fingerprint) == (whole.features, whole.fingerprint)


def test_a_mapped_array_is_read_in_slices(tmp_path):
    values = np.random.default_rng(0).integers(0, 9, 1000)
    np.save(tmp_path / "y.npy", values)
    mapped = np.load(tmp_path / "y.npy", mmap_mode="r")
    assert nebula.profile(mapped).model_dump() == nebula.profile(values).model_dump()


@pytest.mark.parametrize("file", ["t.npz", "t.npy", "t.pt"])
def test_a_single_number_is_one_row(tmp_path, file):
    path = tmp_path / file
    if file == "t.pt":
        torch.save({"y": torch.tensor(3.0)}, path)
    elif file == "t.npy":
        np.save(path, np.float64(3))
    else:
        np.savez(path, y=np.float64(3))
    assert nebula.profile(path, target="y").target.unique_values == (3.0,)


class Dicts(Dataset):
    def __len__(self):
        return 10

    def __getitem__(self, index):
        return {"image": torch.zeros(2), "label": index}


def test_loaders_and_data_sets():
    pairs = TensorDataset(torch.zeros(10, 2), torch.arange(10))
    whole = nebula.profile(torch.arange(10))
    before = torch.get_rng_state()
    loaded = nebula.profile(DataLoader(pairs, batch_size=4, shuffle=True))
    assert torch.equal(before, torch.get_rng_state())
    assert loaded.target == whole.target
    assert loaded.evidence.batches == 3
    assert nebula.profile(DataLoader(pairs, batch_size=4)).fingerprint == whole.fingerprint
    assert nebula.profile(pairs) == whole
    assert (
        nebula.profile(DataLoader(Dicts(), batch_size=3), target="label").target
        == nebula.profile(torch.arange(10), name="label").target
    )
    with pytest.raises(DataError, match="say where the target is with `target=`"):
        nebula.profile(DataLoader(Dicts(), batch_size=3))


class Columns(TensorDataset):
    def __getitem__(self, index):
        raise AssertionError("read row by row")


def test_arrays_side_by_side_are_not_read_row_by_row():
    images, labels = torch.zeros(10, 2), torch.arange(10)
    whole = nebula.profile(labels)
    assert nebula.profile((images, labels), target=1).target == whole.target
    assert nebula.profile({"image": images, "label": labels}, target="label").target.n_unique == 10
    assert nebula.profile(Columns(images, labels)).fingerprint == whole.fingerprint
    with pytest.raises(DataError, match="expected no `target=` beside one array"):
        nebula.profile(labels, target="label")


class TablesOfTheHub:
    """What `datasets.Dataset` and `IterableDataset` offer, of an Arrow table."""

    def __init__(self, table, known=True):
        self.table, self.known = table, known
        self.column_names = table.column_names

    def __len__(self):
        if not self.known:
            raise TypeError
        return len(self.table)

    def select_columns(self, names):
        return TablesOfTheHub(self.table.select(names), self.known)

    def with_format(self, kind):
        assert kind == "arrow"
        return self

    def iter(self, batch_size):
        for start in range(0, len(self.table), batch_size):
            yield self.table.slice(start, batch_size)


def test_data_sets_of_hugging_face_are_read_by_columns(monkeypatch, wholes):
    module = type(sys)("datasets")
    module.Dataset = TablesOfTheHub
    monkeypatch.setitem(sys.modules, "datasets", module)
    found = profile_source(TablesOfTheHub(pa.Table.from_pandas(frame())), "kind")
    whole, names = wholes["kind"]
    assert facts(found.profile) == facts(whole)
    assert (found.profile.fingerprint, found.class_names) == (whole.fingerprint, names)
    with pytest.raises(DataError, match="Did you mean 'kind'"):
        nebula.profile(TablesOfTheHub(pa.Table.from_pandas(frame())), target="kinds")


@pytest.mark.parametrize(
    "make", [pa.Table.from_pandas, lambda f: f, pa.RecordBatch.from_pandas], ids=["arrow", "pandas", "batch"]
)
def test_tables_in_memory(make, wholes):
    for name, columns in TARGETS.items():
        found = nebula.profile(make(frame()), target=columns)
        assert facts(found) == facts(wholes[name][0])
        assert found.fingerprint == wholes[name][0].fingerprint


def test_a_reader_of_batches_is_read_once(wholes):
    reader = pa.Table.from_pandas(frame()).to_reader(max_chunksize=50)
    found = nebula.profile(reader, target="kind")
    assert (facts(found), found.fingerprint) == (facts(wholes["kind"][0]), None)


def test_ordered_categories_keep_their_order(tmp_path):
    table = pd.DataFrame({"y": pd.Categorical(["lo", "hi", "lo"], ["lo", "mid", "hi"], ordered=True)})
    table.to_parquet(tmp_path / "t.parquet")
    found = profile_source(tmp_path / "t.parquet", "y")
    assert (found.class_names, found.profile.target.categories) == (("lo", "hi"), "ordered")
    assert found.profile.target.class_counts == (2, 1)


WRONG = {
    "missing column": ({"a.csv": "y\n1\n", "b.csv": "z\n1\n"}, "y", r"b\.csv: expected a column 'y'"),
    "near miss": ({"a.csv": "price\n1\n"}, "pirce", "Did you mean 'price'"),
    "empty folder": ({"_a.csv": "y\n1\n", "b.txt": "y"}, "y", "found none in the folder"),
    "two kinds": ({"a.csv": "y\n1\n", "b.npz": "y"}, "y", r"files of one kind, found \.csv and \.npz"),
    "empty file": ({"a.csv": ""}, "y", "found an empty file"),
    "ragged": ({"a.csv": "y,z\n1,2\n1,2,3\n"}, "y", "found a damaged one"),
    "damaged parquet": ({"a.parquet": "PAR1 no"}, "y", "found a damaged one"),
    "damaged arrow": ({"a.arrow": "no"}, "y", "found a damaged one"),
    "stray word": ({"a.csv": "y\n1\n2\n", "b.csv": "y\n3\n?\n"}, "y", r"found 3 numbers among 4 entries, and '\?'"),
    "two names": ({"a.csv": "y,y\n1,2\n"}, "y", "several of that name"),
    "no target": ({"a.csv": "y\n1\n"}, None, "expected `target=`"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_a_sentence(tmp_path, case):
    files, target, message = WRONG[case]
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        nebula.profile(tmp_path, target=target)


def test_numbers_and_labels_in_two_parquet_files_are_refused(tmp_path):
    pd.DataFrame({"y": [1, 2]}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"y": ["a", "b"]}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"b\.parquet: .*2 rows of numbers beside labels such as 'a'"):
        nebula.profile(tmp_path, target="y")


KILLED = """
import os, signal, sys
from nebula.profiling.streams.source_profile import profile_source
seen = 0
def advance(rows):
    global seen
    seen += 1
    if seen == 5:
        os.kill(os.getpid(), signal.SIGKILL)
profile_source(sys.argv[1], sys.argv[2], checkpoint=sys.argv[3], checkpoint_seconds=0, advance=advance)
"""


@pytest.mark.parametrize("target", ["real", "holes_in_kind"])
def test_a_killed_run_goes_on_and_gives_the_equal_profile(tmp_path, wholes, target):
    for number in range(4):
        write(frame()[number * 100 : number * 100 + 100], tmp_path / f"{number}.parquet", group=50)
    kept = tmp_path / "progress.npz"
    pattern = str(tmp_path / "*.parquet")
    done = subprocess.run([sys.executable, "-c", KILLED, pattern, target, str(kept)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert kept.exists()
    read = []
    found = profile_source(pattern, target, checkpoint=kept, advance=read.append)
    assert sum(read) == ROWS - 200  # the four parts before the kill were not read again
    assert facts(found.profile) == facts(wholes[target][0])
    assert found.profile.fingerprint == wholes[target][0].fingerprint
    assert not kept.exists()


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    write(frame(), tmp_path / "t.parquet")
    kept = tmp_path / "progress.npz"

    def stop(rows):
        if sum(seen) > 100:
            raise KeyboardInterrupt
        seen.append(rows)

    seen: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        profile_source(tmp_path / "t.parquet", "real", checkpoint=kept, checkpoint_seconds=0, advance=stop)
    with pytest.raises(DataError, match="expected a checkpoint of this source"):
        profile_source(tmp_path / "t.parquet", "counts", checkpoint=kept)
    content = kept.read_bytes()
    for damage in (b"", b"PK", content[: len(content) // 2], b"\0" * 500):
        kept.write_bytes(damage)
        with pytest.raises(DataError, match="remove the file"):
            profile_source(tmp_path / "t.parquet", "real", checkpoint=kept)


def test_an_unchanged_file_is_not_read_again(tmp_path):
    path = tmp_path / "t.parquet"
    write(frame(), path)
    known = DecisionCache().sources
    read: list[int] = []
    first = profile_source(path, "kind", known=known, advance=read.append)
    again = profile_source(path, "kind", known=known, advance=read.append)
    assert sum(read) == ROWS
    assert (first.was_known, again.was_known) == (False, True)
    assert (first.profile.target, first.profile.features) == (again.profile.target, again.profile.features)
    assert decision_key(first.profile, "p") == decision_key(again.profile, "p") is not None
    assert first.histogram == again.histogram != ()
    assert first.class_names == again.class_names
    assert profile_source(path, "kind", known=known, fingerprint=False).was_known is False
    assert profile_source(path, "kind", known=known, hints={"ignore_value": 1}).was_known is False
    write(frame()[:300], path)
    assert profile_source(path, "kind", known=known).profile.target.n == 300


def test_a_file_that_changes_while_it_is_read_is_not_kept(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("y\n" + "1\n" * 50)
    known = DecisionCache().sources

    def rewrite(_: int) -> None:
        path.write_text("y\n" + "1\n" * 50)
        os.utime(path, ns=(0, 0))

    profile_source(path, "y", known=known, advance=rewrite)
    assert known.info().currsize == 0
    assert profile_source(path, "y", known=known).was_known is False
    assert profile_source(path, "y", known=known).was_known is True


def test_identity_changes_with_the_file(tmp_path):
    path = tmp_path / "t.parquet"
    write(frame(), path)
    about, seen = path.stat(), identity(path)
    assert identity(str(path)) == seen
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns + 1))
    assert identity(path) != seen
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert identity(path) == seen
    content = bytearray(path.read_bytes())
    content[-20] ^= 1  # in the footer
    path.write_bytes(content)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert identity(path) != seen
    with pytest.raises(DataError, match="found none that can be read"):
        identity(tmp_path / "none.csv")


@given(st.lists(st.sampled_from([None, "a", "b", "zz"]), max_size=30), st.integers(0, 30))
def test_accumulators_of_labels_travel_and_merge(labels, cut):
    def count(part):
        state = TableAccumulator()
        table = pa.table({"y": pa.array(part, pa.string())})
        from nebula.profiling.streams.objects import TableReader
        from nebula.profiling.streams.reader import Wanted

        for chunks in TableReader(table, Wanted(("y",))).parts():
            for chunk in chunks:
                state.update(chunk)
        return TableAccumulator.from_arrays(state.to_arrays())

    both = count(labels[:cut]).merge(count(labels[cut:]))
    assert both.rows == len(labels)
    assert both.facts() == count(labels).facts()


@pytest.mark.parametrize("name", ["table", "table.features", "labels.counts", "labels.names", "numbers.layout"])
def test_damaged_arrays_are_refused(name):
    state = TableAccumulator()
    state.labels = LabelCounts({"a": 2, "b": 1})
    arrays = state.to_arrays()
    for damage in (None, np.array([-1]), np.array(["x"]), np.array([7], dtype=np.uint8)):
        broken = {key: value for key, value in arrays.items() if key != name}
        if damage is not None:
            broken[name] = damage
        if damage is None and name == "labels.names":
            continue  # a table of numbers has none
        with pytest.raises(DataError):
            TableAccumulator.from_arrays(broken)


def test_too_many_labels_are_refused(monkeypatch):
    monkeypatch.setattr("nebula.profiling.streams.label_counts.MAX_LABELS", 3)
    with pytest.raises(DataError, match="identifier or free text"):
        LabelCounts({"a": 1, "b": 1}).merge(LabelCounts({"c": 1, "d": 1}))


@pytest.mark.parametrize(
    ("names", "wide"),
    [([], "float64"), (["int8"], "int8"), (["int32", "int64"], "int64"), (["int64", "float32"], "float64"),
     (["bfloat16", "float32"], "float32"), (["bool", "uint8"], "uint8"), (["float8_e4m3fn", "int8"], None)],
    ids=str,
)  # fmt: skip
def test_one_type_holds_all(names, wide):
    assert unify_dtypes(names) == wide


def test_the_fingerprint_of_a_csv_file_is_that_of_its_column(tmp_path):
    write(frame(), tmp_path / "t.csv")
    found = nebula.profile(tmp_path / "t.csv", target="counts")
    assert found.fingerprint == fingerprint(torch.tensor(frame()["counts"].tolist()))
