"""A local Ray of two workers counts what one machine counts, also when a worker dies."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import nebula
from nebula.errors import MissingExtraError
from nebula.profiling.streams.blocks import merge_states, read_block, split_blocks
from nebula.profiling.streams.origin import origins_of
from nebula.profiling.streams.ray_engine import gather_on_ray
from nebula.profiling.streams.reader import Wanted
from nebula.profiling.streams.table_accumulator import TableAccumulator
from tests.profiling.object_store import serve

ROOT = Path(__file__).parents[2]
SCRIPT = """
import os, signal, sys
from pathlib import Path
import ray
from nebula.errors import DataError
from nebula.profiling.streams.blocks import read_block
from nebula.profiling.streams.ray_engine import gather_on_ray
from nebula.profiling.streams.source_profile import profile_source

folder = Path(sys.argv[1])
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)

def die_once(block, wanted, ignore):
    # One worker in the middle of its work, seen by a file that only the first to come can make.
    try:
        os.close(os.open(folder / "died", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return read_block(block, wanted, ignore)
    os.kill(os.getpid(), signal.SIGKILL)

def engine(origins, wanted, ignore):
    return gather_on_ray(origins, wanted, ignore, read=die_once)

pattern = str(folder / "*.parquet")
print(profile_source(pattern, "y", engine=engine).profile.model_dump_json())
print(profile_source(pattern, "kind", engine=gather_on_ray).profile.model_dump_json())
print(profile_source(str(folder / "*.csv"), "late", engine=gather_on_ray).profile.model_dump_json())
print(profile_source(sys.argv[2], "y", engine=gather_on_ray).profile.model_dump_json())
(folder / "9.parquet").write_bytes((folder / "0.parquet").read_bytes()[:-100] + bytes(100))
try:
    profile_source(pattern, "y", engine=gather_on_ray)
except DataError as error:
    print(error)
ray.shutdown()
"""


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    for number in range(3):
        rows = 1000 * (number + 1)
        table = pd.DataFrame({"y": random.poisson(4, rows), "kind": random.choice(list("dacb"), rows)})
        table.to_parquet(tmp_path / f"{number}.parquet", row_group_size=300)
    (tmp_path / "a.csv").write_text("late\n" + "1\n" * 3)
    (tmp_path / "b.csv").write_text("late\n" + "x\n" * 9)
    return tmp_path


def test_ray_gives_the_profile_of_one_machine(folder):
    # A process of its own: Ray leaves threads and sockets behind, and warns of them.
    with serve(folder) as store:
        asked = [sys.executable, "-c", SCRIPT, str(folder), store.uri("*.parquet")]
        done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (folder / "died").exists()
    *found, fault = done.stdout.splitlines()
    (folder / "9.parquet").unlink()
    for text, (pattern, target) in zip(
        found, [("*.parquet", "y"), ("*.parquet", "kind"), ("*.csv", "late"), ("*.parquet", "y")], strict=True
    ):
        whole = nebula.profile(str(folder / pattern), target=target)
        assert type(whole).model_validate_json(text) == whole
    assert "9.parquet: expected a readable .parquet file" in fault


@pytest.mark.parametrize("blocks", [1, 2, 5, 100])
def test_blocks_cover_every_row_once(folder, blocks):
    paths = [origin.path for origin in origins_of(str(folder / "*.parquet"))]
    wanted = Wanted(("y",))
    cut = split_blocks(paths, wanted, blocks)
    state = TableAccumulator.from_arrays(merge_states(read_block(block, wanted, None) for block in cut))
    assert state.facts() == nebula.profile(folder / "0.parquet", target="y").merge(
        nebula.profile(folder / "1.parquet", target="y")
    ).merge(nebula.profile(folder / "2.parquet", target="y")).target.model_copy(update={"name": None})


def test_a_missing_ray_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"nebula-selector\[ray\]"):
        gather_on_ray(origins_of(folder / "0.parquet"), Wanted(("y",)), None)
