"""The repository as the tests see it."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "nebula"


def modules() -> list[Path]:
    """Every module of the package, in order."""
    return sorted(PACKAGE.rglob("*.py"))


def dotted(path: Path) -> str:
    """`nebula/policy/model.py` → `nebula.policy.model`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
