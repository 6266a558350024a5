"""NEB-C040 to NEB-C054: what the model's numbers are."""

from __future__ import annotations

from nebula.checking.codes.page import CheckPage

__all__ = ["PAGES"]

PAGES = (
    CheckPage(
        "NEB-C040",
        "softmax before a loss that takes it",
        "CrossEntropyLoss takes the softmax itself. Taken twice, three classes cannot cost less than 0.55 even when "
        "the answer is perfect, and gradients shrink.",
        "Give logits: leave the softmax out of the model while training.",
        "loss, prediction = nn.CrossEntropyLoss(), torch.randn(8, 3).softmax(1)\ntarget = torch.randint(0, 3, (8,))\n",
        "loss, prediction, target = nn.CrossEntropyLoss(), torch.randn(8, 3), torch.randint(0, 3, (8,))\n",
    ),
    CheckPage(
        "NEB-C041",
        "probabilities where log-probabilities are read",
        "Without the logarithm the loss is linear in the probabilities, often negative, and no likelihood.",
        "Use log_softmax in place of softmax.",
        "loss, prediction = nn.NLLLoss(), torch.randn(8, 3).softmax(1)\ntarget = torch.randint(0, 3, (8,))\n",
        "loss, prediction = nn.NLLLoss(), torch.randn(8, 3).log_softmax(1)\ntarget = torch.randint(0, 3, (8,))\n",
    ),
    CheckPage(
        "NEB-C042",
        "logits where log-probabilities are read",
        "Adding a number to every logit lowers the loss without bound.",
        "Apply log_softmax; or use CrossEntropyLoss, which does.",
        "loss, prediction, target = nn.NLLLoss(), torch.randn(8, 3), torch.randint(0, 3, (8,))\n",
        "loss, prediction = nn.NLLLoss(), torch.randn(8, 3).log_softmax(1)\ntarget = torch.randint(0, 3, (8,))\n",
    ),
    CheckPage(
        "NEB-C043",
        "normalised over the wrong axis",
        "softmax or log_softmax was taken over the rows or the positions: these compete, not the classes.",
        "Give `dim=1`, the axis of the classes.",
        "loss, prediction = nn.NLLLoss(), torch.randn(8, 3).log_softmax(0)\ntarget = torch.randint(0, 3, (8,))\n",
        "loss, prediction = nn.NLLLoss(), torch.randn(8, 3).log_softmax(1)\ntarget = torch.randint(0, 3, (8,))\n",
    ),
    CheckPage(
        "NEB-C044",
        "logits where probabilities are read",
        "BCELoss takes probabilities; it raises on a CPU for anything outside [0, 1].",
        "Use BCEWithLogitsLoss, which takes the sigmoid itself and stays exact at large logits.",
        "loss, prediction, target = nn.BCELoss(), torch.randn(4), torch.tensor([0.0, 1.0, 1.0, 0.0])\n",
        "loss, prediction, target = nn.BCEWithLogitsLoss(), torch.randn(4), torch.tensor([0.0, 1.0, 1.0, 0.0])\n",
    ),
    CheckPage(
        "NEB-C045",
        "sigmoid before a loss that takes it",
        "Taken twice, the served probability stays between 0.50 and 0.73. Small logits look alike: it is a note "
        "unless the numbers speak clearly.",
        "Give logits: leave the sigmoid out of the model while training.",
        "loss, prediction = nn.BCEWithLogitsLoss(), (3 * torch.randn(32)).sigmoid()\n"
        "target = torch.randint(0, 2, (32,)).float()\n",
        "loss, prediction = nn.BCEWithLogitsLoss(), 3 * torch.randn(32)\ntarget = torch.randint(0, 2, (32,)).float()\n",
        "warning",
    ),
    CheckPage(
        "NEB-C046",
        "saturated probabilities",
        "A probability of exactly 0 or 1 on the wrong side costs 100 whatever the logit is, and behind a saturated "
        "sigmoid has no gradient.",
        "Use BCEWithLogitsLoss on logits.",
        "loss, prediction, target = nn.BCELoss(), torch.tensor([0.2, 1.0, 0.9]), torch.tensor([0.0, 0.0, 1.0])\n",
        "loss, prediction, target = nn.BCELoss(), torch.tensor([0.2, 0.8, 0.9]), torch.tensor([0.0, 0.0, 1.0])\n",
        "warning",
    ),
    CheckPage(
        "NEB-C047",
        "KLDivLoss averaged over the classes",
        "The default reduction 'mean' divides by the number of classes too, so it is not the divergence.",
        "Set reduction='batchmean'.",
        "loss, prediction = nn.KLDivLoss(), torch.randn(8, 3).log_softmax(1)\ntarget = torch.randn(8, 3).softmax(1)\n",
        "loss, prediction = nn.KLDivLoss(reduction='batchmean'), torch.randn(8, 3).log_softmax(1)\n"
        "target = torch.randn(8, 3).softmax(1)\n",
        "warning",
    ),
    CheckPage(
        "NEB-C048",
        "target in the other space than log_target says",
        "Log-probabilities read as probabilities give NaN; probabilities read as log-probabilities a wrong number.",
        "Set `log_target` to what the target is.",
        "loss, prediction = nn.KLDivLoss(reduction='batchmean'), torch.randn(8, 3).log_softmax(1)\n"
        "target = torch.randn(8, 3).log_softmax(1)\n",
        "loss, prediction = nn.KLDivLoss(reduction='batchmean', log_target=True), torch.randn(8, 3).log_softmax(1)\n"
        "target = torch.randn(8, 3).log_softmax(1)\n",
    ),
    CheckPage(
        "NEB-C049",
        "ReLU before a loss that reads both signs",
        "After a ReLU no logit is negative, so no yes/no probability falls below 0.50, and rows at 0 get no gradient. "
        "A regression on targets below 0 cannot reach them. Before a softmax it is a note: classes above 0 learn.",
        "Leave the ReLU out of the last layer.",
        "loss, prediction = nn.BCEWithLogitsLoss(), (3 * torch.randn(32)).relu()\n"
        "target = torch.randint(0, 2, (32,)).float()\n",
        "loss, prediction = nn.BCEWithLogitsLoss(), 3 * torch.randn(32)\ntarget = torch.randint(0, 2, (32,)).float()\n",
        "warning",
    ),
    CheckPage(
        "NEB-C050",
        "negative counts",
        "For a negative count the Poisson loss has no minimum.",
        "Find out what the negative numbers mean; for a real quantity use MSELoss.",
        "loss, prediction = nn.PoissonNLLLoss(), torch.randn(4)\ntarget = torch.tensor([3.0, -1.0, 0.0, 2.0])\n",
        "loss, prediction = nn.PoissonNLLLoss(), torch.randn(4)\ntarget = torch.tensor([3.0, 1.0, 0.0, 2.0])\n",
    ),
    CheckPage(
        "NEB-C051",
        "rates where log rates are read",
        "PoissonNLLLoss takes exp of its input unless log_input=False; exp of a rate of 30 is 1e13.",
        "Set log_input=False, or leave the exp or softplus out of the model.",
        "target = torch.poisson(torch.full((32,), 20.0))\n"
        "loss, prediction = nn.PoissonNLLLoss(), target + torch.rand(32)\n",
        "target = torch.poisson(torch.full((32,), 20.0))\n"
        "loss, prediction = nn.PoissonNLLLoss(log_input=False), target + torch.rand(32)\n",
        "warning",
    ),
    CheckPage(
        "NEB-C052",
        "log rates where rates are read",
        "With log_input=False the logarithm of a negative output is NaN.",
        "Set log_input=True, or give exp or softplus of the output.",
        "target = torch.poisson(torch.full((32,), 2.0))\n"
        "loss, prediction = nn.PoissonNLLLoss(log_input=False), torch.randn(32)\n",
        "target = torch.poisson(torch.full((32,), 2.0))\nloss, prediction = nn.PoissonNLLLoss(), torch.randn(32)\n",
    ),
    CheckPage(
        "NEB-C053",
        "standard deviations where variances are read",
        "GaussianNLLLoss takes the variance. A standard deviation gives no error; only residuals, if the model is "
        "already calibrated, can tell, so it is mostly a note.",
        "Pass the square.",
        "deviation = torch.linspace(0.1, 10, 400)\n"
        "loss, prediction, target = nn.GaussianNLLLoss(), torch.zeros(400), deviation * torch.randn(400)\n"
        "extra = {'var': deviation}\n",
        "deviation = torch.linspace(0.1, 10, 400)\n"
        "loss, prediction, target = nn.GaussianNLLLoss(), torch.zeros(400), deviation * torch.randn(400)\n"
        "extra = {'var': deviation.square()}\n",
        "warning",
    ),
    CheckPage(
        "NEB-C054",
        "variances that are not positive",
        "Below `eps` a variance counts as `eps`: one residual of 1 then has a gradient of 1e12; negative ones raise.",
        "Pass the output through softplus or exp, and add a small number.",
        "loss, prediction, target = nn.GaussianNLLLoss(), torch.zeros(4), torch.randn(4)\n"
        "extra = {'var': torch.tensor([1.0, 0.0, 0.5, 2.0])}\n",
        "loss, prediction, target = nn.GaussianNLLLoss(), torch.zeros(4), torch.randn(4)\n"
        "extra = {'var': torch.tensor([1.0, 0.2, 0.5, 2.0])}\n",
    ),
)
