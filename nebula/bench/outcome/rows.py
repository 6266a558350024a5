"""What a run leaves behind: one row a training, one pick a rule and seed, as Parquet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from nebula.errors import DataError

__all__ = ["CONSTANT", "Parts", "Pick", "Results", "Row", "again", "read_rows", "write_rows"]

CONSTANT = "constant"
"""The arm that ignores the features; a selector that names no loss is given it."""

Record = TypeVar("Record", "Row", "Pick")


@dataclass(frozen=True)
class Row:
    """One training.

    Attributes:
        manifest: Digest of the manifest it belongs to.
        problem: Data set, column and metric.
        family: Family of the target.
        metric: The declared metric.
        arm: A candidate, its second training (`name#2`), a selector's own choice, or `constant`.
        candidate: It is one of the manifest's candidates.
        seed: Sets split, start and batch order.
        rate: Adam's step size; 0 for the constant.
        valid: Metric on the validation rows at the kept look, lower is better.
        step: Step of that look.
        test: Metric on the test rows; None for the step sizes that validation did not choose.
    """

    manifest: str
    problem: str
    family: str
    metric: str
    arm: str
    candidate: bool
    seed: int
    rate: float
    valid: float
    step: int
    test: float | None


@dataclass(frozen=True)
class Pick:
    """What a rule picked: the arm that was trained for it, and its own words."""

    problem: str
    seed: int
    selector: str
    arm: str
    said: str


@dataclass(frozen=True)
class Results:
    """Rows and picks of one problem, or of a whole run."""

    rows: tuple[Row, ...]
    picks: tuple[Pick, ...]


def again(arm: str) -> str:
    """Return the name of a candidate's second training."""
    return f"{arm}#2"


def write_rows(records: Sequence[Row] | Sequence[Pick], file: Path, *, of: str) -> None:
    """Write records as Parquet, whole or not at all.

    Args:
        records: Rows or picks.
        file: Where to.
        of: Digest of manifest and policy, kept in the file's own metadata.
    """
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.Table.from_pylist([asdict(record) for record in records])
    table = table.replace_schema_metadata({"nebula.run": of})
    unfinished = file.with_suffix(".unfinished")
    parquet.write_table(table, unfinished, compression="zstd")
    unfinished.replace(file)


def read_rows(file: Path, record: type[Record]) -> tuple[tuple[Record, ...], str]:
    """Read records back, with the digest of their run.

    Raises:
        DataError: The file does not hold such records.
    """
    from pyarrow import lib, parquet

    try:
        table = parquet.read_table(file)
    except (OSError, lib.ArrowException) as error:
        raise DataError(f"{file}: expected {record.__name__.lower()}s as Parquet, found {error}.") from None
    expected = [field.name for field in fields(record)]
    if table.column_names != expected:
        raise DataError(f"{file}: expected the columns {', '.join(expected)}, found {', '.join(table.column_names)}.")
    made: Any = record
    of = (table.schema.metadata or {}).get(b"nebula.run", b"").decode()
    return tuple(made(**values) for values in table.to_pylist()), of


class Parts:
    """A folder of finished problems: a run that was stopped goes on where it was.

    What was trained for the candidates serves every policy; each policy has its own files beside it.

    Args:
        folder: Created when it is missing.
        manifest: Digest of the manifest.
        policy: Digest of the policy.

    Raises:
        DataError: The folder holds results of another manifest.
    """

    def __init__(self, folder: Path, manifest: str, policy: str) -> None:
        self.folder, self.manifest, self.policy = folder, manifest, policy
        folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(folder.glob("*.rows.parquet")):
            self._read(file, Row)

    def has(self, problem: str) -> bool:
        """Say whether a problem is finished under this policy."""
        return self._file(problem, "rows").exists()

    def add(self, problem: str, results: Results) -> None:
        """Keep a finished problem; the rows come last and say that it is whole."""
        of = f"{self.manifest}/{self.policy}"
        write_rows(results.picks, self._file(problem, "picks"), of=of)
        write_rows(results.rows, self._file(problem, "rows"), of=of)

    def trained(self, problem: str) -> tuple[Row, ...]:
        """Return the rows of a problem that no policy had a say in; empty where none were trained."""
        file = next(iter(sorted(self.folder.glob(f"{_short(problem)}.*.rows.parquet"))), None)
        rows = () if file is None else self._read(file, Row)
        whose = {row.arm for row in rows if row.candidate}
        shared = whose | {again(arm) for arm in whose} | {CONSTANT}
        return tuple(row for row in rows if row.arm in shared)

    def merge(self, problems: Iterable[str]) -> Results:
        """Return the results of these problems, in their order; unfinished ones are left out."""
        done = [problem for problem in problems if self.has(problem)]
        rows = [row for problem in done for row in self._read(self._file(problem, "rows"), Row)]
        picks = [pick for problem in done for pick in self._read(self._file(problem, "picks"), Pick)]
        return Results(tuple(rows), tuple(picks))

    def _file(self, problem: str, what: str) -> Path:
        return self.folder / f"{_short(problem)}.{_short(self.policy)}.{what}.parquet"

    def _read(self, file: Path, record: type[Record]) -> tuple[Record, ...]:
        records, of = read_rows(file, record)
        if of.partition("/")[0] != self.manifest:
            raise DataError(
                f"{file}: expected rows of the manifest {self.manifest}, found {of or 'none'}: "
                "rows of two experiments are not mixed; name another folder with --parts."
            )
        return records


def _short(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]
