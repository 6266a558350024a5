"""What docs/policy-language.md shows is what happens; `python -m tests.policy.test_language_page` writes it anew."""

from __future__ import annotations

import json
import math
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

import nebula
from nebula.errors import PolicyError
from nebula.policy.loader import loads
from nebula.policy.model import PolicyFile
from tests.cli.runner import call
from tests.pages.folder import working_folder
from tests.policy.samples import policy
from tests.project.tree import ROOT

PAGE = ROOT / "docs" / "policy-language.md"
TEXT = PAGE.read_text(encoding="utf-8")
_FILE = re.compile(r"^```yaml\n(# (\S+\.yaml)\n.*?)^```$", re.MULTILINE | re.DOTALL)
_CONSOLE = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
_NUMBERS = re.compile(r"^\| (\S.*?) \| `([^`]+)` \| (true|false|unknown) \|$", re.MULTILINE)
_VALUES = {"not computed, or missing": None, "NaN": math.nan, "+inf": math.inf, "-inf": -math.inf}


def rendered(text: str) -> str:
    """The page with every console block run again, in a folder that holds its policies and a heavy-tailed column."""
    with working_folder(_FILE.findall(text)):
        Path("tail.csv").write_text("y\n" + "\n".join(f"{1 + i % 7 + 0.25:g}" for i in range(60)) + "\n900.5\n")
        return _CONSOLE.sub(lambda block: _session(block[0]), text)


def _session(block: str) -> str:
    return "".join(f"$ {command}\n{_run(command)}" for command in re.findall(r"^\$ (.*)$", block, re.MULTILINE))


def _run(command: str) -> str:
    program, *arguments = shlex.split(command)
    if program == "cat":
        return Path(arguments[0]).read_text(encoding="utf-8")
    assert program == "nebula"
    return call(*arguments).output


def test_every_example_gives_the_output_that_is_shown() -> None:
    assert rendered(TEXT) == TEXT, "run `python -m tests.policy.test_language_page`"
    assert TEXT.count("\n$ nebula ") >= 5


@pytest.mark.parametrize(("value", "condition", "outcome"), _NUMBERS.findall(TEXT))
def test_the_table_of_numbers(value: str, condition: str, outcome: str) -> None:
    found: Any = _VALUES[value] if value in _VALUES else float(value)
    assert loads(policy(condition)).evaluate({"target.mean": found}).select[0].outcome == outcome


_RANGE = re.compile(r"^\| (\S.*?) \| ([\d.]+) \| ([\d.]+) \| ([-\d., ]+) \|$", re.MULTILINE)
_RANGED = {
    "a parameter's `low: 0, high: 100`": {"parameters": {"p": {"value": math.pi, "low": 0, "high": 100}}},
    "`serve: {threshold: …}`": {"serve": {"threshold": math.pi}},
    "`serve: {quantile: …}`": {"serve": {"quantile": math.pi}},
    "`params: {pos_weight: …}`": {"params": {"pos_weight": math.pi}},
}


def _with_value(row: str, value: str) -> str:
    """A policy that has the value where the row of the table says."""
    place = _RANGED[row]
    text = policy("known(target.mean)", **(place if "parameters" in place else {})).replace(
        "MSELoss", "BCEWithLogitsLoss"
    )
    if "parameters" not in place:
        text = text.replace("loss: BCEWithLogitsLoss", f"loss: BCEWithLogitsLoss\n    {json.dumps(place)[1:-1]}")
    return text.replace(repr(math.pi), value)


@pytest.mark.parametrize(("row", "low", "high", "refused"), _RANGE.findall(TEXT), ids=lambda part: part)
def test_the_table_of_ranges(row: str, low: str, high: str, refused: str) -> None:
    for value in (low, high):
        loads(_with_value(row, value))
    for value in refused.split(", "):
        with pytest.raises(PolicyError) as caught:
            loads(_with_value(row, value))
        assert len(caught.value.problems) == 1


def test_the_table_of_ranges_is_read() -> None:
    assert {row for row, *_ in _RANGE.findall(TEXT)} == set(_RANGED)


def test_every_key_of_a_policy_is_on_the_page() -> None:
    for name, field in PolicyFile.model_fields.items():
        assert f"`{field.alias or name}`" in TEXT


def test_the_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for content, name in _FILE.findall(TEXT):
        Path(name).write_text(content, encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - the page's own code
    decision = names["criterion"].fit([0.5, 1.5, 2.25, 3.5]).decision
    assert decision.spec.loss == "MSELoss"
    assert isinstance(names["criterion"], nebula.Nebula)


if __name__ == "__main__":
    PAGE.write_text(rendered(TEXT), encoding="utf-8")
