"""The wheel works where the repository is not: in a fresh environment, from another folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import nebula
from tests.project.tree import ROOT

pytestmark = pytest.mark.xdist_group("wheel")  # built once, not once a worker


@dataclass(frozen=True)
class Installed:
    """A virtual environment that holds the wheel and sees the dependencies of the running one."""

    wheel: Path
    folder: Path
    elsewhere: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV_"))}
        program = str(self.folder / "bin" / command[0])
        return subprocess.run(
            [program, *command[1:]], cwd=self.elsewhere, env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    base = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(base), str(ROOT)]
    built = subprocess.run(build, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = base.glob("*.whl")
    venv.create(base / "venv", with_pip=False, symlinks=True)
    install = ["--python", str(base / "venv" / "bin" / "python"), "install", "--no-deps", "--no-index", str(wheel)]
    done = subprocess.run([sys.executable, "-m", "pip", *install], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # A folder added by a .pth file is searched last and its own .pth files are not read: the
    # dependencies are seen, an editable nebula is not.
    (packages,) = (base / "venv").glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    elsewhere = base / "elsewhere"
    elsewhere.mkdir()
    return Installed(wheel, base / "venv", elsewhere)


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
