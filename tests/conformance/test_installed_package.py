"""A package as an outside user would write it: built, installed by pip, and used from another process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "tides"
version = "0.1.0"

[project.entry-points."nebula.losses"]
tides = "tides.losses"

[project.entry-points."nebula.facts"]
tides = "tides.facts:FACTS"

[tool.hatch.build.targets.wheel]
packages = ["tides"]
"""
LOSSES = """
import nebula
from nebula.losses.contract import Contract
from nebula.losses.modules.reduction import ElementLoss


@nebula.register_loss(
    "TidalLoss",
    contracts=Contract(
        prediction_space="raw", target_kind="real", layout="same", target_dtype="float", empty="zero", proper="mean"
    ),
    summary="Squared error.",
    formula="(y - z)²",
    reference="none",
    limits="Outliers rule it.",
)
class Tidal(ElementLoss):
    def elements(self, prediction, target):
        return (prediction - target) ** 2
"""
FACTS = """
from nebula.profiling.custom_fact import CustomFact


def turns(target, profile):
    step = target.diff()
    return None if len(step) < 2 else int((step[1:] * step[:-1] < 0).sum())


FACTS = [CustomFact("turns", "int", "How often it turns.", turns, low=0, unit="turns")]
"""
POLICY = """
apiVersion: nebula/v1
name: tidal
version: 1.0.0
select:
  - {id: tide, when: custom.turns >= 2, use: {loss: TidalLoss}, because: It comes and goes.}
  - {id: other, when: true, use: {loss: MSELoss}, because: It does not.}
"""
USE = """
import json, sys, nebula
from nebula.losses.catalogue import load_builtin
policy = nebula.load_policy(sys.argv[1])
loss = {name: nebula.select(rows, policy=policy) for name, rows in
        {"tide": [0.5, 3.0, 1.0, 4.0, 0.25], "rise": [0.5, 1.0, 2.0, 3.5]}.items()}
import torch
made = nebula.build(loss["tide"])
print(json.dumps({name: found.spec.loss for name, found in loss.items()} | {
    "value": made(torch.tensor([1.0]), torch.tensor([3.0])).item(),
    "turns": loss["tide"].trace.profile.custom.turns}))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that pip installed the package into."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    (source / "tides").mkdir()
    for name, text in {"__init__": "", "losses": LOSSES, "facts": FACTS}.items():
        (source / "tides" / f"{name}.py").write_text(text, encoding="utf-8")
    (source / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(source)], check=True, capture_output=True)
    return target


def run(site: Path, *command: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python where the package is installed."""
    paths = [str(site), *filter(None, [os.environ.get("PYTHONPATH")]), str(Path(__file__).parents[2])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.run(
        [sys.executable, *command], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_policy_chooses_its_loss_by_its_fact(site: Path, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY, encoding="utf-8")
    found = run(site, "-c", USE, str(path))
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout) == {"tide": "TidalLoss", "rise": "MSELoss", "value": 4.0, "turns": 3}
    refused = run(site, "-m", "nebula.cli.main", "--no-plugins", "policy", "lint", str(path))
    assert refused.returncode != 0
    assert "custom.turns" in refused.stdout + refused.stderr


def test_the_command_line_lists_its_fact(site: Path) -> None:
    found = run(site, "-m", "nebula.cli.main", "facts", "--json")
    (fact,) = [fact for fact in json.loads(found.stdout) if fact["name"].startswith("custom.")]
    assert (fact["name"], fact["kind"], fact["low"], fact["unit"]) == ("custom.turns", "int", 0, "turns")


def test_the_pytest_plugin_enrols_its_loss(site: Path, tmp_path: Path) -> None:
    options = ["-p", "nebula.conformance.pytest_plugin", "-p", "no:cacheprovider", "--nebula-losses", "tides.losses"]
    found = run(site, "-m", "pytest", "-q", *options, "-k", "TidalLoss-gradient or TidalLoss-elicits", folder=tmp_path)
    assert found.returncode == 0, found.stdout
    assert " passed" in found.stdout
