"""What a case gives, facts or data, as the profile that the policy decides on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nebula.policy.expression.namespace import did_you_mean
from nebula.profiling.model import DataProfile
from nebula.profiling.vocabulary import vocabulary
from nebula.workbench.case_model import DataEntry

__all__ = ["profile_data", "read_facts"]

GivenPath = tuple[str, ...]
Report = Callable[[GivenPath, str], None]


def read_facts(given: Mapping[str, Any], report: Report) -> DataProfile | None:
    """Turn facts into a profile; those that are not given are unknown, the evidence is complete.

    Args:
        given: Facts by dotted name, or nested by group.
        report: Called with the path inside `given` and the message of every fault.

    Returns:
        The profile, or None when there are faults.
    """
    groups: dict[str, dict[str, Any]] = {"evidence": {"complete": True}}
    written: dict[str, GivenPath] = {}
    faults: list[tuple[GivenPath, str]] = []
    for name, path, value in _flatten(given):
        if name not in vocabulary():
            faults.append((path, f"unknown fact `{name}`.{did_you_mean(name, tuple(vocabulary()))}"))
        elif name in written:
            faults.append((path, f"expected `{name}` once, found it twice."))
        else:
            written[name] = path
            group, _, field = name.partition(".")
            groups.setdefault(group, {})[field] = value
    profile = None
    if not faults:
        try:
            # JSON has lists but no tuples, and its strict reading takes no 1 for true and no "5" for 5.
            profile = DataProfile.model_validate_json(json.dumps(groups), strict=True)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                path = _place(written, tuple(str(part) for part in item["loc"]))
                faults.append((path, f"{'.'.join(path)}: {item['msg']}, found {item['input']!r}."))
    for path, message in faults:
        report(path, message)
    return profile


def _place(written: Mapping[str, GivenPath], location: tuple[str, ...]) -> GivenPath:
    """Return where the fact at fault was written, or the first of its group."""
    inside = (path for name, path in written.items() if name.partition(".")[0] == location[0])
    return written.get(".".join(location[:2])) or next(inside, location[:1])


def _flatten(given: Mapping[str, Any]) -> list[tuple[str, GivenPath, Any]]:
    found: list[tuple[str, GivenPath, Any]] = []
    for key, value in given.items():
        if isinstance(value, Mapping):
            found.extend((f"{key}.{field}", (key, field), inner) for field, inner in value.items())
        else:
            found.append((key, (key,), value))
    return found


def profile_data(data: DataEntry, folder: Path, hints: Mapping[str, Any]) -> DataProfile:
    """Profile the data of a case; this loads torch.

    Args:
        data: A file's column, or values.
        folder: What the file's path starts from.
        hints: Declarations.

    Raises:
        DataError: The data cannot be read or profiled.
        HintError: A hint is unknown or out of range.
    """
    from nebula.profiling.prediction import PredictionSpec
    from nebula.profiling.profiler import profile

    shape = data.prediction_shape
    prediction = None if shape is None else PredictionSpec(shape=shape, space=data.prediction_space)
    if data.file is None:
        return profile(list(data.values or ()), prediction, name=data.name, hints=dict(hints))
    from nebula.profiling.sources import read_table

    columns = [name.strip() for name in (data.target or "").split(",") if name.strip()]
    table = read_table(folder / data.file, columns, None)
    return profile(table.source, prediction, features=table.features, hints=dict(hints))
