"""Sources of any size → `DataProfile`, in constant memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import xxhash

from nebula.errors import DataError
from nebula.profiling.hints import Hints, parse_hints
from nebula.profiling.histogram import Bar, draw_histogram
from nebula.profiling.model import VOCABULARY_VERSION, DataProfile, EvidenceFacts
from nebula.profiling.pairing import describe_pair
from nebula.profiling.streams.checkpoint import Checkpoint, Position
from nebula.profiling.streams.gathering import Advance, check_text, gather
from nebula.profiling.streams.hashing import HashAlong, hash_again
from nebula.profiling.streams.origin import Origin, origins_of
from nebula.profiling.streams.reader import LabelsFound, Wanted
from nebula.profiling.streams.source_facts import SourceCache, SourceFacts
from nebula.profiling.streams.table_accumulator import TableAccumulator

__all__ = ["Engine", "SourceProfile", "profile_source"]

Engine = Callable[[Sequence[Origin], Wanted, int | None], TableAccumulator]
Columns = str | Sequence[str]


@dataclass(frozen=True)
class SourceProfile:
    """A profile, and what only people look at.

    Attributes:
        profile: The facts.
        class_names: Label of every integer code, when the target held labels.
        histogram: The target's values as a few bars; see `draw_histogram`.
        was_known: The files were not read: the facts were kept from an earlier time.
    """

    profile: DataProfile
    class_names: tuple[str, ...] | None = None
    histogram: tuple[Bar, ...] = ()
    was_known: bool = False


@dataclass(frozen=True)
class _Counted:
    """What reading a source gave."""

    facts: SourceFacts
    batches: int
    accumulator: Any = None


def profile_source(
    data: Any,
    target: Columns | int | None = None,
    *,
    features: Columns | None = None,
    prediction: Any = None,
    name: str | None = None,
    hints: Hints | dict[str, Any] | None = None,
    fingerprint: bool = True,
    checkpoint: str | Path | None = None,
    checkpoint_seconds: float = 5.0,
    advance: Advance | None = None,
    known: SourceCache | None = None,
    engine: Engine | None = None,
) -> SourceProfile:
    """Profile a source chunk by chunk: the facts are those of the whole in memory.

    Args:
        data: A file (CSV, Parquet, NPZ, NPY, PT, Arrow IPC), a folder, a pattern, an address in a
            store such as `s3://bucket/*.parquet`, or several of these; a `numpy.memmap`; an Arrow table; a Hugging Face data set; a `DataLoader`, a
            torch `Dataset` or any iterable of batches.
        target: Column or columns of a table, name of an array; of a loader, an index or a key,
            by default element 1 of a pair.
        features: The columns beside the target; by default all others of a table.
        prediction: As for `nebula.profile`.
        name: Name of the target; by default that of its column.
        hints: What the user declares.
        fingerprint: Hash the content. This takes a second pass over the target where the number of
            rows or the element type is known at the end only: labels, CSV, a resumed run.
        checkpoint: A file that keeps the progress: a run that was killed goes on from there, and
            a complete run removes it. For files only.
        checkpoint_seconds: Time between two writes of it at least.
        advance: Is told the rows of every chunk.
        known: Keeps what was found under the cheap `identity` of the files: while they do not
            change, they are not read again. Such a profile does not merge. Files that change while
            they are read are not kept.
        engine: Reads the files instead, e.g. `gather_on_ray`.

    Raises:
        DataError: The source cannot be read, or its parts do not fit together.
        HintError: A hint is unknown or out of range.
    """
    declared = parse_hints(hints)
    choice = target if isinstance(target, str | int) else None
    origins = origins_of(data, choice)
    wanted = Wanted(_names(target), None if features is None else _names(features))
    in_files = origins[0].path is not None
    if in_files and not wanted.target:
        raise DataError(f"{origins[0].path}: expected `target=`, the name of a column or array, found none.")
    if not in_files and (checkpoint is not None or known is not None or engine is not None):
        raise DataError("data: expected files for `checkpoint=`, `known=` and `engine=`, found an object in memory.")
    key = _key(origins, wanted, declared, fingerprint) if checkpoint is not None or known is not None else ""
    facts = known.get(key) if known is not None else None
    counted = None if facts is None else _Counted(facts, batches=1)
    if counted is None:
        kept = None if checkpoint is None else Checkpoint(Path(checkpoint), key, checkpoint_seconds)
        with torch.no_grad():
            counted = _find(origins, wanted, declared.ignore_value, fingerprint, kept, advance, engine)
        if known is not None and key == _key(origins, wanted, declared, fingerprint):
            known.put(key, counted.facts)
    found = counted.facts
    default = wanted.target[0] if len(wanted.target) == 1 and not isinstance(target, int) else None
    about = found.target.model_copy(update={"name": default if name is None else name})
    emitted, relation = describe_pair((about.n, *(about.shape_tail or ())), prediction, about)
    profile = DataProfile(
        target=about,
        prediction=emitted,
        relation=relation,
        features=found.features,
        evidence=EvidenceFacts(rows_seen=about.n, rows_total=about.n, batches=counted.batches, complete=True),
        hints=declared,
        fingerprint=found.fingerprint,
    ).with_accumulator(counted.accumulator)
    return SourceProfile(profile, found.class_names, found.histogram, was_known=facts is not None)


def _find(
    origins: Sequence[Origin],
    wanted: Wanted,
    ignore_value: int | None,
    fingerprint: bool,
    checkpoint: Checkpoint | None,
    advance: Advance | None,
    engine: Engine | None,
) -> _Counted:
    loaded = None if checkpoint is None else checkpoint.load()
    state, start, as_labels = loaded or (TableAccumulator(ignore_value=ignore_value), Position(), False)
    wanted = Wanted(wanted.target, wanted.features, as_labels)
    content = None
    try:
        if engine is not None:
            state = engine(origins, wanted, ignore_value)
            check_text(origins, wanted, state)
        else:
            content = HashAlong(_count_rows(origins, wanted)) if fingerprint and loaded is None else None
            gather(origins, wanted, state, start=start, content=content, checkpoint=checkpoint, advance=advance)
    except LabelsFound:
        if wanted.as_labels:
            raise DataError(f"{origins[0].path}: expected labels, found none.") from None
        wanted = Wanted(wanted.target, wanted.features, as_labels=True)
        content, state = None, TableAccumulator(ignore_value=ignore_value)
        if engine is not None:
            state = engine(origins, wanted, ignore_value)
            check_text(origins, wanted, state)
        else:
            gather(origins, wanted, state, checkpoint=checkpoint, advance=advance)
    hashed = content.fingerprint(state.rows) if content is not None else None
    if fingerprint and hashed is None and all(origin.repeatable for origin in origins):
        hashed = hash_again(origins, wanted, state)
    if checkpoint is not None:
        checkpoint.remove()
    if state.numbers.ndim is None and not state.rows and origins[0].path is None:
        raise DataError("data: expected at least one batch, found none.")
    batches = state.chunks if origins[0].counts_batches else 1
    accumulator = state.target()
    facts = state.facts()
    bars = draw_histogram(DataProfile(target=facts).with_accumulator(accumulator), state.class_names)
    found = SourceFacts(
        target=facts,
        features=state.feature_facts(),
        fingerprint=hashed,
        class_names=state.class_names,
        histogram=bars,
    )
    return _Counted(found, batches, accumulator)


def _count_rows(origins: Sequence[Origin], wanted: Wanted) -> int | None:
    """Return the rows in all where every source declares them; every file is opened, so faults show early."""
    rows = []
    for origin in origins:
        with origin.naming():
            rows.append(origin.open(wanted).rows)
    known = [number for number in rows if number is not None]
    return sum(known) if len(known) == len(rows) else None


def _key(origins: Sequence[Origin], wanted: Wanted, hints: Hints, fingerprint: bool) -> str:
    files = [origin.identity() for origin in origins]
    asked = [VOCABULARY_VERSION, files, wanted.target, wanted.features, hints.ignore_value, fingerprint]
    return f"source2:{xxhash.xxh3_128(json.dumps(asked).encode()).hexdigest()}"


def _names(columns: Columns | int | None) -> tuple[str, ...]:
    if columns is None or isinstance(columns, int):
        return ()
    return (columns,) if isinstance(columns, str) else tuple(columns)
