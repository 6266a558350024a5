"""`nebula policy`: check a policy file, or read it as it is after `extends`."""

from __future__ import annotations

import typer

from nebula.cli.policy_coverage import coverage
from nebula.cli.policy_diff import diff
from nebula.cli.policy_fmt import fmt
from nebula.cli.policy_lint import lint
from nebula.cli.policy_migrate import migrate
from nebula.cli.policy_show import show
from nebula.cli.policy_test import run_cases
from nebula.cli.policy_tune import tune
from nebula.cli.policy_verify import verify

__all__ = ["policy"]

policy = typer.Typer(rich_markup_mode=None)
policy.command("test")(run_cases)
policy.command()(lint)
policy.command()(coverage)
policy.command()(fmt)
policy.command()(migrate)
policy.command()(show)
policy.command()(verify)
policy.command()(diff)
policy.command()(tune)
