"""What the page on testing policies shows is what happens."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.runner import call
from tests.project.tree import ROOT

PAGE = (ROOT / "docs" / "policy-testing.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^```console\n\$ nebula (.*?)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
RESULT = ROOT / "benchmarks" / "results" / "policy_mutations.json"


def test_the_commands_print_what_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "visits.test.yaml").write_text(file)
    monkeypatch.chdir(tmp_path)
    assert len(SHOWN) == 2
    for command, output in SHOWN:
        words, _, rest = command.partition(" 2>")
        lines = call(*words.split()).stdout.splitlines()
        shown = lines[: int(rest.split("-")[-1])] if "head" in rest else lines
        assert "\n".join(shown) == output.rstrip("\n")


def test_the_share_killed_is_the_measured_one() -> None:
    measured = json.loads(RESULT.read_text(encoding="utf-8"))
    rows = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| ([\d.]+) % \|$", PAGE, re.MULTILINE)
    assert [(name, *map(int, numbers), float(share)) for name, *numbers, share in rows] == [
        (
            row["policy"].split()[0],
            row["cases"],
            row["mutants"],
            row["killed"] + row["refused"],
            row["equivalent"],
            row["survived"],
            row["killed_percent"],
        )
        for row in measured
    ]
    assert min(row["killed_percent"] for row in measured) >= 95
