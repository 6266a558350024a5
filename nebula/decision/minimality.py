"""Whether fewer changed facts would select a loss: proven over all values that data can have, not only those tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from nebula.decision.changes import Changes, kind_of
from nebula.decision.plausible import broken_laws, laws_kept
from nebula.profiling.model import DataProfile
from nebula.profiling.vocabulary import facts_of, vocabulary

if TYPE_CHECKING:
    from nebula.policy.compiled import CompiledPolicy
    from nebula.smt.nearby import Nearby

__all__ = ["Minimality", "Proven", "prove_smallest"]

_MAX_SIZE = 12
_MAX_MODELS = 12


class Minimality(BaseModel):
    """What is proven of how many facts must change.

    The proof is over every value that data can have and that keeps the laws of the vocabulary, where the
    search looks only at the edges of comparisons. Numbers are real numbers in it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: Literal["smallest", "impossible", "open"] = Field(
        description="`smallest`: no set of fewer facts selects the loss; `impossible`: none of any size does; "
        "`open`: more than `none_up_to` facts are needed, and how many is not proven."
    )
    none_up_to: int | None = Field(
        description="It is proven that no set of so many changed facts, or fewer, selects the loss; null: of any size."
    )
    found_by: Literal["search", "solver"] | None = Field(
        description="What found the changes in the answer, which the engine then decided on; null: nothing was found."
    )
    questions: int = Field(description="How often the solver was asked.")

    def sentence(self, loss: str) -> str:
        """Say what is proven."""
        if self.verdict == "impossible":
            return f"Proven: no data whatever, with any declarations, would select {loss}."
        count = self.none_up_to or 0
        none = f"no change of {'one fact' if count == 1 else f'up to {count} facts'} would select {loss}"
        if self.verdict == "smallest":
            return f"Proven: {none}." if count else "No smaller change is possible."
        rest = "larger one would" if self.found_by is None else "smaller one than this would"
        return f"Proven: {none}; whether a {rest} is open." if count else "How few facts would do is not proven."


class Proven(NamedTuple):
    """What came of a proof.

    Attributes:
        minimality: What is proven.
        changes: A smaller set than the search found, which the engine agrees to; None: keep the search's.
    """

    minimality: Minimality
    changes: Changes | None


def prove_smallest(
    policy: CompiledPolicy,
    profile: DataProfile,
    loss: str,
    found: Changes | None,
    agrees: Callable[[Changes], bool],
) -> Proven:
    """Prove that no fewer facts need to change than a search found, or find a smaller set.

    Args:
        policy: The policy.
        profile: What it decided on.
        loss: Name of a registered loss that it did not choose and that a rule of it names.
        found: The set that the search found; None for none.
        agrees: Says whether the whole decision on the changed facts is for the loss.

    Returns:
        What is proven, with a smaller set if there is one.

    Raises:
        MissingExtraError: The extra `verify` is not installed.
    """
    from nebula.smt.nearby import Nearby

    facts = facts_of(profile)
    nearby = Nearby(policy, facts, loss, laws_kept(broken_laws(facts)))
    if not nearby.consistent():
        return Proven(_verdict(nearby, 0, found, None), None)
    if found is None and nearby.none_within(None):
        none = Minimality(verdict="impossible", none_up_to=None, found_by=None, questions=nearby.questions)
        return Proven(none, None)
    most = _MAX_SIZE if found is None else len(found) - 1
    if found is not None and nearby.none_within(most):
        return Proven(_verdict(nearby, most, found, None), None)
    proven: int | None = None
    for size in range(1, most + 1):
        if nearby.none_within(size):
            continue
        proven = size - 1 if proven is None else proven
        smaller = next((changes for changes in _tried(nearby, size) if agrees(changes)), None)
        if smaller is not None:
            return Proven(_verdict(nearby, proven, smaller, "solver"), smaller)
    return Proven(_verdict(nearby, most if proven is None else proven, found, None), None)


def _tried(nearby: Nearby, size: int) -> Iterator[Changes]:
    order = {name: place for place, name in enumerate(vocabulary())}
    for changes in islice(nearby.within(size), _MAX_MODELS):
        yield tuple(sorted(changes.items(), key=lambda change: (kind_of(change[0]) == "data", order[change[0]])))


def _verdict(nearby: Nearby, proven: int, found: Changes | None, by: Literal["solver"] | None) -> Minimality:
    smallest = found is not None and proven == len(found) - 1
    return Minimality(
        verdict="smallest" if smallest else "open",
        none_up_to=proven,
        found_by=by or ("search" if found is not None else None),
        questions=nearby.questions,
    )
