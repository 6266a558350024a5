"""Losses of other packages: found, refused by name, switched off, and enrolled in the suite."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import nebula
from nebula.errors import PluginError, PolicyError
from nebula.losses import registry
from nebula.losses.adaptation import entry_of
from nebula.losses.catalogue import load_builtin

LOSSES = """
import nebula
from nebula.losses.contract import Contract
from nebula.losses.modules.reduction import ElementLoss

REAL = Contract(prediction_space="raw", target_kind="real", layout="same", target_dtype="float", empty="zero")


@nebula.register_loss(
    "{name}",
    contracts=REAL,
    summary="Error to the fourth.",
    formula="(y - z)⁴",
    reference="none",
    limits="Outliers rule it.",
)
class Quartic(ElementLoss):
    def elements(self, prediction, target):
        return {elements}
"""
POLICY = """
apiVersion: nebula/v1
name: third
version: 1.0.0
select:
  - id: any
    when: true
    use: {loss: QuarticLoss}
    because: It is there.
otherwise: {error: none}
"""


class Distribution:
    """A package installed in a folder of its own, as pip would leave it."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name, self.module = folder, name, name.replace("-", "_")

    def install(self, source: str, point: str) -> None:
        (self.folder / f"{self.module}.py").write_text(source)
        info = self.folder / f"{self.module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {self.name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[nebula.losses]\n{point}\n")
        nebula.use_plugins(True)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Distribution]:
    load_builtin()
    before = {entry.name for entry in registry.entries()}
    monkeypatch.syspath_prepend(tmp_path)
    # a name of its own for every test: an imported module is never imported again
    yield Distribution(tmp_path, f"third-{request.node.name.partition('[')[0].removeprefix('test_').replace('_', '-')}")
    monkeypatch.undo()
    nebula.use_plugins(True)
    for entry in list(registry.entries()):
        if entry.name not in before:
            registry.unregister(entry.name)


def quartic(name: str = "QuarticLoss", elements: str = "(prediction - target) ** 4") -> str:
    return LOSSES.format(name=name, elements=elements)


def test_an_installed_loss_can_be_chosen_by_a_policy(package: Distribution, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    with pytest.raises(PolicyError, match="QuarticLoss"):
        nebula.load_policy(path)
    package.install(quartic(), f"mine = {package.module}")
    decision = nebula.select([0.5, 1.5, -2.0, 3.25], policy=path)
    criterion = nebula.build(decision)
    import torch

    assert criterion(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0])).item() == 8.0


def test_an_entry_point_may_name_entries(package: Distribution) -> None:
    source = quartic() + "\nfrom nebula.losses.registry import unregister\nENTRIES = (unregister('QuarticLoss'),)\n"
    package.install(source, f"mine = {package.module}:ENTRIES")
    assert entry_of("QuarticLoss").family == "custom"
    load_builtin()


def test_plugins_are_loaded_only_when_wanted(package: Distribution) -> None:
    package.install(quartic(), f"mine = {package.module}")
    nebula.use_plugins(False)
    load_builtin()
    assert registry.find("QuarticLoss") is None
    assert package.module not in sys.modules
    nebula.use_plugins(True)
    assert entry_of("QuarticLoss").name == "QuarticLoss"


def test_threads_load_a_plugin_once(package: Distribution) -> None:
    package.install(quartic(), f"mine = {package.module}")
    failures: list[BaseException] = []

    def look() -> None:
        try:
            entry_of("QuarticLoss")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_plugin_may_look_up_losses_while_it_is_imported(package: Distribution) -> None:
    source = "from nebula.losses.adaptation import entry_of\nentry_of('MSELoss')\n" + quartic()
    package.install(source, f"mine = {package.module}")
    assert entry_of("QuarticLoss").name == "QuarticLoss"


@pytest.mark.parametrize(
    ("source", "attribute", "problem"),
    [
        ("raise RuntimeError('out of order')", "", "RuntimeError: out of order"),
        ("", ":ENTRIES", "AttributeError"),
        ("ENTRIES = (1, 2)", ":ENTRIES", "expected a LossEntry, several, or a module, found tuple"),
        ("ENTRIES = 'MSELoss'", ":ENTRIES", "found str"),
        (quartic("MSELoss"), "", "'MSELoss' is already registered"),
        (quartic("no name"), "", "expected a name of letters"),
    ],
    ids=["import", "attribute", "tuple", "text", "duplicate", "name"],
)
def test_a_broken_plugin(package: Distribution, source: str, attribute: str, problem: str) -> None:
    sys.modules.pop(package.module, None)
    package.install(source, f"mine = {package.module}{attribute}")
    for _ in range(2):  # it is not forgotten after the first time
        with pytest.raises(PluginError, match="third-a-broken-plugin") as caught:
            load_builtin()
        assert problem in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    nebula.use_plugins(False)
    load_builtin()


def test_one_broken_name_registers_none_of_a_plugin(package: Distribution) -> None:
    source = (
        quartic()
        + "\nfrom dataclasses import replace\nfrom nebula.losses.registry import unregister\n"
        + "GOOD = unregister('QuarticLoss')\nENTRIES = (GOOD, replace(GOOD, name='L1Loss'))\n"
    )
    package.install(source, f"mine = {package.module}:ENTRIES")
    with pytest.raises(PluginError, match="'L1Loss' is already registered"):
        load_builtin()
    assert registry.find("QuarticLoss") is None


def test_the_command_line_can_do_without(package: Distribution) -> None:
    package.install("raise RuntimeError('out of order')", f"mine = {package.module}")
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from nebula.cli.main import main; main()"
    run = [sys.executable, "-c", code, str(package.folder)]
    broken = subprocess.run([*run, "losses"], capture_output=True, text=True, check=False)
    assert broken.returncode == 2
    assert "third-the-command-line-can-do-without" in broken.stderr
    without = subprocess.run([*run, "--no-plugins", "losses"], capture_output=True, text=True, check=True)
    assert "MSELoss" in without.stdout


def test_the_pytest_plugin_enrols_third_party_losses(tmp_path: Path) -> None:
    (tmp_path / "sound.py").write_text(quartic("SoundLoss"))
    (tmp_path / "faulty.py").write_text(quartic("FaultyLoss", "(prediction - target) ** 4 / target.numel() ** 0.5"))
    done = _pytest(tmp_path, "--nebula-losses", "sound", "--nebula-losses", "faulty", "-rA", "-k", "coupling or row")
    assert done.returncode == 1, done.stdout
    outcomes = dict(
        reversed(line.split()[:2]) for line in done.stdout.splitlines() if line.startswith(("PASS", "FAIL"))
    )
    assert {name.split("::")[1].split("-")[0] for name in outcomes} == {"SoundLoss", "FaultyLoss"}
    failed = {name.split("::")[1] for name, outcome in outcomes.items() if outcome == "FAILED"}
    assert "FaultyLoss-coupling" in failed
    assert all(name.startswith("FaultyLoss") for name in failed)


def test_the_pytest_plugin_refuses_a_module_without_losses(tmp_path: Path) -> None:
    (tmp_path / "empty.py").write_text("")
    assert "none registered" in _pytest(tmp_path, "--nebula-losses", "empty").stderr
    assert "expected a module to import" in _pytest(tmp_path, "--nebula-losses", "nowhere").stderr


def _pytest(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", "pytest", "-p", "nebula.conformance.pytest_plugin", "-p", "no:cacheprovider", "-q"]
    return subprocess.run(
        [*run, "-W", "error", *options], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
