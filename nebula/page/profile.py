"""The page of a profile: a target's values as drawings, and every fact that rules may look at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from nebula.decision.explain import show_value
from nebula.page.document import document
from nebula.page.element import Content, element
from nebula.page.parts import section, sentence, table, terms
from nebula.page.plots import profile_plots
from nebula.profiling.model import DataProfile
from nebula.profiling.vocabulary import facts_of, vocabulary

if TYPE_CHECKING:
    from nebula.profiling.streams.source_profile import SourceProfile

__all__ = ["profile_page"]

_MOST_CODES = 64


def profile_page(found: SourceProfile, source: str) -> str:
    """Return a profile as self-contained HTML.

    Args:
        found: The profile of a source.
        source: Where it was read from, as the user named it.
    """
    profile = found.profile
    facts = facts_of(profile)
    unknown = [name for name, value in facts.items() if value is None]
    title = f"Profile of {profile.target.name or 'a target'}"
    return document(
        title,
        element("h1", title),
        terms(_origin(profile, source)),
        *section("The values", element("div", *profile_plots(profile.target, found.histogram), class_="plots")),
        *section("How labels are coded", _codes(found.class_names)),
        *section("Every known fact", _known(profile)),
        *section("Unknown", sentence("p", ", ".join(f"`{name}`" for name in unknown)) if unknown else None),
    )


def _origin(profile: DataProfile, source: str) -> Iterator[tuple[str, Content]]:
    yield "source", source
    yield "rows", f"{profile.target.n:,}" if profile.target.n is not None else "unknown"
    yield "fingerprint", profile.fingerprint or "unknown"


def _codes(names: tuple[str, ...] | None) -> Element | None:
    shown = (names or ())[:_MOST_CODES]
    rows: list[tuple[Content, ...]] = [(str(code), name) for code, name in enumerate(shown)]
    if names and len(names) > len(shown):
        rows.append(("…", f"{len(names) - len(shown)} more"))
    return table(("code", "label"), rows)


def _known(profile: DataProfile) -> Element | None:
    about = vocabulary()
    return table(
        ("fact", "value", "unit", "meaning"),
        (
            (name, show_value(value), about[name].unit or "", sentence("span", about[name].description))
            for name, value in facts_of(profile).items()
            if value is not None
        ),
    )
