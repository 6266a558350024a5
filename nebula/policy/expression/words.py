"""The words of an identifier or a phrase: what `has_word` looks among."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["words_of"]

_LETTERS = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=1024)
def words_of(text: str) -> frozenset[str]:
    """Split at non-letters and at camelCase borders, and fold the case.

    Example:
        >>> sorted(words_of("nbOfHTTPRequests_2024"))
        ['http', 'nb', 'of', 'requests']
    """
    return frozenset(word.casefold() for run in _LETTERS.findall(text) for word in _split_camel(run))


def _split_camel(run: str) -> list[str]:
    """Cut before a capital that follows a small letter, or that starts a word after an acronym."""
    cuts = [0]
    for place in range(1, len(run)):
        before, here, after = run[place - 1], run[place], run[place + 1 : place + 2]
        if here.isupper() and (before.islower() or (before.isupper() and after.islower())):
            cuts.append(place)
    return [run[start:end] for start, end in zip(cuts, [*cuts[1:], len(run)], strict=True)]
