"""The page of two profiles: how far the target moved, what is decided for each, and which facts differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from nebula.decision.explain import show_value
from nebula.page.document import document
from nebula.page.element import Content, element
from nebula.page.parts import section, table, terms
from nebula.page.plots import paired_bars, paired_boxes, profile_plots
from nebula.profiling.shift import Shift
from nebula.profiling.vocabulary import facts_of

if TYPE_CHECKING:
    from nebula.profiling.streams.source_profile import SourceProfile

__all__ = ["shift_page"]

_MOST_CLASSES = 16
_SIDES = ("first", "second")


def shift_page(
    found: Sequence[SourceProfile],
    sources: Sequence[str],
    shift: Shift,
    said: Iterable[tuple[str, str]],
    decisions: Sequence[Mapping[str, str | None]],
) -> str:
    """Return two profiles side by side as self-contained HTML.

    Args:
        found: Both profiles, the reference first.
        sources: Where they were read from, as the user named them.
        shift: How far the second lies from the first.
        said: The shift in words: a name and a sentence each.
        decisions: `loss`, `rule`, `status` and `error` of each.
    """
    title = f"Shift of {found[0].profile.target.name or 'a target'}"
    rows = [(share.label, share.before, share.after) for share in shift.classes[:_MOST_CLASSES]]
    targets = [side.profile.target for side in found]
    together = [paired_bars(rows)] if rows else []
    together += paired_boxes(
        [(f"quantiles of the {name}", target) for name, target in zip(_SIDES, targets, strict=True)]
    )
    return document(
        title,
        element("h1", title),
        terms((name, source) for name, source in zip(_SIDES, sources, strict=True)),
        *section("How far it moved", terms(said)),
        *section("What is decided for each", _decisions(decisions)),
        *section("Both on one scale", element("div", *together, class_="plots")),
        *_sides(found),
        *section("Facts that differ", _differing(found)),
    )


def _decisions(decisions: Sequence[Mapping[str, str | None]]) -> Element | None:
    def row(name: str, decision: Mapping[str, str | None]) -> tuple[Content, ...]:
        refused = decision["error"] or "no loss: the policy refuses to guess"
        return name, decision["loss"] or refused, decision["rule"], decision["status"]

    return table(("source", "loss", "rule", "status"), map(row, _SIDES, decisions))


def _sides(found: Sequence[SourceProfile]) -> Iterator[Element]:
    for name, side in zip(_SIDES, found, strict=True):
        plots = profile_plots(side.profile.target, side.histogram)
        yield from section(f"The values of the {name}", element("div", *plots, class_="plots"))


def _differing(found: Sequence[SourceProfile]) -> Element | None:
    left, right = (facts_of(side.profile) for side in found)
    return table(
        ("fact", *_SIDES),
        ((name, show_value(left[name]), show_value(right[name])) for name in left if left[name] != right[name]),
    )
