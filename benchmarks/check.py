"""How often `nebula.check` finds a wrong use of a loss, and how often it cries at a right one.

    python -m benchmarks.check [--quiet]

Every use is a call of a loss on real outputs of small networks, at their start and after training.
The thresholds of the clauses were set on the development part; the held-out part has other seeds,
other batch sizes, another network and further kinds of use. It was not looked at for the clauses
about prediction and target. For those about what a loss takes besides (NEB-C080 to NEB-C088) it
was, so there its rates are no longer those of unseen uses. Writes benchmarks/results/check.json.
"""

from __future__ import annotations

import argparse
import functools
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.check_corpus.extras import right_extras, wrong_extras
from benchmarks.check_corpus.held_out import more_right_uses, more_wrong_uses
from benchmarks.check_corpus.models import Setting, Use
from benchmarks.check_corpus.right import right_uses
from benchmarks.check_corpus.wrong import wrong_uses
from nebula.checking.report import CheckReport
from nebula.checking.run import check

RESULT = Path(__file__).resolve().parent / "results" / "check.json"
DEVELOPMENT = [
    Setting(seed, rows, trained, deep=False)
    for seed, rows in ((1, 4), (2, 8), (3, 16), (4, 32), (5, 128))
    for trained in (False, True)
]
HELD_OUT = [
    Setting(seed, rows, trained, deep=True)
    for seed, rows in ((101, 2), (102, 6), (103, 12), (104, 24), (105, 48), (106, 160), (107, 9))
    for trained in (False, True)
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quiet", action="store_true", help="print the rates only")
    parser.add_argument("--part", choices=("development", "held_out"), help="run one part and write nothing")
    options = parser.parse_args()
    torch.set_num_threads(1)
    parts = {"development": DEVELOPMENT, "held_out": HELD_OUT}
    if options.part:
        parts = {options.part: parts[options.part]}
    results = {name: measure(settings, quiet=options.quiet) for name, settings in parts.items()}
    for name, result in results.items():
        print(f"{name}: {summary(result)}")
    if not options.part:
        RESULT.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def measure(settings: list[Setting], *, quiet: bool) -> dict[str, Any]:
    """Check every use of the settings and count."""
    started = time.perf_counter()
    wrong = [(use, run(use)) for setting in settings for use in uses(setting, wrong=True)]
    right = [(use, run(use)) for setting in settings for use in uses(setting, wrong=False)]
    seconds = time.perf_counter() - started
    found = [bool(set(use.expected) & set(report.codes())) for use, report in wrong]
    firm = [any(f.code in use.expected and f.severity != "note" for f in report.findings) for use, report in wrong]
    alarms = [(use, report) for use, report in right if not report.ok]
    mended = [mends(use, report) for (use, report), hit in zip(wrong, found, strict=True) if hit]
    hits = [use.name for (use, _), hit in zip(wrong, found, strict=True) if hit]
    missed = Counter(use.name for (use, _), hit in zip(wrong, found, strict=True) if not hit)
    if not quiet:
        show(wrong, found, alarms, right)
    return {
        "wrong_uses": len(wrong),
        "kinds_of_wrong_use": len({use.name for use, _ in wrong}),
        "found": sum(found),
        "recall": sum(found) / len(wrong),
        "recall_without_notes": sum(firm) / len(wrong),
        "fix_removes_the_finding": sum(mended) / len(mended),
        "fixes_that_do_not_help": dict(Counter(name for name, good in zip(hits, mended, strict=True) if not good)),
        "missed": dict(missed),
        "right_uses": len(right),
        "kinds_of_right_use": len({use.name for use, _ in right}),
        "false_alarms": len(alarms),
        "false_alarm_rate": len(alarms) / len(right),
        "false_alarms_by_use": dict(Counter(f"{use.name}: {report.codes()[0]}" for use, report in alarms)),
        "right_uses_with_a_note": sum(bool(report.findings) and report.ok for _, report in right) / len(right),
        "milliseconds_a_check": 1000 * seconds / (len(wrong) + len(right)),
    }


def uses(setting: Setting, *, wrong: bool) -> Iterator[Use]:
    torch.manual_seed(setting.seed)
    yield from wrong_uses(setting) if wrong else right_uses(setting)
    yield from wrong_extras(setting) if wrong else right_extras(setting)
    if setting.deep:
        yield from more_wrong_uses(setting) if wrong else more_right_uses(setting)


def run(use: Use) -> CheckReport:
    return check(use.loss, use.prediction, use.target, **use.extra)


def mends(use: Use, report: CheckReport) -> bool:
    """Run the fix of the expected finding and say whether the finding is gone."""
    finding = next(finding for finding in report.findings if finding.code in use.expected)
    prediction = use.prediction
    names = {"torch": torch, "nn": torch.nn, "F": torch.nn.functional, "functools": functools, "loss": use.loss}
    names |= {"prediction": prediction, "target": use.target, **use.extra}
    inputs = list(use.extra)
    if isinstance(prediction, tuple):
        inputs = ["input2"] if use.target is not None else ["positive", "negative"]
        names |= dict(zip(["prediction", *inputs], prediction, strict=True))
    try:
        exec(finding.fix, names)  # noqa: S102 - the fix is meant to be run
    except (RuntimeError, IndexError, TypeError):
        return False
    after = check(names["loss"], names["prediction"], names["target"], **{name: names[name] for name in inputs})
    return finding.code not in after.codes()


def show(wrong: list[Any], found: list[bool], alarms: list[Any], right: list[Any]) -> None:
    for (use, report), hit in zip(wrong, found, strict=True):
        if not hit:
            print(f"missed  {use.name}: expected {' or '.join(use.expected)}, found {report.codes()}")
    for use, report in alarms:
        print(f"alarm   {use.name}: {report.findings[0]}")
    notes = Counter((use.name, report.codes()) for use, report in right if report.findings and report.ok)
    for (name, codes), number in notes.items():
        print(f"note    {name}: {codes} {number} times")


def summary(result: dict[str, Any]) -> str:
    return (
        f"recall {result['recall']:.1%} of {result['wrong_uses']} wrong uses of {result['kinds_of_wrong_use']} kinds "
        f"({result['recall_without_notes']:.1%} without notes), {result['fix_removes_the_finding']:.1%} of fixes help; "
        f"false alarms {result['false_alarm_rate']:.1%} of "
        f"{result['right_uses']} right uses of {result['kinds_of_right_use']} kinds "
        f"({result['right_uses_with_a_note']:.1%} get a note); {result['milliseconds_a_check']:.1f} ms a use"
    )


if __name__ == "__main__":
    main()
