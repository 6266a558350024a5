"""docs/evidence.md from the checked-in results; `python -m tests.bench.evidence_page` writes it."""

from __future__ import annotations

import re
from collections.abc import Callable

from nebula.bench.report import SelectionReport, Shares
from tests.bench.markdown import table
from tests.bench.outcome_tables import OUTCOME_TABLES, read_outcome
from tests.project.tree import ROOT

PAGE = ROOT / "docs" / "evidence.md"
RESULTS = ROOT / "benchmarks" / "results"
_BLOCK = re.compile(r"(?P<mark><!-- (?P<file>\w+):(?P<table>\w+) -->\n).*?(?=<!-- end -->)", re.DOTALL)
_SHARES = ("targets", "preferred", "usable", "weak", "wrong", "asked", "error")


def rendered(text: str) -> str:
    """The page with every table written from its result."""
    return _BLOCK.sub(lambda block: f"{block['mark']}\n{_written(block['file'], block['table'])}\n", text)


def _written(file: str, name: str) -> str:
    if file.startswith("outcome"):
        return OUTCOME_TABLES[name](read_outcome(file))
    return _TABLES[name](_read(file))


def _read(name: str) -> SelectionReport:
    return SelectionReport.model_validate_json((RESULTS / f"{name}.json").read_bytes())


def _row(name: str, part: Shares) -> list[str]:
    shares = (part.preferred, part.usable, part.weak, part.wrong, part.ambiguous, part.error)
    return [name, str(part.targets), *(f"{share:.1%}" for share in shares)]


def _ways(report: SelectionReport) -> str:
    told = {"target": "the target alone", "shape": "+ shape of the output", "named": "+ column name"}
    rows = [_row(f"**{report.policy}**, {told[way]}", part) for way, part in report.ways.items()]
    rows += [_row(name, part) for name, part in report.peers.items()]
    return f"{report.ways['target'].targets} targets of {report.data_sets} data sets.\n\n" + table(("", *_SHARES), rows)


def _families(report: SelectionReport) -> str:
    return table(("family", *_SHARES), (_row(name, part) for name, part in report.families.items()))


def _flips(report: SelectionReport) -> str:
    return table(("change", "other loss"), ((name, f"{part:.1%}") for name, part in report.flips.items()))


def _batches(report: SelectionReport) -> str:
    return table(("rows", "other loss"), ((size, f"{part:.1%}") for size, part in report.batches.items()))


def _strict(_: SelectionReport) -> str:
    reports = (_read("selection"), _read("selection_strict"))
    return table(
        ("policy", "names a loss on", "usable of these"),
        ((found.policy, f"{found.covered:.1%}", f"{found.usable_where_covered:.1%}") for found in reports),
    )


_TABLES: dict[str, Callable[[SelectionReport], str]] = {
    "ways": _ways,
    "families": _families,
    "flips": _flips,
    "batches": _batches,
    "strict": _strict,
}


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
