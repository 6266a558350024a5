"""Both experiments with a progress bar, as one report."""

from __future__ import annotations

import logging
from importlib.metadata import version

import torch
from rich.console import Console
from rich.progress import track

from nebula import __version__
from nebula.bench.paper.report import PaperReport
from nebula.bench.paper.trained import QUESTIONS, compare_trained
from nebula.bench.paper.values import compare_values
from nebula.decision.policy import load_policy

__all__ = ["run_paper"]


def run_paper(seeds: int = 10) -> PaperReport:
    """Run the paper's experiment as described, then trained networks.

    Args:
        seeds: Draws of the one, paired repetitions of the other; at least 1.
    """
    logging.getLogger("nebula").setLevel(logging.ERROR)
    policy = load_policy("default.yaml")
    console = Console(stderr=True)
    return PaperReport(
        policy=f"{policy.name} {policy.version}",
        versions={"nebula": __version__, "torch": torch.__version__, "scikit-learn": version("scikit-learn")},
        described=compare_values(seeds),
        trained=tuple(track(compare_trained(seeds), "training", total=len(QUESTIONS), console=console, transient=True)),
    )
