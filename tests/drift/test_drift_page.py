"""What docs/drift.md shows is what happens; `python -m tests.drift.test_drift_page` writes it anew."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path
from typing import get_args

import nebula
from nebula.drift.options import GuardOptions
from nebula.policy.model import OnDrift
from tests.project.tree import ROOT

PAGE = ROOT / "docs" / "drift.md"
RESULT = ROOT / "benchmarks" / "results" / "guard.json"
_CODE = re.compile(r"(^```python\n)(.*?)(^```\n\n```text\n)(.*?)(^```$)", re.MULTILINE | re.DOTALL)
_COST = re.compile(r"(?<=<!-- cost -->\n).*?(?=<!-- end -->)", re.DOTALL)


def rendered(text: str) -> str:
    """The page with every example run again, and the figures of the stored benchmark."""
    text = _CODE.sub(lambda found: f"{found[1]}{found[2]}{found[3]}{_output(found[2])}{found[5]}", text)
    return _COST.sub(lambda _: _cost(), text)


def _output(code: str) -> str:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        exec(code, {})  # noqa: S102 - the page's own code
    return shown.getvalue()


def _cost() -> str:
    found = json.loads(RESULT.read_text(encoding="utf-8"))
    busy = " The machine was busy with other work." if found["load"] > found["cores"] / 2 else ""
    rows = {
        "a step without the guard, median": f"{found['step_without_us']:.0f} µs",
        "a call that only keeps its targets, median": f"{found['keeps_us']:.2f} µs",
        "a call that looks at 1,024 batches, median": f"{found['looks_us']:.0f} µs",
        "the same where it judges the facts too, the slowest look of 20": f"{found['judges_us']:.0f} µs",
        "all calls, mean": f"{found['mean_us']:.1f} µs",
        "the same as a share of the step": f"{found['share_of_step_calls']:.2%}",
        f"steps with against without, median of {found['rounds']} pairs": f"{found['share_of_step_blocks']:+.1%}",
        "interquartile range of these pairs": f"{found['block_spread']:.1%}",
    }
    table = "".join(f"| {name} | {figure} |\n" for name, figure in rows.items())
    return f"| | |\n|---|---:|\n{table}\nSteps and means are CPU time, single calls wall time.{busy}\n"


def test_every_example_gives_the_output_that_is_shown() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert rendered(text) == text, "run `python -m tests.drift.test_drift_page`"
    assert len(_CODE.findall(text)) >= 3


def test_the_page_names_every_answer_and_the_defaults() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"| `{word}` |" in text for word in get_args(OnDrift))
    options = GuardOptions()
    assert f"{options.every:,} batches" in text
    assert f"every {options.facts_every:,} batches" in text
    assert f"{options.window:,} values" in text


def test_its_policy_stops(tmp_path: Path) -> None:
    (content,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "stop.yaml").write_text(content, encoding="utf-8")
    assert nebula.load_policy(tmp_path / "stop.yaml").compiled.file.on_drift == "raise"


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
