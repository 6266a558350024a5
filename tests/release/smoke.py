"""Every important way through an installed nebula, told as JSON; needs nothing but nebula."""

from __future__ import annotations

import io
import json

import torch

import nebula

TARGETS = {
    "count": [0, 1, 0, 3, 2, 0, 1, 7] * 30,
    "number": [0.3, -1.2, 0.8, 2.5, -0.4, 1.1, -2.0, 0.1] * 30,
    "amount": [1.5, 2.25, 9.75, 120.5, 3.25, 1.75, 40.5, 2.5] * 30,
    "flag": [0, 1] * 120,
    "class": [0, 1, 2] * 80,
}
OUTPUTS = {"class": 3}


def main() -> None:
    """Decide, build, train a step, serve, save and restore for each target."""
    losses = {}
    engine = ""
    for name, values in TARGETS.items():
        target = torch.tensor(values)
        width = OUTPUTS.get(name, 1)
        model = torch.nn.Linear(2, width)
        inputs = torch.randn(len(values), 2)
        criterion = nebula.Nebula("default.yaml").fit(target, prediction=model(inputs))
        criterion.init_output_bias(model)
        criterion(model(inputs), target).backward()
        assert criterion.predict(model(inputs)).isfinite().all()
        kept = io.BytesIO()
        torch.save(criterion.state_dict(), kept)
        kept.seek(0)
        again = nebula.Nebula("default.yaml")
        again.load_state_dict(torch.load(kept, weights_only=True))
        assert again.decision.spec == criterion.decision.spec
        losses[name] = [criterion.decision.spec.loss, criterion.decision.rule_id]
        engine = criterion.decision.trace.engine
    for policy in ("default.yaml", "paper.yaml", "strict.yaml"):
        nebula.load_policy(policy)
    print(json.dumps({"version": nebula.__version__, "engine": engine, "losses": losses}))


if __name__ == "__main__":
    main()
