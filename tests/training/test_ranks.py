"""Three processes with skewed shards train as one: the same decision, the gradient of all rows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import torch
from torch import nn

from tests.project.tree import ROOT
from tests.training.rank import RANKS, data, model


def test_ranks_give_the_gradient_of_all_rows(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.training.rank", str(tmp_path)]
    started = [subprocess.Popen([*command, str(rank)], cwd=ROOT) for rank in range(RANKS)]
    assert [process.wait() for process in started] == [0] * RANKS
    found = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(RANKS)]
    single, (inputs, target) = model(), data()
    nn.CrossEntropyLoss()(single(inputs), target).backward()
    for rank in found:
        assert rank["decision"] == rank["resumed"] == found[0]["decision"]
        torch.testing.assert_close(rank["ddp"], single.weight.grad)
        torch.testing.assert_close(rank["fsdp2"], single.weight.grad)
