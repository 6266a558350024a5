"""docs/training.md shows the stored figures; `python -m tests.selector.test_training_page` writes them anew."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.project.tree import ROOT

PAGE = ROOT / "docs" / "training.md"
RESULT = ROOT / "benchmarks" / "results" / "step.json"
_COST = re.compile(r"(?<=<!-- cost -->\n).*?(?=<!-- end -->)", re.DOTALL)
_CASES = {
    "forward (32, 10)": "cross-entropy, (32, 10)",
    "forward (4096, 1000)": "cross-entropy, (4096, 1000)",
    "forward (32,)": "squared error, (32,)",
    "forward (32, 1)": "squared error, (32, 1) against (32,)",
    "compiled step": "a compiled step, forward and backward",
}


def cost(found: dict[str, Any]) -> str:
    """The tables of a result."""
    calls = "".join(_row(name, found[case]) for case, name in _CASES.items())
    first, start = found["first call"], found["start, CPU ms"]
    starts = {
        "a first call that decides on its batch, median": f"{first['median_ms']:.1f} ms",
        "the very first one of a process": f"{first['very_first_ms']:.1f} ms",
        "`import nebula`, beyond Python itself": f"{start['import nebula'] - start['python']:.0f} ms",
        "`nebula --help`": f"{start['nebula --help']:.0f} ms",
    }
    busy = " The machine was busy with other work." if found["load_average"] > found["cores"] / 2 else ""
    return (
        "| | raw | raw again | without guard | with guard | mean, with looks | single call |\n"
        f"|---|---:|---:|---:|---:|---:|---:|\n{calls}\n"
        "| CPU time | |\n|---|---:|\n"
        + "".join(f"| {name} | {figure} |\n" for name, figure in starts.items())
        + f"\nWith torch {found['torch']} and Python {found['python']}.{busy}\n"
    )


def _row(name: str, case: dict[str, dict[str, float]]) -> str:
    raw, ours, bare = case["raw"], case["nebula"], case.get("nebula without guard")
    single = f"{ours['single_us'] - raw['single_us']:+.2f} µs" if "single_us" in ours else ""
    ratios = [case["raw again"]["ratio"], bare["ratio"] if bare else None, ours["ratio"], ours["mean_ratio"]]
    shown = [f"{raw['us']:.4g} µs", *(f"{ratio:.2f} x" if ratio else "" for ratio in ratios), single]
    return f"| {name} | {' | '.join(shown)} |\n"


def rendered(text: str) -> str:
    """The page with the figures of the stored benchmark."""
    return _COST.sub(lambda _: cost(json.loads(RESULT.read_text(encoding="utf-8"))), text)


def test_the_figures_are_those_of_the_stored_run() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert _COST.search(text)
    assert rendered(text) == text, "run `python -m tests.selector.test_training_page`"


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
