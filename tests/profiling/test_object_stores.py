"""Files in a store give the profile of the same files in a folder; what goes wrong is a sentence without secrets."""

from __future__ import annotations

import pickle
import re
import socket
import sys
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import nebula
from nebula.cli.main import app
from nebula.errors import DataError, MissingExtraError
from nebula.profiling.sources import read_table
from nebula.profiling.stores.address import is_address, mask, parse_address
from nebula.profiling.stores.faults import store_fault
from nebula.profiling.streams import arrow_files, csv_files
from nebula.profiling.streams.blocks import merge_states, read_block, split_blocks
from nebula.profiling.streams.files import find_files
from nebula.profiling.streams.origin import origins_of
from nebula.profiling.streams.reader import Wanted
from nebula.profiling.streams.source_profile import profile_source
from tests.profiling.object_store import KEY, SECRET, serve

ROWS = 300
NOWHERE = "endpoint_override=127.0.0.1:9&scheme=http"
USER = f"{KEY}:{quote(SECRET, safe='')}@"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("bucket")) as found:
        yield found


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    monkeypatch.setattr(arrow_files, "CHUNK_ROWS", 37)
    monkeypatch.setattr(csv_files, "_BLOCK", 2000)


def frame(rows=ROWS):
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "y": random.poisson(3, rows),
            "kind": random.choice(["c", "a", "b"], rows),
            "hole": np.where(random.random(rows) < 0.1, np.nan, random.normal(size=rows)),
        }
    )


def write(table, path, group=40):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        table.to_parquet(path, row_group_size=group)
    else:
        table.reset_index(drop=True).to_feather(path, chunksize=group)


@given(
    cuts=st.lists(st.integers(1, ROWS - 1), max_size=3, unique=True),
    group=st.integers(20, ROWS),
    target=st.sampled_from(["y", "kind", "hole"]),
    suffix=st.sampled_from([".parquet", ".csv", ".arrow"]),
    how=st.sampled_from(["", "/", "/*{}", "/**/*{}"]),
)
def test_a_store_gives_the_profile_of_the_local_copy(store, tmp_path_factory, cuts, group, target, suffix, how):
    place = tmp_path_factory.mktemp("cut", numbered=True)
    folder = store.folder / place.name
    for number, (low, high) in enumerate(pairwise([0, *sorted(cuts), ROWS])):
        write(frame()[low:high], folder / f"{number}{suffix}", group)
    found = profile_source(store.uri(place.name + how.format(suffix)), target)
    local = profile_source(folder, target)
    assert found.profile == local.profile
    assert (found.class_names, found.histogram) == (local.class_names, local.histogram)


NAMES = st.sampled_from(["a", "b1", "b2", ".h", "_u", "x y", "p%41", "q+é"])
MAGIC = st.sampled_from(["a", "*", "**", "b*", "b[12]", "[!a]*", ".*", "*.csv", "b1.csv", "_*", "x*"])


@given(
    files=st.sets(st.lists(NAMES, min_size=1, max_size=3).map(tuple), min_size=1, max_size=12),
    pattern=st.lists(MAGIC, min_size=1, max_size=3),
)
def test_a_pattern_means_what_it_means_in_a_folder(store, tmp_path_factory, files, pattern):
    place = tmp_path_factory.mktemp("tree", numbered=True)
    folder = store.folder / place.name
    for names in files:
        path = folder.joinpath(*names[:-1], f"{names[-1]}.csv")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("y\n1\n")
    joined = "/".join(pattern if pattern[-1].endswith(".csv") else [*pattern, "*.csv"])

    def listed(source, start):
        try:
            names = [str(file)[len(start) :] for file in find_files(source)]
            return list(map(unquote, names)) if is_address(source) else names
        except DataError as error:
            return str(error)[len(start) :].partition("found")[2][:5]

    local = listed(f"{folder}/{joined}", f"{folder}/")
    found = listed(store.uri(f"{place.name}/{joined}"), f"s3://bucket/{place.name}/")
    assert found == local


def test_a_name_is_decoded_once(store):
    write(frame(), store.folder / "odd" / "50%41 #[é]+.csv")
    uri = store.uri(quote("odd/50%41 #[é]+.csv"))
    assert nebula.profile(uri, target="y") == nebula.profile(store.folder / "odd", target="y")


def test_a_file_address_is_a_path(tmp_path):
    np.savez(tmp_path / "a b.npz", y=np.arange(5))
    uri = f"file://{quote(str(tmp_path))}/a%20b.npz"
    assert nebula.profile(uri, target="y") == nebula.profile(tmp_path / "a b.npz", target="y")
    assert find_files(f"file://{tmp_path}/*.npz") == (tmp_path / "a b.npz",)


def test_only_the_columns_asked_for_travel(store):
    wide = pd.DataFrame(np.random.default_rng(0).random((2000, 60)), columns=[f"c{n}" for n in range(60)])
    write(wide, store.folder / "wide.parquet", 500)
    store.sent = 0
    nebula.profile(store.uri("wide.parquet"), target="c7", features=[])
    assert store.sent < (store.folder / "wide.parquet").stat().st_size / 4


def test_a_broken_run_goes_on_where_it_stopped(store, tmp_path):
    for number in range(4):
        write(frame(), store.folder / "long" / f"{number}.parquet")
    uri, kept = store.uri("long", user=USER), tmp_path / "progress"
    whole = profile_source(store.folder / "long", "y").profile
    store.fail_after = 14
    message = r"s3://bucket/long/\d\.parquet: expected an answer from the store"
    try:
        with pytest.raises(DataError, match=message) as fault:
            profile_source(uri, "y", checkpoint=kept, checkpoint_seconds=0)
    finally:
        store.fail_after = None
    assert kept.exists()
    for secret in (SECRET, quote(SECRET, safe=""), KEY):
        assert secret not in str(fault.value)
        assert secret.encode() not in kept.read_bytes()
    read = []
    found = profile_source(uri, "y", checkpoint=kept, checkpoint_seconds=0, advance=read.append)
    assert found.profile == whole
    assert 0 < sum(read) < whole.target.n
    assert not kept.exists()


def test_what_is_known_is_not_read_again_until_it_changes(store):
    class Kept(dict):
        put = dict.__setitem__

    known, uri = Kept(), store.uri("kept.csv")
    write(frame(), store.folder / "kept.csv")
    first = profile_source(uri, "y", known=known)
    store.requests.clear()
    again = profile_source(uri, "y", known=known)
    assert again.was_known
    assert again.profile == first.profile
    assert {method for method, _ in store.requests} == {"HEAD"}
    write(frame(200), store.folder / "kept.csv")
    assert not profile_source(uri, "y", known=known).was_known


def test_workers_read_blocks_of_the_same_address(store):
    write(frame(), store.folder / "blocks" / "0.parquet")
    write(frame(), store.folder / "blocks" / "1.parquet")
    paths = [origin.path.resolve() for origin in origins_of(store.uri("blocks", user=USER))]
    blocks = split_blocks(paths, Wanted(("y",)), 5)
    sent = pickle.loads(pickle.dumps(blocks))
    assert sent == blocks
    assert SECRET not in repr(sent)
    assert KEY not in repr(sent)
    found = merge_states(read_block(block, Wanted(("y",)), None) for block in sent)
    local = [origin.path for origin in origins_of(store.folder / "blocks")]
    whole = merge_states(read_block(block, Wanted(("y",)), None) for block in split_blocks(local, Wanted(("y",)), 1))
    assert found.keys() == whole.keys()
    assert all(np.array_equal(found[name], whole[name], equal_nan=found[name].dtype.kind == "f") for name in whole)


WRONG = {
    "no scheme of ours": ("ftp://machine/t.csv", "begins with s3://, gs://, hdfs://, file://, found 'ftp'"),
    "near miss": (f"s4://{USER}bucket/t.csv", "Did you mean `s3`"),
    "no bucket": ("s3:///t.csv", "found no bucket"),
    "machine": ("file://machine/t.csv", "found the name of a machine"),
    "option": (f"s3://b/t.csv?regoin={SECRET}", "Did you mean `region`"),
    "key in a query": (f"s3://b/t.csv?secret_key={SECRET}", "keys belong into the environment"),
    "only a secret": (f"s3://b/t.csv?{SECRET}", "found another one"),
    "empty option": ("s3://b/t.csv?region=", "a value of `region`"),
    "twice": ("s3://b/t.csv?region=a&region=b", "found one twice"),
    "bare secret": (f"s3://{KEY}:{SECRET}@b/t.csv", "write `/` and `\\?` in a secret as"),
    "half a key": (f"s3://{KEY}@b/t.csv?{NOWHERE}", "found one of them"),
    "timeout": (f"s3://b/t.csv?{NOWHERE}&connect_timeout=never", "connect_timeout between 0 and 3600"),
    "anonymous": (f"s3://b/t.csv?{NOWHERE}&anonymous=yes", "anonymous=true or anonymous=false"),
    "bad scheme": (f"s3://b/t.csv?region=x&scheme={SECRET}", "expected a store|expected an answer"),
    "user of gs": (f"gs://{USER}b/t.csv", "expected nothing before an `@`"),
    "s3 is down": (f"s3://{USER}b/t.csv?{NOWHERE}&connect_timeout=1", "expected an answer from the store, found none"),
    "gs is down": (f"gs://b/t.csv?{NOWHERE}&anonymous=true&retry_limit_seconds=1", "expected an answer from the store"),
    "mapped": ("s3://b/t.npz?", "expected"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_a_sentence_without_secrets(case):
    uri, message = WRONG[case]
    if case == "mapped":
        uri = f"s3://b/t.npz?{NOWHERE}&anonymous=true&connect_timeout=1"
    with pytest.raises(DataError, match=message) as fault:
        nebula.profile(uri, target="y")
    for secret in (SECRET, quote(SECRET, safe=""), KEY, SECRET.partition("?")[0], SECRET.partition("/")[2]):
        assert secret not in str(fault.value)


MISSING = {
    "file": ("no.csv", {}, "expected a file or a folder, found nothing there"),
    "folder": ("nowhere/", {}, "expected a file or a folder, found nothing there"),
    "pattern": ("nowhere/*.csv", {}, "expected files that match, found none"),
    "mapped": ("there/a.npz", {}, "read from disks only; download it first"),
    "two kinds": ("mixed", {}, r"files of one kind, found \.csv and \.parquet"),
    "empty folder": ("empty", {}, "found none in the folder"),
    "damaged": ("there/damaged.parquet", {}, "found a damaged one"),
    "column": ("mixed/a.csv", {}, "expected a column 'y'"),
}


@pytest.mark.parametrize("case", MISSING)
def test_what_a_store_lacks_is_a_sentence(store, case):
    for name in ("there/a.npz", "there/damaged.parquet", "mixed/a.csv", "mixed/a.parquet", "empty/_a.csv"):
        (store.folder / name).parent.mkdir(exist_ok=True)
        (store.folder / name).write_text("x\n1\n")
    key, options, message = MISSING[case]
    with pytest.raises(DataError, match=message):
        nebula.profile(store.uri(key, **options), target="y")


def test_another_bucket_and_refused_credentials(store):
    with pytest.raises(DataError, match="check the pattern and the bucket"):
        nebula.profile(store.uri("*.csv").replace("bucket", "basket"), target="y")
    store.refuse = True
    try:
        for key in ("t.csv", "*.csv"):
            with pytest.raises(DataError, match="expected credentials that may read this") as fault:
                nebula.profile(store.uri(key, user=USER), target="y")
            assert KEY not in str(fault.value)
    finally:
        store.refuse = False


SAID = {
    "Unable to load libjvm": "libraries of Hadoop",
    "AWS Error UNKNOWN (HTTP status 301) during HeadObject operation: No response body.": r"name it with `\?region=`",
    "AWS Error NO_SUCH_BUCKET during ListObjectsV2 operation: The bucket does not exist": "bucket of this name",
    "google::cloud::Status(PERMISSION_DENIED: Permanent error, with a last message of …)": "credentials",
    "google::cloud::Status(UNAVAILABLE: Could not create a OAuth2 access token": "credentials",
    "When reading 'connection' in 'timeout': AWS Error NO_SUCH_KEY during GetObject operation": "a file, found nothing",
    "AWS Error SLOW_DOWN during GetObject operation: Please reduce your request rate.": "try again",
}


@pytest.mark.parametrize("said", SAID)
def test_what_libraries_say_becomes_advice(said):
    address = parse_address(f"s3://{USER}bucket/t.csv")
    fault = store_fault(address, OSError(f"{said} {KEY} {SECRET}"))
    assert re.match(rf"s3://bucket/t\.csv: expected .*{SAID[said]}", str(fault))
    assert KEY not in str(fault)
    assert SECRET not in str(fault)
    assert store_fault(address, OSError("Corrupt snappy compressed data.")) is None


def test_a_store_that_never_answers_is_given_up():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        options = f"endpoint_override=127.0.0.1:{port}&scheme=http&anonymous=true&request_timeout=0.3"
        with pytest.raises(DataError, match="expected an answer from the store"):
            nebula.profile(f"s3://bucket/t.csv?{options}", target="y")


@given(secret=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=4, max_size=20))
def test_no_secret_is_ever_shown(secret):
    hidden = f"Q{secret}Q"
    for uri in (f"s3://key:{quote(hidden, safe='')}@bucket/a.csv", f"s3://bucket/a.csv?user={hidden}"):
        assert mask(uri) == "s3://bucket/a.csv"
        assert mask([uri, Path("b")]) == "s3://bucket/a.csv, b"
    address = parse_address(f"s3://key:{quote(hidden, safe='')}@bucket/a.csv?region=r")
    assert str(address) == "s3://bucket/a.csv"
    assert repr(address) == "Address('s3://bucket/a.csv')"
    assert hidden in address.secrets


def test_paths_are_no_addresses():
    assert not any(map(is_address, ["data/t.csv", "C:/t.csv", "a b://c", Path("s3:/x"), 3]))


def test_rows_in_memory_are_not_taken_from_a_store():
    with pytest.raises(DataError, match=r"s3://bucket/t\.csv: expected a path") as fault:
        read_table(f"s3://{USER}bucket/t.csv", "y")
    assert KEY not in str(fault.value)


def test_a_missing_pyarrow_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"nebula-selector\[table\]"):
        nebula.profile("s3://bucket/t.csv", target="y")


@pytest.mark.parametrize("asked", [["explain"], ["lock", "-t", "y"], ["explain", "--stability", "-t", "y"]])
def test_commands_that_want_a_path_say_so(asked):
    found = CliRunner().invoke(app, [*asked, f"s3://{USER}bucket/t.csv"])
    assert found.exit_code == 2
    said = " ".join(f"{found.output} {found.exception}".replace("│", " ").split())
    assert "s3://bucket/t.csv" in said
    assert KEY not in said


def test_the_command_line_reads_a_store_and_shows_no_secret(store, tmp_path):
    write(frame(), store.folder / "shown.parquet")
    page, uri = tmp_path / "page.html", store.uri("shown.parquet", user=USER)
    asked = ["--target", "y", "--cache", ":memory:"]
    run = CliRunner()
    local = run.invoke(app, ["profile", str(store.folder / "shown.parquet"), *asked])
    found = run.invoke(app, ["profile", uri, *asked, "--html", str(page)])
    assert found.exit_code == 0, found.output
    assert run.invoke(app, ["profile", uri, *asked]).stdout == local.stdout
    shifted = run.invoke(app, ["profile", uri, *asked[:2], "--compare", uri, "--html", str(tmp_path / "shift.html")])
    assert shifted.exit_code == 0, shifted.output
    chosen = run.invoke(app, ["select", uri, *asked, "--prediction-shape", "N,1", "--json"])
    assert chosen.exit_code == 0, chosen.output
    shown = [page.read_text(), (tmp_path / "shift.html").read_text(), chosen.output, found.output]
    assert "s3://bucket/shown.parquet" in shown[0]
    for text in shown:
        assert KEY not in text
        assert quote(SECRET, safe="") not in text
