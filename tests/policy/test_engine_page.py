"""docs/concepts/engine.md shows the stored figures; `python -m tests.policy.test_engine_page` writes them anew."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.bench.markdown import table
from tests.project.tree import ROOT

PAGE = ROOT / "docs" / "concepts" / "engine.md"
RESULT = ROOT / "benchmarks" / "results" / "policy_engines.json"
_COST = re.compile(r"(?<=<!-- cost -->\n).*?(?=<!-- end -->)", re.DOTALL)
_PROFILES = {"last": "the last rule fires", "first": "the first fires", "none": "none fires"}


def cost(result: dict[str, Any]) -> str:
    """A row for each engine: microseconds, and in brackets the ratio to nebula's native engine with full trace."""
    found = {(row["engine"], row["profile"]): row for row in result["rows"]}
    engines = dict.fromkeys(row["engine"] for row in result["rows"])
    cells = (
        (
            engine,
            *(f"{found[engine, p]['median_us']:.3g} ({found[engine, p]['ratio']:.2g} x)" for p in _PROFILES),
        )
        for engine in engines
    )
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    return f"\n{table(('µs a decision', *_PROFILES.values()), cells)}\nPython {result['python']}; {versions}.\n\n"


def rendered(text: str) -> str:
    """The page with the figures of the stored benchmark."""
    return _COST.sub(lambda _: cost(json.loads(RESULT.read_text(encoding="utf-8"))), text)


def test_the_figures_are_those_of_the_stored_run() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert _COST.search(text)
    assert rendered(text) == text, "run `python -m tests.policy.test_engine_page`"


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
