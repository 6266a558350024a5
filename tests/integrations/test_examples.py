"""Every example of examples/README.md runs, and learns."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LEARNT = {
    "train_plain_torch": (0.93, 1.0),
    "train_lightning": (0.95, 1.0),
    "train_transformers": (0.5, 1.0),
    "train_skorch": (30.0, 60.0),
    "train_accelerate": (0.9, 1.0),
    "log_runs": (0.0, 20000.0),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", LEARNT)
def test_an_example_runs_and_learns(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [name])
    low, high = LEARNT[name]
    assert low <= runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"]() <= high


def test_every_example_stands_in_the_readme_with_its_command() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    files = {path.stem for path in EXAMPLES.glob("*.py")}
    assert files == set(LEARNT)
    assert all(f"`python examples/{name}.py`" in text for name in files)
