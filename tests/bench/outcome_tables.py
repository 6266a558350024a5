"""The outcome benchmark's tables in docs/evidence.md, from its checked-in report."""

from __future__ import annotations

from collections.abc import Callable

from nebula.bench.outcome.report import OutcomeReport
from tests.bench.markdown import table
from tests.project.tree import ROOT

_NAMES = {
    "nebula": "**nebula**",
    "peer_inferred": "peer rule, kind inferred",
    "peer_told": "peer rule, kind told",
    "guide": "the guide's rule on the data alone",
    "fixed_table": "fixed table, made on the other problems",
    "brute_force": "brute force: all candidates, best on validation",
    "cross_fitted": "cross-fitted oracle",
    "oracle": "oracle in hindsight",
}


def read_outcome(name: str) -> OutcomeReport:
    return OutcomeReport.model_validate_json((ROOT / "benchmarks" / "results" / f"{name}.json").read_bytes())


def _run(report: OutcomeReport) -> str:
    left_out = ", ".join(f"`{name}`" for name in report.unskilled) or "none"
    return (
        f"List `{report.manifest}` (hash `{report.manifest_digest[:12]}`), policy {report.policy}: "
        f"{report.finished} of {report.listed} problems run, {report.seeds} seeds each, "
        f"{report.trainings} trainings. Left out, because the best candidate is hardly better than a constant: "
        f"{left_out}.\n"
    )


def _selectors(report: OutcomeReport) -> str:
    head = ("mean over problems", "normalised regret", "median", "worst", "within 1 %", "within 5 %")
    return table(
        head,
        (
            (
                _NAMES[name],
                *(f"{value:.3f}" for value in (found.mean, found.median, found.worst)),
                *(f"{share:.0%}" for share in (found.within_1, found.within_5)),
            )
            for name, found in report.selectors.items()
        ),
    )


def _families(report: OutcomeReport) -> str:
    shown = ("nebula", "peer_inferred", "peer_told", "guide", "fixed_table", "cross_fitted")
    rows = ((family, *(f"{found[name]:.3f}" for name in shown)) for family, found in report.families.items())
    return table(("family", *(name.replace("_", " ") for name in shown)), rows)


def _problems(report: OutcomeReport) -> str:
    ordered = sorted(report.problems, key=lambda problem: -problem.regrets["nebula"].normalised)
    return table(
        ("problem", "best candidate", "tied with it", "nebula", "its regret", "relative", "on paired seeds"),
        (
            (
                f"`{problem.problem}`",
                problem.best,
                f"{len(problem.tied)} of {len(problem.candidates)}",
                problem.said["nebula"].partition(":")[0],
                f"{problem.regrets['nebula'].normalised:.3f}",
                f"{problem.regrets['nebula'].relative:+.1%}",
                problem.against_best,
            )
            for problem in ordered
        ),
    )


def _against(report: OutcomeReport) -> str:
    return table(
        ("nebula against", "better", "practically the same", "worse"),
        (
            (_NAMES[found.against], *(f"{share:.2f}" for share in (found.better, found.same, found.worse)))
            for found in report.comparisons
        ),
    )


def _repeat(report: OutcomeReport) -> str:
    found = report.repeat
    return (
        f"{found.pairs} pairs: the test on paired seeds calls {found.found:.1%} of them different; over all of them "
        f"the signed-rank posterior is {found.better:.2f} better, {found.same:.2f} the same, {found.worse:.2f} worse.\n"
    )


def _aims(report: OutcomeReport) -> str:
    ours, against = report.selectors["nebula"], {found.against: found for found in report.comparisons}
    oracle, peer = against["cross_fitted"], against["peer_inferred"]
    rows = [
        ("mean normalised regret of nebula", "at most 0.015", f"{ours.mean:.3f}", ours.mean <= 0.015),
        ("problems within 5 % of the best candidate", "at least 95 %", f"{ours.within_5:.1%}", ours.within_5 >= 0.95),
        (
            "probability of being as good as the cross-fitted oracle, or better",
            "at least 0.95",
            f"{oracle.same + oracle.better:.3f}",
            oracle.same + oracle.better >= 0.95,
        ),
        (
            "probability that the peer rule, kind inferred, is worse",
            "at least 0.95",
            f"{peer.better:.3f}",
            peer.better >= 0.95,
        ),
    ]
    told = [(what, aim, came, "reached" if reached else "missed") for what, aim, came, reached in rows]
    return table(("aim", "asked", "came", ""), told)


OUTCOME_TABLES: dict[str, Callable[[OutcomeReport], str]] = {
    "run": _run,
    "aims": _aims,
    "selectors": _selectors,
    "families": _families,
    "problems": _problems,
    "against": _against,
    "repeat": _repeat,
}
