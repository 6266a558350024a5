"""Would the policy choose the same on the rows that came since?"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from nebula.decision.drift_event import Kind
from nebula.decision.policy import Policy
from nebula.decision.trace import ComparisonTrace, DecisionTrace
from nebula.drift.recent import RecentRows
from nebula.errors import DataError
from nebula.evidence.description import describe
from nebula.evidence.verdict import changed_comparisons, choose_on, same_choice
from nebula.profiling.accumulator import TargetAccumulator
from nebula.profiling.model import DataProfile

__all__ = ["Finding", "Judge"]

_FEWEST_ROWS = 256
_GROWS_TO = 2**20
_IN_A_ROW = 2


class Finding(NamedTuple):
    """One thing noticed.

    Attributes:
        kind: What it is.
        expected: What the decision stands on.
        found: What came.
        message: Both, in a sentence without its end.
        advice: What to do, or empty.
        changed: Comparisons that come out otherwise.
    """

    kind: Kind
    expected: str
    found: str
    message: str
    advice: str = ""
    changed: tuple[ComparisonTrace, ...] = ()


class Judge:
    """Decides again, without a record, on the rows that were watched.

    A decision on the whole data set is judged on a window of recent rows: it no longer fits when,
    in two windows one after the other, the window alone *and* the window together with the rows
    that were decided on would choose otherwise. The first keeps a change from drowning in the rows
    of long ago, the second keeps a rare class that a window lacks from counting as one. Windows may
    overlap, but each has at least 256 rows that came since the one before.

    A provisional decision is judged on all rows watched, whenever they have doubled, up to a
    million, and once more when as many rows as there are in all have come, which completes it.

    Args:
        trace: The decision.
        policy: The policy that made it.
        window: Most values in a window.
    """

    def __init__(self, trace: DecisionTrace, policy: Policy, *, window: int) -> None:
        self.trace, self._policy = trace, policy.compiled
        self._base = trace.profile
        self._chosen = choose_on(self._policy, trace.profile)
        self._recent = RecentRows(window)
        self._against: tuple[str, ...] | None = None
        self._seen_against = self._unjudged = 0
        self._ignored = trace.profile.hints.ignore_value
        self._grown = TargetAccumulator(ignore_value=self._ignored) if self._base.evidence.complete is False else None
        self._batches = 0
        self._next_rows = 2 * max(1, self._base.evidence.rows_seen or 0)

    @property
    def grows(self) -> bool:
        """The decision is provisional and the evidence still grows."""
        return self._grown is not None

    @property
    def doubts(self) -> bool:
        """The rows judged last would choose otherwise."""
        return self._seen_against > 0

    @property
    def is_due(self) -> bool:
        """The evidence of a provisional decision has doubled, or is complete."""
        return self._grown is not None and (self._grown.rows >= self._next_rows or self._is_complete(self._grown))

    @property
    def evidence(self) -> DataProfile | None:
        """All that is known of the data by now; None when nothing came since the decision."""
        if self._grown is not None:
            return self._grown_profile(self._grown) if self._grown.rows else None
        window = self._window()
        return None if window is None else self._with_base(window) or window

    def add(self, values: Tensor, *, batches: int) -> None:
        """Add rows.

        Raises:
            DataError: A row has another shape than those before.
        """
        if self._grown is not None:
            self._grown.update(values)
            self._batches += batches
        self._recent.add(values)
        self._unjudged += len(values)

    def judge(self) -> list[Finding]:
        """Return what is to be told of the rows so far: nothing, or one finding."""
        if self._grown is not None:
            return self._judge_grown(self._grown) if self.is_due else []
        fewest = min(_FEWEST_ROWS, self._base.target.n or 0)
        window = self._window() if self._unjudged >= fewest else None
        if window is None or (window.evidence.rows_seen or 0) < fewest:
            return []
        self._unjudged = 0
        found = choose_on(self._policy, window)
        profile: DataProfile | None = window
        if not same_choice(self._policy, found, self._chosen):
            profile = self._with_base(window)
            found = choose_on(self._policy, profile) if profile is not None else found
        if same_choice(self._policy, found, self._chosen):
            self._against, self._seen_against = None, 0
            return []
        self._seen_against = self._seen_against + 1 if found == self._against else 1
        self._against = found
        if self._seen_against < _IN_A_ROW:
            return []
        return [self._finding("rule", found, profile or window, "the recent rows")]

    def _judge_grown(self, grown: TargetAccumulator) -> list[Finding]:
        profile = self._grown_profile(grown)
        found = choose_on(self._policy, profile)
        self._next_rows = 2 * grown.rows
        complete = self._is_complete(grown)
        if complete or grown.rows >= _GROWS_TO:
            self._base, self._grown = profile, None
            self._recent.clear()
        if not same_choice(self._policy, found, self._chosen):
            where = "the whole data set" if complete else f"{grown.rows} rows"
            return [self._finding("evidence", found, profile, where)]
        if complete:
            text = f"the whole data set, {grown.rows} rows, confirms {_named(self._chosen)}"
            return [Finding("complete", _named(self._chosen), _named(found), text)]
        return []

    def _finding(self, kind: Kind, found: tuple[str, ...], profile: DataProfile, where: str) -> Finding:
        changed = changed_comparisons(self._policy, self.trace, profile)
        told = "".join(f"; {comparison.text} is {comparison.outcome} there" for comparison in changed[:3])
        text = f"expected {_named(self._chosen)} to decide on {where} too, found {_named(found)}{told}"
        return Finding(kind, _named(self._chosen), _named(found), text, "fit() on data that hold these rows", changed)

    def _is_complete(self, grown: TargetAccumulator) -> bool:
        total = self._base.evidence.rows_total
        return total is not None and grown.rows >= total

    def _grown_profile(self, grown: TargetAccumulator) -> DataProfile:
        total = self._base.evidence.rows_total
        return describe(grown, self._base, batches=self._batches, rows_total=total, complete=self._is_complete(grown))

    def _window(self) -> DataProfile | None:
        rows = self._recent.rows()
        if rows is None:
            return None
        counted = TargetAccumulator(ignore_value=self._ignored)
        counted.update(rows)
        return describe(counted, self._base)

    def _with_base(self, window: DataProfile) -> DataProfile | None:
        """Return the profile of the decision's rows and these; None when the former were not kept.

        Registered facts stay as they were decided on: watching does not measure them.
        """
        try:
            return self._base.merge(window).model_copy(update={"custom": self._base.custom})
        except DataError:
            return None


def _named(rules: tuple[str, ...]) -> str:
    return f"rule {', '.join(f'`{rule}`' for rule in rules)}" if rules else "no rule"
