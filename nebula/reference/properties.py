"""The page of properties: what the conformance suite asks of every loss."""

from __future__ import annotations

from nebula.reference.markdown import NOTICE, page, table

__all__ = ["render_properties"]

_INTRODUCTION = (
    "The conformance suite draws inputs from a loss's contract and tries to break each of these sentences, as far as "
    "the contract promises it. [A loss of your own](../losses-of-your-own.md) is held to the same."
)


def render_properties() -> str:
    """Return the page of properties, in the order that they are checked."""
    from nebula.conformance.suite import PROPERTIES

    rows = ((f"`{item.name}`", item.sentence) for item in PROPERTIES)
    return page(
        [
            "# What every loss keeps to",
            "",
            NOTICE,
            "",
            _INTRODUCTION,
            "",
            *table(("property", "what holds"), rows),
        ]
    )
