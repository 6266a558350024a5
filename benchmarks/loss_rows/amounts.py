"""Losses of amounts, counts, shares and durations."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor, distributions
from torch.nn import functional

from benchmarks.loss_rows.row import ELEMENTS, OPS, Inputs, Row, answers, attribute, normal
from nebula.losses.modules.robust import log_partition

__all__ = ["ROWS"]

FLOOR = 1e-6
LEVELS = [0.1, 0.5, 0.9]


def drawn(outputs: int, target: Callable[[Generator, int], Tensor]) -> Callable[[Generator], Inputs]:
    def draw(generator: Generator) -> Inputs:
        shape = (ELEMENTS,) if outputs == 1 else (ELEMENTS, outputs)
        return normal(generator, *shape), target(generator, ELEMENTS), {}

    return draw


def real(generator: Generator, n: int) -> Tensor:
    return normal(generator, n)


def positive(generator: Generator, n: int) -> Tensor:
    return normal(generator, n).exp()


def amount(generator: Generator, n: int) -> Tensor:
    return positive(generator, n) * answers(generator, n)


def count(generator: Generator, n: int) -> Tensor:
    return torch.poisson(positive(generator, n), generator=generator)


def share(generator: Generator, n: int) -> Tensor:
    return torch.rand(n, generator=generator) * 0.98 + 0.01


def shares(generator: Generator) -> Inputs:
    rows = torch.rand(ELEMENTS // 10, 10, generator=generator) + 0.01
    return normal(generator, ELEMENTS // 10, 10), rows / rows.sum(1, keepdim=True), {}


def times(outputs: int) -> Callable[[Generator], Inputs]:
    def draw(generator: Generator) -> Inputs:
        n = ELEMENTS if outputs <= 2 else ELEMENTS // outputs
        # coarse, so that there are ties
        time = (positive(generator, n) * 100).ceil() / 100
        shape = (n,) if outputs == 1 else (n, outputs)
        return normal(generator, *shape) * 0.3, torch.stack((time, 1 - answers(generator, n)), 1), {}

    return draw


def scale_of(raw: Tensor) -> Tensor:
    return functional.softplus(raw) + FLOOR


def log_cosh(z: Tensor, y: Tensor) -> Tensor:
    e = z - y
    return (e + functional.softplus(-2 * e) - math.log(2)).mean()


def asymmetric(z: Tensor, y: Tensor) -> Tensor:
    e = y - z
    return (torch.where(e > 0, 1.0, 4.0) * e**2).mean()


def pinball(z: Tensor, y: Tensor) -> Tensor:
    e = y - z
    return torch.max(0.9 * e, -0.1 * e).mean()


def pinballs(z: Tensor, y: Tensor) -> Tensor:
    e, q = y.unsqueeze(-1) - z, torch.tensor(LEVELS)
    return torch.max(q * e, (q - 1) * e).mean()


def barron(a: float) -> Callable[[Tensor, Tensor], Tensor]:
    def loss(z: Tensor, y: Tensor) -> Tensor:
        e = z - y
        return (abs(a - 2) / a * ((e**2 / abs(a - 2) + 1) ** (a / 2) - 1)).mean()

    return loss


def cauchy(z: Tensor, y: Tensor) -> Tensor:
    return torch.log1p(0.5 * (z - y) ** 2).mean()


def adaptive(z: Tensor, y: Tensor) -> Tensor:
    a, c = torch.tensor(1.0, requires_grad=True), torch.tensor(1.0, requires_grad=True)
    e, b = (z - y) / c, 2 - a
    return (b / a * ((e**2 / b + 1) ** (a / 2) - 1) + c.log() + log_partition(a)).mean()


def student(z: Tensor, y: Tensor) -> Tensor:
    return -distributions.StudentT(4.0, z[..., 0], scale_of(z[..., 1]), validate_args=False).log_prob(y).mean()


def student_ops(z: Tensor, y: Tensor) -> Tensor:
    s = scale_of(z[..., 1])
    constant = math.lgamma(2.0) - math.lgamma(2.5) + 0.5 * math.log(4 * math.pi)
    return (2.5 * torch.log1p(((y - z[..., 0]) / s) ** 2 / 4) + s.log() + constant).mean()


def negative_binomial(z: Tensor, y: Tensor) -> Tensor:
    dispersion = scale_of(z[..., 1])
    made = distributions.NegativeBinomial(1 / dispersion, logits=z[..., 0] + dispersion.log(), validate_args=False)
    return -made.log_prob(y)


def negative_binomial_ops(z: Tensor, y: Tensor) -> Tensor:
    dispersion = scale_of(z[..., 1])
    r, t = 1 / dispersion, z[..., 0] + dispersion.log()
    combinations = torch.lgamma(y + r) - torch.lgamma(r) - torch.lgamma(y + 1)
    return (r + y) * functional.softplus(t) - y * t - combinations


def with_zeros(nll: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    def loss(z: Tensor, y: Tensor) -> Tensor:
        found, extra = nll(z[..., :2], y), z[..., 2]
        log_zero = torch.logaddexp(functional.logsigmoid(extra), functional.logsigmoid(-extra) - found)
        return torch.where(y == 0, -log_zero, found - functional.logsigmoid(-extra)).mean()

    return loss


def gamma(z: Tensor, y: Tensor) -> Tensor:
    return (z + y * torch.exp(-z)).mean()


def tweedie(z: Tensor, y: Tensor) -> Tensor:
    return (torch.exp(0.5 * z) / 0.5 + y * torch.exp(-0.5 * z) / 0.5).mean()


def log_normal(z: Tensor, y: Tensor) -> Tensor:
    return -distributions.LogNormal(z[..., 0], scale_of(z[..., 1]), validate_args=False).log_prob(y).mean()


def log_normal_ops(z: Tensor, y: Tensor) -> Tensor:
    s, x = scale_of(z[..., 1]), y.log()
    return (0.5 * ((x - z[..., 0]) / s) ** 2 + s.log() + x + 0.5 * math.log(2 * math.pi)).mean()


def log_normal_with_zeros(z: Tensor, y: Tensor) -> Tensor:
    any_, s = y > 0, scale_of(z[..., 2])
    x = torch.where(any_, y, 1.0).log()
    size = 0.5 * ((x - z[..., 1]) / s) ** 2 + s.log() + x + 0.5 * math.log(2 * math.pi)
    zero = functional.binary_cross_entropy_with_logits(z[..., 0], any_.float(), reduction="none")
    return (zero + torch.where(any_, size, 0.0)).mean()


def beta(z: Tensor, y: Tensor) -> Tensor:
    precision, mean = scale_of(z[..., 1]), z[..., 0].sigmoid()
    return -distributions.Beta(mean * precision, (1 - mean) * precision, validate_args=False).log_prob(y).mean()


def beta_ops(z: Tensor, y: Tensor) -> Tensor:
    precision, mean = scale_of(z[..., 1]), z[..., 0].sigmoid()
    a, b = mean * precision, (1 - mean) * precision
    normaliser = torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(precision)
    return (normaliser - (a - 1) * y.log() - (b - 1) * torch.log1p(-y)).mean()


def dirichlet(z: Tensor, y: Tensor) -> Tensor:
    return -distributions.Dirichlet(scale_of(z), validate_args=False).log_prob(y).mean()


def dirichlet_ops(z: Tensor, y: Tensor) -> Tensor:
    c = scale_of(z)
    return (torch.lgamma(c).sum(-1) - torch.lgamma(c.sum(-1)) - ((c - 1) * y.log()).sum(-1)).mean()


def weibull(z: Tensor, y: Tensor) -> Tensor:
    log_shape, log_time = z[:, 1], y[:, 0].log()
    reach = log_shape.exp() * (log_time - z[:, 0])
    return (reach.exp() - y[:, 1] * (log_shape + reach - log_time)).mean()


def torchsurv_weibull(z: Tensor, y: Tensor) -> Tensor:
    found = attribute("torchsurv.loss.weibull", "neg_log_likelihood_weibull")(z, y[:, 1] > 0, y[:, 0])
    return torch.as_tensor(found)


def cox(ties: str) -> Callable[[Tensor, Tensor], Tensor]:
    def loss(z: Tensor, y: Tensor) -> Tensor:
        partial = attribute("torchsurv.loss.cox", "neg_partial_log_likelihood")
        total = partial(z, y[:, 1] > 0, y[:, 0], ties_method=ties, reduction="sum")
        return torch.as_tensor(total) / y[:, 1].sum()

    return loss


def breslow(z: Tensor, y: Tensor) -> Tensor:
    time, order = y[:, 0].sort(descending=True)
    hazard, event = z[order], y[:, 1][order]
    last = torch.searchsorted(-time, -time, right=True) - 1
    return (event * (hazard.logcumsumexp(0)[last] - hazard)).sum() / event.sum()


def efron(z: Tensor, y: Tensor) -> Tensor:
    """With sums of exponentials per distinct time, as textbooks write it."""
    time, order = y[:, 0].sort(descending=True)
    hazard, event = z[order], y[:, 1][order]
    _, tie = torch.unique_consecutive(time, return_inverse=True)
    ties = int(tie[-1]) + 1
    risk, zeros = hazard.exp(), hazard.new_zeros(ties)
    at_risk = zeros.index_add(0, tie, risk).cumsum(0)[tie]
    tied = zeros.index_add(0, tie, risk * event)[tie]
    number = zeros.index_add(0, tie, event)
    rank = event.cumsum(0) - event - (number.cumsum(0) - number)[tie]
    share_gone = rank / number[tie].clamp(min=1)
    return (event * (torch.log(at_risk - event * share_gone * tied) - hazard)).sum() / event.sum()


CUTS = [0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0]


def discrete(z: Tensor, y: Tensor) -> Tensor:
    edges = torch.tensor(CUTS)
    time, event = y[:, 0], y[:, 1]
    last = torch.where(event > 0, torch.searchsorted(edges, time), torch.searchsorted(edges, time, right=True))
    place = torch.arange(len(CUTS))
    ended = (place == last[:, None]) & (event > 0)[:, None]
    exposed = (place < last[:, None]) | ended
    found = functional.binary_cross_entropy_with_logits(z, ended.float(), reduction="none")
    return (found * exposed).sum(1).mean()


def kornia(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda z, y: torch.as_tensor(attribute("kornia.losses", name)(z, y, reduction="mean"))


ROWS = [
    Row("LogCoshLoss", drawn(1, real), {OPS: log_cosh}),
    Row("MSLELoss", drawn(1, amount), {OPS: lambda z, y: functional.mse_loss(z, y.log1p())}),
    Row("AsymmetricMSELoss", drawn(1, real), {OPS: asymmetric}, {"under_weight": 1.0, "over_weight": 4.0}),
    Row("QuantileLoss", drawn(1, real), {OPS: pinball}, {"levels": [0.9]}),
    Row("QuantileLoss", drawn(3, real), {OPS: pinballs}, {"levels": LEVELS}),
    Row("BarronLoss", drawn(1, real), {OPS: barron(1.0), "kornia charbonnier_loss": kornia("charbonnier_loss")}),
    Row("BarronLoss", drawn(1, real), {OPS: cauchy, "kornia cauchy_loss": kornia("cauchy_loss")}, {"shape": 0.0}),
    Row("BarronLoss", drawn(1, real), {OPS: barron(-2.0)}, {"shape": -2.0}),
    Row("BarronLoss", drawn(1, real), {OPS: barron(1.5)}, {"shape": 1.5}),
    Row("AdaptiveBarronLoss", drawn(1, real), {OPS: adaptive}),
    Row("StudentTNLLLoss", drawn(2, real), {OPS: student_ops, "torch distributions.StudentT": student}),
    Row(
        "NegativeBinomialNLLLoss",
        drawn(2, count),
        {
            OPS: lambda z, y: negative_binomial_ops(z, y).mean(),
            "torch distributions.NegativeBinomial": lambda z, y: negative_binomial(z, y).mean(),
        },
    ),
    Row(
        "ZeroInflatedNegativeBinomialNLLLoss",
        drawn(3, count),
        {
            OPS: with_zeros(negative_binomial_ops),
            "torch distributions.NegativeBinomial": with_zeros(negative_binomial),
        },
    ),
    Row("GammaNLLLoss", drawn(1, positive), {OPS: gamma}),
    Row("TweedieLoss", drawn(1, amount), {OPS: tweedie}),
    Row("LogNormalNLLLoss", drawn(2, positive), {OPS: log_normal_ops, "torch distributions.LogNormal": log_normal}),
    Row("ZeroInflatedLogNormalNLLLoss", drawn(3, amount), {OPS: log_normal_with_zeros}),
    Row("BetaNLLLoss", drawn(2, share), {OPS: beta_ops, "torch distributions.Beta": beta}),
    Row("DirichletNLLLoss", shares, {OPS: dirichlet_ops, "torch distributions.Dirichlet": dirichlet}),
    Row("WeibullAFTNLLLoss", times(2), {OPS: weibull, "torchsurv weibull": torchsurv_weibull}),
    Row("CoxPHLoss", times(1), {OPS: breslow, "torchsurv cox": cox("breslow")}, {"ties": "breslow"}),
    Row("CoxPHLoss", times(1), {OPS: efron, "torchsurv cox": cox("efron")}, {"ties": "efron"}, 1e-3),
    Row("DiscreteTimeSurvivalNLLLoss", times(10), {OPS: discrete}, {"cuts": CUTS}),
]
