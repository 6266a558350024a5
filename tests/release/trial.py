"""Wheel and sdist in fresh environments, with and without durable-rules: `python -m tests.release.trial`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nebula
from tests.project.tree import ROOT
from tests.release.environment import build, fresh

SMOKE = Path(__file__).with_name("smoke.py")


def smoke(programs: Path, folder: Path) -> dict[str, object]:
    """What `smoke.py` finds in an environment, run from an empty folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))}
    done = subprocess.run(
        [programs / "python", SMOKE],
        cwd=folder,
        env={**kept, "NEBULA_CACHE": ":memory:"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"expected the trial to pass, found {done.stderr}")
    return dict(json.loads(done.stdout))


def main() -> int:
    """Try four installations; return 1 when one decides otherwise, or its version is another."""
    assert f"## [{nebula.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    found: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as base:
        built = build(Path(base, "dist"))
        for kind, path in built.items():
            programs = fresh(Path(base, kind), built["wheel"].parent, str(path))
            folder = Path(base, f"{kind}-work")
            folder.mkdir()
            found[kind] = smoke(programs, folder)
            remove = [programs / "python", "-m", "pip", "uninstall", "--quiet", "--yes", "durable-rules"]
            subprocess.run(remove, check=True)
            found[f"{kind} without durable-rules"] = smoke(programs, folder)
    for name, told in found.items():
        print(f"{name}: nebula {told['version']}, {told['engine']}, {len(dict(told['losses']))} decisions")
    losses = [told["losses"] for told in found.values()]
    engines = [str(told["engine"]).split()[0] for told in found.values()]
    versions = {told["version"] for told in found.values()}
    with_engine = "durable-rules" if sys.version_info < (3, 13) else "native"
    sound = all(one == losses[0] for one in losses) and engines == [with_engine, "native"] * 2
    sound = sound and versions == {nebula.__version__}
    print("sound" if sound else "the installations differ")
    return int(not sound)


if __name__ == "__main__":
    sys.exit(main())
