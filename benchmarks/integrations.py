"""What a training step costs in each framework with nebula, beside the framework's own default loss.

    python -m benchmarks.integrations [--rounds 7]

The same network, data and optimiser are trained for one pass, with nebula decided before and with the loss that the
framework takes by itself (for plain torch, Lightning and Accelerate: torch's module of the same loss). Both run in
turn, in a shuffled order, in one process; times are processor time of the process, because a busy machine spoils wall
time; a ratio is the median over rounds of the two times of the same round. Deciding is not timed.
Writes benchmarks/results/integrations.json.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import random
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
import torch
from accelerate import Accelerator
from skorch import NeuralNetClassifier
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset
from transformers import PretrainedConfig, PreTrainedModel, Trainer, TrainingArguments
from transformers.loss.loss_utils import ForSequenceClassificationLoss

import nebula
from nebula.integrations.skorch import NebulaClassifier
from nebula.integrations.transformers import TrainerLoss

RESULT = Path(__file__).parent / "results" / "integrations.json"
FEATURES, CLASSES, BATCH, STEPS = 32, 10, 64, 60
INPUTS = torch.randn(BATCH * STEPS, FEATURES, generator=torch.Generator().manual_seed(0))
LABELS = torch.randint(0, CLASSES, (BATCH * STEPS,), generator=torch.Generator().manual_seed(1))
LOADER = DataLoader(TensorDataset(INPUTS, LABELS), BATCH)

Pass = Callable[[], object]


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(FEATURES, 64), nn.ReLU(), nn.Linear(64, CLASSES))


def decided() -> nebula.Nebula:
    return nebula.Nebula(cache=None).fit((INPUTS, LABELS), network())


def plain(criterion: nn.Module) -> Pass:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def once() -> None:
        for inputs, labels in LOADER:
            optimizer.zero_grad()
            criterion(model(inputs), labels).backward()
            optimizer.step()

    return once


def accelerated(criterion: nn.Module) -> Pass:
    accelerator = Accelerator(cpu=True)
    model = network()
    model, optimizer, loader = accelerator.prepare(model, torch.optim.SGD(model.parameters(), lr=0.01), LOADER)

    def once() -> None:
        for inputs, labels in loader:
            optimizer.zero_grad()
            accelerator.backward(criterion(model(inputs), labels))
            optimizer.step()

    return once


class Module(lightning.LightningModule):
    """The network in Lightning."""

    def __init__(self, criterion: nn.Module) -> None:
        super().__init__()
        self.network, self.criterion = network(), criterion

    def training_step(self, batch: Any, _number: int) -> Tensor:
        """Return the loss of a batch."""
        return self.criterion(self.network(batch[0]), batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Plain gradient descent."""
        return torch.optim.SGD(self.parameters(), lr=0.01)


def in_lightning(criterion: nn.Module) -> Pass:
    from nebula.integrations.lightning import NebulaCallback

    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    callbacks = [NebulaCallback()] if isinstance(criterion, nebula.Nebula) else []

    def once() -> None:
        trainer = lightning.Trainer(
            max_epochs=1, accelerator="cpu", enable_checkpointing=False, callbacks=callbacks, **quiet
        )
        trainer.fit(Module(criterion), LOADER)

    return once


class Classifier(PreTrainedModel):
    """The network with the loss that a sequence classifier computes by itself."""

    config_class = PretrainedConfig

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__(config)
        self.network = network()
        self.post_init()

    def forward(self, inputs: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        """Return logits, and the model's own loss of labels."""
        logits = self.network(inputs)
        if labels is None:
            return {"logits": logits}
        return {"loss": ForSequenceClassificationLoss(labels, logits, self.config), "logits": logits}


class Rows(Dataset[dict[str, Tensor]]):
    """The rows as the Trainer wants them."""

    def __len__(self) -> int:
        return len(LABELS)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"inputs": INPUTS[index], "labels": LABELS[index]}


def in_trainer(folder: str, loss: TrainerLoss | None) -> Pass:
    settings: dict[str, Any] = {"optim": "sgd", "report_to": [], "use_cpu": True, "disable_tqdm": True}
    arguments = TrainingArguments(
        output_dir=folder,
        per_device_train_batch_size=BATCH,
        num_train_epochs=1,
        logging_strategy="no",
        save_strategy="no",
        remove_unused_columns=False,
        **settings,
    )

    def once() -> None:
        model = Classifier(PretrainedConfig(num_labels=CLASSES))
        Trainer(model, arguments, train_dataset=Rows(), compute_loss_func=loss).train()

    return once


def in_skorch(kind: type[NeuralNetClassifier], **options: Any) -> Pass:
    net = kind(network, max_epochs=1, batch_size=BATCH, train_split=None, verbose=0, **options)
    net.fit(INPUTS.numpy(), LABELS.numpy())
    return lambda: net.partial_fit(INPUTS.numpy(), LABELS.numpy())


def pairs(folder: str) -> dict[str, tuple[Pass, Pass]]:
    """With nebula, and without, by framework."""
    own = nn.CrossEntropyLoss
    trainer_loss = TrainerLoss(decided())
    return {
        "plain torch": (plain(decided()), plain(own())),
        "PyTorch Lightning": (in_lightning(decided()), in_lightning(own())),
        "Hugging Face Trainer": (in_trainer(folder, trainer_loss), in_trainer(folder, None)),
        "skorch": (
            in_skorch(NebulaClassifier, criterion__cache=None),
            in_skorch(NeuralNetClassifier, criterion=own),
        ),
        "Accelerate": (accelerated(decided()), accelerated(own())),
    }


def measure(name: str, both: tuple[Pass, Pass], rounds: int) -> dict[str, Any]:
    """Time a framework's two passes in turn, after one of each."""
    times: tuple[list[float], list[float]] = ([], [])
    for once in both:
        once()
    for _ in range(rounds):
        for which in random.sample((0, 1), 2):
            began = time.process_time()
            both[which]()
            times[which].append(time.process_time() - began)
    ratios = sorted(a / b for a, b in zip(*times, strict=True))
    row = {
        "loop": name,
        "ratio": statistics.median(ratios),
        "ratios": [ratios[0], ratios[-1]],
        "own_us_per_step": statistics.median(times[1]) / STEPS * 1e6,
    }
    spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
    print(f"{name:<22} {row['own_us_per_step']:>8.0f} us a step, nebula {row['ratio']:.3f} x ({spread})", flush=True)
    return row


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    random.seed(0)
    warnings.simplefilter("ignore")
    for name in ("pytorch_lightning", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(name, both, rounds) for name, both in pairs(folder).items()]
    about = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
        "batch": BATCH,
        "steps": STEPS,
    }
    RESULT.write_text(
        json.dumps({"about": {**about, "rounds": rounds}, "rows": rows}, indent=2) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
