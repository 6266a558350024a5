"""Tables of results with a known best threshold, or with none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

POLICY = """\
# Thresholds of the example; the comments stay.
apiVersion: nebula/v1
name: tails
version: 1.0.0
parameters:
  heavy: {value: 6.0, low: 0.0, high: 10.0}   # excess kurtosis
  few: {value: 20, low: 2, high: 60}
  line: 0.5
select:
  - {id: heavy, when: target.kurtosis > heavy, use: {loss: HuberLoss}, because: Heavy tails.}
  - {id: plain, when: target.n_unique > few, use: {loss: MSELoss}, because: Numbers.}
  - {id: few-levels, when: target.n_unique >= 0, use: {loss: L1Loss}, because: Few levels.}
"""


def planted(best: float, *, data_sets: int = 40, noise: float = 0.02, seed: int = 0) -> list[dict[str, object]]:
    """Huber is better above `best` and worse below it, by 0.1 and noise."""
    rng = np.random.default_rng(seed)
    rows = []
    for number, kurtosis in enumerate(np.linspace(0, 10, data_sets)):
        huber = (-0.1 if kurtosis > best else 0.1) + noise * rng.standard_normal()
        rows.append(_row(f"set-{number}", float(kurtosis), {"MSELoss": 0.5, "HuberLoss": 0.5 + huber, "L1Loss": 0.9}))
    return rows


def pure_noise(seed: int, *, data_sets: int = 30) -> list[dict[str, object]]:
    """No loss is better than another; only noise differs."""
    rng = np.random.default_rng(seed)
    return [
        _row(f"set-{n}", float(rng.uniform(0, 10)), {loss: float(rng.random()) for loss in ("MSELoss", "HuberLoss")})
        for n in range(data_sets)
    ]


def _row(name: str, kurtosis: float, scores: dict[str, float]) -> dict[str, object]:
    facts = {"target": {"kurtosis": round(kurtosis, 3), "n_unique": 500}}
    return {"data_set": name, "facts": facts, "scores": {loss: round(value, 4) for loss, value in scores.items()}}


def written(folder: Path, rows: list[dict[str, object]]) -> Path:
    """The table as a file."""
    file = folder / "results.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file
