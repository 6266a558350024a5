"""Small networks at their start and after training, whose real outputs the corpus uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as torch's own pages write it

STEPS = 60
FEATURES = 6


@dataclass(frozen=True)
class Use:
    """One call of a loss.

    Attributes:
        name: What it is, for the tables.
        loss: As it is passed to `check`.
        prediction: Tensor, or a tuple.
        target: Tensor or None.
        extra: Further tensors.
        expected: The codes of which one must be found; empty for a right use.
    """

    name: str
    loss: Any
    prediction: Any
    target: Any
    extra: dict[str, Any] = field(default_factory=dict)
    expected: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setting:
    """What a batch comes from.

    Attributes:
        seed: Of the data and the weights.
        rows: Rows in the batch.
        trained: The network was trained before.
        deep: Three tanh layers with layer normalisation instead of one ReLU layer.
    """

    seed: int
    rows: int
    trained: bool
    deep: bool

    def features(self, rows: int | None = None) -> Tensor:
        """Draw standardised features."""
        generator = torch.Generator().manual_seed(self.seed)
        return torch.randn(rows or self.rows, FEATURES, generator=generator)

    def raw(
        self, outputs: int, target: Callable[[Tensor], Tensor], loss: Callable[..., Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return raw outputs (rows, outputs) of a network, and the targets of these rows."""
        torch.manual_seed(self.seed)
        network = _deep(outputs) if self.deep else _shallow(outputs)
        inputs = self.features(256)
        truth = target(inputs)
        if self.trained:
            optimiser = torch.optim.Adam(network.parameters(), lr=0.03)
            for _ in range(STEPS):
                optimiser.zero_grad()
                loss(network(inputs), truth).backward()
                optimiser.step()
        return network(inputs[: self.rows]), truth[: self.rows]


def _shallow(outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(FEATURES, 16), nn.ReLU(), nn.Linear(16, outputs))


def _deep(outputs: int) -> nn.Module:
    layers: list[nn.Module] = [nn.Linear(FEATURES, 24), nn.LayerNorm(24), nn.Tanh()]
    layers += [nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 24), nn.GELU(), nn.Linear(24, outputs)]
    return nn.Sequential(*layers)


def classes(setting: Setting, count: int) -> tuple[Tensor, Tensor]:
    """Return logits (rows, count) and labels (rows,)."""
    mix = torch.randn(FEATURES, count, generator=torch.Generator().manual_seed(setting.seed + 7))
    return setting.raw(count, lambda x: (x @ mix + 0.5 * torch.randn(len(x), count)).argmax(1), F.cross_entropy)


def binary(setting: Setting, *, share: float = 0.5, columns: int = 1) -> tuple[Tensor, Tensor]:
    """Return logits and 0/1 floats, both (rows, columns), with this share of ones."""

    def target(x: Tensor) -> Tensor:
        score = x[:, :1] + torch.roll(x, 1, 1)[:, :columns] + 0.5 * torch.randn(len(x), columns)
        return (score > score.quantile(1 - share, dim=0)).float()

    return setting.raw(columns, target, F.binary_cross_entropy_with_logits)


def real(setting: Setting, *, scale: float = 1.0, shift: float = 0.0, loss: Any = F.mse_loss) -> tuple[Tensor, Tensor]:
    """Return predictions and real targets, both (rows,)."""
    raw, target = setting.raw(1, lambda x: shift + scale * (x[:, :1].sin() + 0.3 * torch.randn(len(x), 1)), loss)
    return raw[:, 0], target[:, 0]


def counts(setting: Setting, mean: float) -> tuple[Tensor, Tensor]:
    """Return log rates and counts, both (rows,)."""
    log_mean = torch.tensor(mean).log()
    raw, target = setting.raw(1, lambda x: torch.poisson((log_mean + 0.6 * x[:, :1]).exp()), F.poisson_nll_loss)
    return raw[:, 0], target[:, 0]


def rates(setting: Setting, mean: float) -> tuple[Tensor, Tensor]:
    """Return rates after a softplus and counts, both (rows,)."""
    log_mean = torch.tensor(mean).log()

    def loss(raw: Tensor, target: Tensor) -> Tensor:
        return F.poisson_nll_loss(F.softplus(raw), target, log_input=False)

    raw, target = setting.raw(1, lambda x: torch.poisson((log_mean + 0.6 * x[:, :1]).exp()), loss)
    return F.softplus(raw[:, 0]), target[:, 0]


def mean_and_variance(setting: Setting, scale: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return means, variances after a softplus and targets, each (rows,)."""

    def target(x: Tensor) -> Tensor:
        return scale * (x[:, :1] + (0.8 * x[:, 1:2]).exp() * torch.randn(len(x), 1))

    def loss(raw: Tensor, truth: Tensor) -> Tensor:
        return F.gaussian_nll_loss(raw[:, :1], truth, F.softplus(raw[:, 1:]) + 1e-3)

    raw, truth = setting.raw(2, target, loss)
    return raw[:, 0], F.softplus(raw[:, 1]) + 1e-3, truth[:, 0]


def dense(setting: Setting, count: int, size: int = 5) -> tuple[Tensor, Tensor]:
    """Return logits (n, count, size, size) and labels (n, size, size)."""
    wide = Setting(
        setting.seed,
        setting.rows * size * size if setting.rows * size * size <= 256 else 256,
        setting.trained,
        setting.deep,
    )
    logits, labels = classes(wide, count)
    images = max(len(logits) // (size * size), 1)
    used = images * size * size
    logits = logits[:used].reshape(images, size, size, count).permute(0, 3, 1, 2)
    return logits, labels[:used].reshape(images, size, size)
