"""A fresh virtual environment that installs as a user would, from the files just built."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

from tests.project.tree import ROOT

__all__ = ["build", "fresh"]


def build(folder: Path) -> dict[str, Path]:
    """Build the sdist, and the wheel from the sdist.

    Args:
        folder: Where they go; emptied of earlier ones.

    Returns:
        `wheel` and `sdist`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for earlier in (*folder.glob("*.whl"), *folder.glob("*.tar.gz")):
        earlier.unlink()
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return {"wheel": wheel, "sdist": sdist}


def fresh(folder: Path, found_in: Path, *install: str) -> Path:
    """Make a virtual environment, install into it with the pinned versions, and return its programs' folder.

    Args:
        folder: Where the environment goes.
        found_in: A folder whose files pip may install.
        install: What `pip install` is given.
    """
    venv.create(folder, with_pip=True, clear=True)
    programs = folder / "bin"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))}
    pinned = ROOT / "requirements" / "constraints.txt"
    links = f"{found_in} {kept.get('PIP_FIND_LINKS', '')}".strip()
    environment = {**kept, "PIP_FIND_LINKS": links, "PIP_CONSTRAINT": str(pinned)}
    command = [programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *install]
    subprocess.run(command, check=True, env=environment)
    return programs
