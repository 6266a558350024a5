"""Small policies written as text, as a user would."""

from __future__ import annotations

from typing import Any

import yaml

HEAD = {"apiVersion": "nebula/v1", "name": "sample", "version": "1.0.0"}


def policy(*conditions: Any, **sections: Any) -> str:
    """A policy with one select rule per condition, `r0`, `r1`, …, and the sections given."""
    rules = [
        {"id": f"r{index}", "when": condition, "use": {"loss": "MSELoss"}, "because": "b"}
        for index, condition in enumerate(conditions)
    ]
    return yaml.safe_dump({**HEAD, **sections, "select": rules}, sort_keys=False, width=10_000)


def derive(identity: str, condition: Any, **values: Any) -> dict[str, Any]:
    """One derive rule."""
    return {"id": identity, "when": condition, "set": values}
