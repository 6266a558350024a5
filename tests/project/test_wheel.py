"""The wheel works where the repository is not: in a fresh environment, from another folder."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import nebula
from tests.project.conftest import Installed
from tests.project.tree import ROOT

pytestmark = pytest.mark.xdist_group("wheel")  # built once, not once a worker


def test_the_wheel_holds_what_it_should(installed: Installed) -> None:
    names = set(zipfile.ZipFile(installed.wheel).namelist())
    shipped = {f"nebula/shipped/policies/{p.name}" for p in (ROOT / "policies").glob("*.yaml")}
    shipped |= {f"nebula/shipped/schemas/{p.name}" for p in (ROOT / "schemas").glob("*.json")}
    assert len(shipped) >= 7
    assert shipped | {"nebula/py.typed", "nebula/__init__.py"} <= names
    strangers = {name.split("/")[0] for name in names} - {"nebula"}
    assert strangers == {f"nebula_selector-{nebula.__version__}.dist-info"}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_a_shipped_policy_loads_from_the_wheel(installed: Installed) -> None:
    code = (
        "import json, nebula\n"
        "criterion = nebula.Nebula.from_policy('default.yaml')\n"
        "from nebula.decision.policy import load_policy\n"
        "names = [load_policy(n).name for n in ('default.yaml', 'paper.yaml', 'strict.yaml')]\n"
        "print(json.dumps([nebula.__file__, nebula.__version__, criterion.policy.name, names]))"
    )
    done = installed.run("python", "-c", code)
    assert done.returncode == 0, done.stderr
    home, version, policy, names = json.loads(done.stdout)
    assert Path(home).is_relative_to(installed.folder)
    assert (version, policy, names) == (nebula.__version__, "default", ["default", "paper", "strict"])


def test_the_command_decides_outside_the_repository(installed: Installed) -> None:
    rows = "\n".join(f"{i % 7},{i % 3}" for i in range(90))
    (installed.elsewhere / "data.csv").write_text(f"x,kind\n{rows}\n")
    done = installed.run("nebula", "select", "data.csv", "--target", "kind", "--prediction-shape", "N,3", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["spec"]["loss"] == "CrossEntropyLoss"


def test_the_installed_version_is_the_written_one(installed: Installed) -> None:
    assert installed.run("nebula", "--version").stdout == f"nebula {nebula.__version__}\n"


def test_the_wheel_decides_where_durable_rules_is_not_installed(installed: Installed) -> None:
    code = (
        "import json, sys\n"
        "for name in sys.argv[1:]:\n"
        "    sys.modules[name] = None\n"
        "import nebula\n"
        "decision = nebula.select([0.5, 1.5, 2.25, 3.5])\n"
        "print(json.dumps([decision.trace.engine.split()[0], decision.rule_id, str(decision.spec)]))"
    )
    without, usual = (
        json.loads(installed.run("python", "-c", code, *blocked).stdout)
        for blocked in (("durable_rules_engine", "durable"), ())
    )
    assert without[0] == "native"
    assert usual[0] == ("durable-rules" if sys.version_info < (3, 13) else "native")
    assert without[1:] == usual[1:]


def test_the_sdist_holds_what_the_wheel_and_the_tests_need(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    built = subprocess.run(build, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"pyproject.toml", "LICENSE", "README.md", "CHANGELOG.md", "Makefile", "mkdocs.yml", "nebula/py.typed"}
    needed |= {f"policies/{p.name}" for p in (ROOT / "policies").glob("*.yaml")}
    needed |= {f"schemas/{p.name}" for p in (ROOT / "schemas").glob("*.json")}
    needed |= {"docs/README.md", "docs/_site/hooks.py", "requirements/constraints.txt", "tests/project/test_wheel.py"}
    assert needed - names == set()
    assert not [name for name in names if "__pycache__" in name or name.startswith((".venv", "site/", "artifacts"))]
