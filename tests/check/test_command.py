"""`nebula check` and `nebula explain-code` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from nebula.cli.exit_codes import ExitCode
from tests.cli.runner import call


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    rows = torch.tensor([[0.7, 0.3], [0.2, 0.8]])
    torch.save({"prediction": rows, "target": torch.tensor([0, 1])}, tmp_path / "batch.pt")
    return tmp_path / "batch.pt"


def test_a_batch_with_a_fault(batch: Path) -> None:
    done = call("check", batch, "--loss", "CrossEntropyLoss")
    assert done.exit_code == ExitCode.FINDINGS
    assert "error[NEB-C040]" in done.stdout
    document = json.loads(call("check", batch, "--loss", "CrossEntropyLoss", "--json").stdout)
    assert document["ok"] is False
    assert [finding["code"] for finding in document["findings"]] == ["NEB-C040"]


def test_a_batch_without_a_fault(tmp_path: Path) -> None:
    torch.save((torch.tensor([0.5, 1.0]), torch.tensor([0.4, 1.2])), tmp_path / "pair.pt")
    done = call("check", tmp_path / "pair.pt", "--loss", "HuberLoss", "--params", "delta=0.5")
    assert done.exit_code == ExitCode.OK
    assert done.stdout.startswith("HuberLoss(delta=0.5): value 0.0125; nothing found")


def test_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "b.npz", logits=np.zeros((3, 1), np.float32), labels=np.ones(3, np.float32))
    done = call("check", tmp_path / "b.npz", "-l", "MSELoss")
    assert done.exit_code == ExitCode.FINDINGS
    assert "NEB-C010" in done.stdout


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"not a file of tensors", "b.pt", "expected tensors saved by torch.save"),
        (b"PK\x03\x04", "b.npz", "expected an .npz"),
        (None, "none.pt", "expected a file to read"),
        (None, "none.npz", "expected a file to read"),
        (None, "none.py", "expected a file to read"),
        (b"\xff\xfe\x00", "b.py", "UTF-8"),
        (b"def (", "c.py", "expected Python"),
    ],
    ids=["pt", "npz", "no pt", "no npz", "no script", "not utf-8", "not python"],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, name: str, words: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    arguments = () if name.endswith(".py") else ("--loss", "MSELoss")
    done = call("check", tmp_path / name, *arguments)
    assert done.exit_code == ExitCode.USAGE
    assert words in done.stderr


def test_a_batch_of_something_else(tmp_path: Path) -> None:
    torch.save([torch.zeros(2)], tmp_path / "one.pt")
    torch.save({"weights": torch.zeros(2)}, tmp_path / "names.pt")
    assert "found 1 elements" in call("check", tmp_path / "one.pt", "-l", "MSELoss").stderr
    assert "found 'weights'" in call("check", tmp_path / "names.pt", "-l", "MSELoss").stderr


def test_options_that_do_not_go_together(tmp_path: Path, batch: Path) -> None:
    (tmp_path / "s.py").write_text("x = 1\n")
    assert call("check", batch).exit_code == ExitCode.USAGE
    assert call("check", tmp_path / "s.py", "--loss", "MSELoss").exit_code == ExitCode.USAGE
    assert call("check", batch, "-l", "NoLoss").exit_code != ExitCode.OK
    assert call("check", batch, "-l", "MSELoss", "--params", "tempo=3").exit_code == ExitCode.USAGE


def test_a_script(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("from torch import nn\n\nloss = nn.KLDivLoss()\n")
    done = call("check", script)
    assert done.exit_code == ExitCode.FINDINGS
    assert "train.py:3:8: warning[NEB-C047]" in done.stdout
    assert " 3 | loss = nn.KLDivLoss()" in done.stdout
    (problem,) = json.loads(call("check", script, "--json").stdout)
    assert (problem["line"], problem["column"], problem["code"]) == (3, 8, "NEB-C047")
    script.write_text("from torch import nn\n\nloss = nn.KLDivLoss(reduction='batchmean')\n")
    assert call("check", script).exit_code == ExitCode.OK


def test_codes_of_both_kinds_are_explained() -> None:
    assert call("explain-code", "neb-c040").stdout.startswith("# NEB-C040")
    listed = call("explain-code").stdout
    assert "NEB-P001" in listed
    assert "NEB-C063" in listed
    assert "NEB-C040" in call("explain-code", "NEB-C0400").stderr
