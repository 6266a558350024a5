"""Fitted values into a policy file: only the values change, every other character stays."""

from __future__ import annotations

from collections.abc import Mapping

from nebula.errors import DataError, PolicyError
from nebula.policy.loader import loads
from nebula.policy.yaml_reader import read_yaml

__all__ = ["rewrite_parameters"]


def rewrite_parameters(text: str, values: Mapping[str, float], *, name: str) -> str:
    """Return the policy with other values of its parameters.

    Args:
        text: The policy's YAML.
        values: Parameter → value.
        name: What errors call the file.

    Raises:
        DataError: A parameter is not written in this file but in one that it extends.
        PolicyError: The text is no policy.
    """
    source, problems = read_yaml(text, name)
    if problems:
        raise PolicyError(problems)
    places = []
    for parameter, value in values.items():
        path = ("parameters", parameter)
        place = source.places.get((*path, "value")) or source.places.get(path)
        if place is None:
            raise DataError(
                f"{name}: expected parameter `{parameter}` in this file, it is inherited: fit the file it is in."
            )
        old = text[place.start : place.end].strip()
        whole = "." not in old and "e" not in old.lower() and value.is_integer()
        places.append((place.start, place.start + len(old), f"{value:.0f}" if whole else _written(value)))
    for start, end, new in sorted(places, reverse=True):
        text = text[:start] + new + text[end:]
    loads(text, name=name)
    return text


def _written(value: float) -> str:
    """Return the shortest decimal that reads back as the value and that YAML takes for a float."""
    shown = f"{value:f}".rstrip("0")
    return f"{shown}0" if shown.endswith(".") else shown
