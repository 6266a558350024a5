"""The folder of labelled targets → tasks, with every fault told by file."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from nebula.bench.task import Family, Task
from nebula.errors import DataError
from nebula.policy.source_map import Source
from nebula.policy.yaml_reader import read_yaml

__all__ = ["read_index"]


def read_index(folder: str | Path) -> tuple[Task, ...]:
    """Read all tasks of an index.

    Args:
        folder: Holds one YAML file a family.

    Returns:
        The tasks, sorted by family and place in the file.

    Raises:
        DataError: There is no such folder, a file does not hold a family, or a task stands twice.
    """
    root = Path(folder)
    files = sorted(root.glob("*.yaml"))
    if not files:
        raise DataError(
            f"{root}: expected a folder of labelled targets (*.yaml), found none. "
            "The index is part of the source checkout, benchmarks/selection/index; name it with --index."
        )
    tasks = [task for file in files for task in _read_family(file)]
    seen: set[str] = set()
    for task in tasks:
        if task.id in seen:
            raise DataError(f"{root}: expected each target once, found {task.id} twice.")
        seen.add(task.id)
    return tuple(tasks)


def _read_family(file: Path) -> list[Task]:
    source, problems = read_yaml(file.read_bytes(), str(file))
    if problems:
        raise DataError("\n".join(str(problem) for problem in problems))
    try:
        family = Family.model_validate(source.data)
    except ValidationError as error:
        raise DataError(f"{file}: expected a family of targets, found {_first(error)}.") from None
    return [_expand(family, number, source) for number in range(len(family.tasks))]


def _expand(family: Family, number: int, source: Source) -> Task:
    try:
        return family.expand(family.tasks[number])
    except ValueError as error:
        said = _first(error) if isinstance(error, ValidationError) else str(error)
        raise DataError(f"{source.name}:{source.place(('tasks', number))[0]}: {said}.") from None


def _first(error: ValidationError) -> str:
    fault = error.errors()[0]
    return f"`{'.'.join(map(str, fault['loc']))}`: {fault['msg']}"
