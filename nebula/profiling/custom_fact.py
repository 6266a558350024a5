"""One fact beside nebula's own: its name, its type, its bounds, and the function that measures it."""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import BaseModel

if TYPE_CHECKING:
    from torch import Tensor

    from nebula.profiling.model import DataProfile

__all__ = ["Combine", "CustomFact", "CustomKind", "Measure", "Scalar"]

Scalar = bool | int | float | str
CustomKind = Literal["bool", "int", "float", "str"]
Measure = Callable[["Tensor", "DataProfile"], Any]
Combine = Callable[[Any, Any], Any]

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PYTHON: dict[str, type] = {"bool": bool, "int": int, "float": float, "str": str}
_TAKEN = frozenset(dir(BaseModel))  # what a model of facts has for itself


@dataclass(frozen=True)
class CustomFact:
    """One fact beside nebula's own.

    Attributes:
        name: What stands behind `custom.` in policies: lower case letters, digits and underscores.
        kind: Type of the value.
        description: What it means; one sentence.
        measure: Takes the whole target, rows first, and the profile without custom facts; returns the
            value, or None where it is unknown. It writes to neither.
        low: Least value of a number, or None.
        high: Largest value of a number, or None.
        unit: Unit of a number, or None.
        choices: The values a string may take; empty when it is free.
        combine: Takes the known values of two parts and returns that of both together, or None. It must be
            associative, as parts are merged in any grouping. Without it merged profiles do not know the fact.

    Raises:
        ValueError: The name, the kind, the interval or the description cannot be used.
    """

    name: str
    kind: CustomKind
    description: str
    measure: Measure = field(compare=False)
    low: float | None = None
    high: float | None = None
    unit: str | None = None
    choices: tuple[str, ...] = ()
    combine: Combine | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Refuse what a policy could not use."""
        where = f"fact {self.name!r}"
        if not _NAME.fullmatch(self.name) or keyword.iskeyword(self.name) or self.name in _TAKEN:
            raise ValueError(f"{where}: expected a name of lower case letters, digits and underscores that is free")
        if self.kind not in get_args(CustomKind):
            raise ValueError(f"{where}: expected one of {', '.join(get_args(CustomKind))}, found {self.kind!r}")
        ends = [end for end in (self.low, self.high) if end is not None]
        if ends and (self.kind not in ("int", "float") or not all(map(math.isfinite, ends)) or ends != sorted(ends)):
            raise ValueError(f"{where}: expected finite bounds of a number, low <= high, found {self.low}, {self.high}")
        if self.choices and self.kind != "str":
            raise ValueError(f"{where}: expected choices of a str only, found them with {self.kind}")
        if not self.description.strip():
            raise ValueError(f"{where}: expected a description, found none")

    @property
    def origin(self) -> str:
        """The module that its function is from."""
        return str(getattr(self.measure, "__module__", "") or "an unknown module")

    def accept(self, value: Any) -> Scalar | None:
        """Return a value in the fact's own type.

        Raises:
            ValueError: It is of another type, not finite, or out of the fact's bounds or choices.
        """
        value = value.item() if hasattr(value, "item") and not isinstance(value, (str, bytes)) else value
        if value is None:
            return None
        if self.kind == "float" and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not _PYTHON[self.kind] or not self._allows(value):
            raise ValueError(f"expected {self._expected()}, found {value!r}")
        accepted: Scalar = value  # type: ignore[assignment]  # of the kind's type
        return accepted

    def _allows(self, value: Any) -> bool:
        if self.kind in ("bool", "str"):
            return not self.choices or value in self.choices
        return (
            math.isfinite(value)
            and (self.low is None or value >= self.low)
            and (self.high is None or value <= self.high)
        )

    def _expected(self) -> str:
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        low, high = ("" if end is None else f"{end:g}" for end in (self.low, self.high))
        return f"{self.kind} in {low}..{high}" if low or high else f"a finite {self.kind}"
