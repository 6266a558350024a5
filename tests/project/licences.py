"""docs/licences.md: what nebula brings along, under which licences; `python -m tests.project.licences`."""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, distributions, metadata, requires

from packaging.requirements import Requirement

from nebula.reference.markdown import NOTICE, page, table
from tests.project.tree import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAGE = ROOT / "docs" / "licences.md"
OWN = "nebula-selector"
EXTRAS = (
    "table",
    "demo",
    "fast",
    "multitask",
    "ray",
    "redis",
    "tune",
    "verify",
    "lightning",
    "transformers",
    "skorch",
    "accelerate",
    "tensorboard",
    "mlflow",
    "integrations",
)
_CUDA = re.compile(r"^(nvidia-|cuda-|triton$)")
_PREFIX = "License :: OSI Approved :: "
_SPOKEN = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "Python Software Foundation License": "PSF-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "ISC License (ISCL)": "ISC",
    "Apache 2.0": "Apache-2.0",
    "Apache 2": "Apache-2.0",
}


def canonical(name: str) -> str:
    """The name as the index writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(extra: str = "") -> set[str]:
    """Everything that an installation with an extra brings along here, torch's CUDA packages left out."""
    found, waiting = set[str](), [(OWN, extra)]
    seen = set(waiting)
    while waiting:
        name, wanted = waiting.pop()
        for text in _own(wanted) if name == OWN else _requirements(name):
            needed = Requirement(text)
            if needed.marker is not None and not needed.marker.evaluate({"extra": wanted}):
                continue
            brought = canonical(needed.name)
            if _CUDA.match(brought):
                continue
            found.add(brought)
            steps = {(brought, further) for further in ("", *needed.extras)} - seen
            seen |= steps
            waiting += steps
    return found - {OWN}


def _own(extra: str) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"].get(extra, ())]


def _requirements(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:
        return []


def licence(name: str) -> str:
    """The licence that an installed package declares; empty when it declares none.

    Raises:
        PackageNotFoundError: It is not installed.
    """
    told = metadata(name)
    if "License-Expression" in told:
        return str(told["License-Expression"])
    classified = sorted({c.removeprefix(_PREFIX) for c in told.get_all("Classifier") or [] if c.startswith(_PREFIX)})
    short = told["License"].strip().split("\n")[0] if "License" in told else ""
    if classified:
        return " or ".join(_SPOKEN.get(one, one) for one in classified)
    return _SPOKEN.get(short, short if len(short) < 60 else "")


def rendered() -> str:
    """The page."""
    base = closure()
    lines = [
        "# Licences of dependencies",
        "",
        NOTICE,
        "",
        "nebula is under Apache-2.0. It brings the packages below along, and no code of theirs in its own files. The",
        "licences are those that the packages declare; the versions of the development set stand in",
        "[constraints.txt](../requirements/constraints.txt). torch built for CUDA brings NVIDIA's packages",
        "along as well, under NVIDIA's own licences.",
        "",
        "## Always",
        "",
        *_rows(base),
    ]
    for extra in EXTRAS:
        lines += ["", f"## With the extra `{extra}`", "", *_rows(closure(extra) - base)]
    return page(lines)


def _rows(names: set[str]) -> list[str]:
    """The table of those that are installed; what is not is an optional part that this platform does not need."""
    installed = {canonical(one.metadata["Name"]) for one in distributions()}
    return list(table(("package", "licence"), ((name, licence(name)) for name in sorted(names & installed))))


if __name__ == "__main__":
    PAGE.write_text(rendered(), encoding="utf-8")
