"""docs/integrations.md shows what happens; `python -m tests.integrations.test_integrations_page` writes it anew."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "integrations.md"
RESULT = ROOT / "benchmarks" / "results" / "integrations.json"
_COST = re.compile(r"(?<=<!-- cost -->\n).*?(?=<!-- end -->)", re.DOTALL)
_BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```$(?P<between>\n\n```text\n)?(?(between)(?P<shown>.*?)(?=^```$))",
    re.MULTILINE | re.DOTALL,
)


def rendered(text: str) -> str:
    """The page with its pieces of code run again in order."""
    names: dict[str, Any] = {"__name__": "page"}

    def again(block: re.Match[str]) -> str:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(block["code"], names)  # noqa: S102 - the page's own code
        shown = f"\n\n```text\n{said.getvalue()}" if block["between"] else ""
        return f"```python\n{block['code']}```{shown}"

    return _COST.sub(lambda _: _cost(), _BLOCK.sub(again, text))


def _cost() -> str:
    found = json.loads(RESULT.read_text(encoding="utf-8"))
    about = found["about"]
    rows = "".join(
        f"| {row['loop']} | {row['own_us_per_step']:.0f} µs | {row['ratio']:.3f} x "
        f"| {row['ratios'][0]:.2f} to {row['ratios'][1]:.2f} |\n"
        for row in found["rows"]
    )
    busy = " The machine was busy with other work." if about["load_average"] > about["cores"] / 2 else ""
    return (
        f"| loop | a step with its own loss | with nebula | {about['rounds']} pairs |\n|---|---:|---:|---:|\n{rows}\n"
        f"With torch {about['torch']} and Python {about['python']}, "
        f"{about['steps']} steps of {about['batch']} rows.{busy}\n"
    )


def test_the_figures_are_those_of_the_stored_run() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [found.group() for found in _COST.finditer(text)] == [_cost()]


@pytest.mark.filterwarnings("ignore")
def test_every_example_gives_the_output_that_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8")
    assert rendered(text) == text, "run `python -m tests.integrations.test_integrations_page`"
    assert text.count("```text\n") >= 5


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
