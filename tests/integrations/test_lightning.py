"""Lightning's own Trainer with the callback: decide once, log, keep in checkpoints, resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as lightning
import torch

import nebula
from nebula.errors import DecisionError
from nebula.integrations.lightning import NebulaCallback
from tests.integrations.networks import Network, counts, learnable, loader, two_terms, undecided

pytestmark = pytest.mark.filterwarnings("ignore:::pytorch_lightning", "ignore:::torch", "ignore:.*isinstance.treespec")


class Counting(lightning.LightningModule):
    def __init__(self, criterion: nebula.Nebula | None = None) -> None:
        super().__init__()
        self.network = Network()
        self.criterion = criterion if criterion is not None else undecided()

    def forward(self, inputs: torch.Tensor) -> Any:
        return self.network(inputs)

    def training_step(self, batch: Any, _number: int) -> Any:
        return self.criterion(self(batch[0]), batch[1])

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.01)


class Refusing(torch.utils.data.Dataset[Any]):
    """Rows that nobody may look at before the first training step."""

    def __init__(self, module: Counting) -> None:
        self.module = module

    def __len__(self) -> int:
        return 64

    def __getitem__(self, index: int) -> Any:
        assert self.module.criterion.decision is not None
        return loader().dataset[index]


def trainer(folder: Path, epochs: int = 1, logger: Any = False) -> lightning.Trainer:
    return lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=logger,
        callbacks=[NebulaCallback()],
        default_root_dir=folder,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
    )


def test_it_decides_once_and_a_resumed_run_keeps_the_decision(tmp_path: Path) -> None:
    module = Counting()
    first = trainer(tmp_path)
    first.fit(module, loader())
    decision = module.criterion.decision
    assert decision is not None
    assert decision.spec is not None
    assert (decision.spec.loss, decision.status) == ("PoissonNLLLoss", "decided")
    assert decision.trace.profile.evidence.rows_seen == 96
    first.save_checkpoint(tmp_path / "one.ckpt")

    resumed = Counting()
    data = torch.utils.data.DataLoader(Refusing(resumed), 32)
    trainer(tmp_path, epochs=2).fit(resumed, data, ckpt_path=str(tmp_path / "one.ckpt"), weights_only=True)
    assert resumed.criterion.decision is not None
    assert resumed.criterion.decision.trace.id == decision.trace.id

    served = Counting.load_from_checkpoint(tmp_path / "one.ckpt", weights_only=True)
    assert (served.criterion.predict(served(loader().dataset[:3][0])) > 0).all()
    kept = torch.load(tmp_path / "one.ckpt", weights_only=True)
    assert decision.trace.id in kept["nebula"]


def test_loggers_get_the_decision_and_the_parts_and_weights_move(tmp_path: Path) -> None:
    log = lightning.loggers.CSVLogger(tmp_path)
    module = Counting(undecided(policy=two_terms()))
    trainer(tmp_path, epochs=2, logger=log).fit(module, loader())
    folder = Path(log.log_dir)
    assert "nebula.loss: CompositeLoss" in (folder / "hparams.yaml").read_text()
    head = (folder / "metrics.csv").read_text().splitlines()[0].split(",")
    assert {"nebula/bulk", "nebula/tails", "nebula/penalty_0_l2"} <= set(head)
    inner: Any = module.criterion.loss_function
    assert int(inner.step) == 6
    assert inner.weights.tolist() == pytest.approx([1.0, 0.6])


def test_a_module_without_a_nebula_is_told(tmp_path: Path) -> None:
    module = Counting()
    module.criterion = torch.nn.MSELoss()  # type: ignore[assignment]
    with pytest.raises(DecisionError, match=r"Counting\.criterion: expected a Nebula, found MSELoss"):
        trainer(tmp_path).fit(module, loader())


def test_a_learnable_loss_is_trained_and_resumed(tmp_path: Path) -> None:
    first, module = trainer(tmp_path), Counting(undecided(policy=learnable()))
    first.fit(module, loader())
    (parameter, *_) = module.criterion.parameters()
    assert any(parameter is known for known in first.optimizers[0].param_groups[-1]["params"])
    start = next(undecided(policy=learnable()).fit(counts(), Network()).parameters())
    assert not torch.equal(parameter, start)
    first.save_checkpoint(tmp_path / "learnt.ckpt")
    again = trainer(tmp_path, epochs=2)
    again.fit(Counting(), loader(), ckpt_path=str(tmp_path / "learnt.ckpt"), weights_only=True)
    assert [len(group["params"]) for group in again.optimizers[0].param_groups] == [4, 1]
