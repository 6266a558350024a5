"""Data files that the commands read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch


def frame() -> pd.DataFrame:
    """Columns of every common kind, 300 rows."""
    draw = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "x1": draw.normal(size=300),
            "x2": draw.normal(size=300),
            "bought": draw.integers(0, 2, 300),
            "species": draw.choice(["setosa", "versicolor", "virginica"], 300),
            "visits": draw.poisson(3.0, 300),
            "price": draw.normal(100, 5, 300),
        }
    )


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One table as CSV, Parquet, NPZ and PT, and a few files that are none of these."""
    base = tmp_path_factory.mktemp("data")
    table = frame()
    table.to_csv(base / "table.csv", index=False)
    table.to_parquet(base / "table.parquet")
    numbers = table.drop(columns="species")
    np.savez(base / "table.npz", **{str(name): numbers[name].to_numpy() for name in numbers})
    torch.save({str(name): torch.tensor(numbers[name].to_numpy()) for name in numbers}, base / "table.pt")
    (base / "empty.csv").write_text("")
    (base / "header.csv").write_text("x,y\n")
    (base / "garbage.csv").write_bytes(bytes(range(256)) * 40)
    (base / "garbage.parquet").write_bytes(b"PAR1" + bytes(range(256)))
    (base / "garbage.npz").write_bytes(b"PK\x03\x04" + bytes(range(256)))
    (base / "garbage.pt").write_bytes(bytes(range(256)))
    (base / "table.xlsx").write_bytes(b"PK")
    (base / "traces.jsonl").write_text('{"not": "a trace"}\n')
    (base / "none.jsonl").write_text("")
    (base / "broken.yaml").write_text("apiVersion: nebula/v1\nname: [\n")
    (base / "unknown.yaml").write_text(
        "apiVersion: nebula/v1\n"
        "name: unknown\n"
        "version: 1.0.0\n"
        "select:\n"
        "  - id: typo\n"
        "    when: target.is_integer_valud\n"
        "    use: {loss: MSELos}\n"
        "    because: Two typing errors.\n"
        "otherwise: {error: no rule fits}\n"
    )
    (base / "picky.yaml").write_text(
        "apiVersion: nebula/v1\n"
        "name: picky\n"
        "version: 1.0.0\n"
        "parameters: {floor: 1000.0}\n"
        "select:\n"
        "  - id: large\n"
        "    when: target.min >= floor\n"
        "    use: {loss: MSELoss}\n"
        "    because: Large enough.\n"
        "otherwise: {error: no rule fits this small a target}\n"
    )
    (base / "wrong.yaml").write_text(
        "apiVersion: nebula/v1\n"
        "name: wrong\n"
        "version: 1.0.0\n"
        "select:\n"
        "  - id: always\n"
        "    when: true\n"
        "    use: {loss: PoissonNLLLoss}\n"
        "    because: Whatever the data say.\n"
        "otherwise: {error: no rule fits}\n"
    )
    return base
