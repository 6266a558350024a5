"""A model some of whose fields are written when they are first read, and that nobody can tell from another."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from pydantic import BaseModel, PrivateAttr, model_serializer
from typing_extensions import Self

__all__ = ["Deferred"]


class _Once:
    """A function's value, made at the first call."""

    __slots__ = ("make", "value")

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make: Callable[[], Any] | None = make
        self.value: Any = None

    def __call__(self) -> Any:
        make = self.make
        if make is not None:
            self.value = make()
            self.make = None  # two threads at once may both make it: the values are equal
        return self.value


class Deferred(BaseModel):
    """Base of a frozen model whose long fields wait until somebody reads them.

    Reading, comparing, printing, copying, pickling and serialising give what they would give had the
    fields been there from the start. A field is written once, also for the model's copies.
    """

    _waiting: dict[str, Callable[[], Any]] = PrivateAttr(default_factory=dict)

    def defer(self, **makers: Callable[[], Any]) -> Self:
        """Return a copy in which these fields wait.

        Args:
            **makers: For each field a function of frozen values, which gives a valid value.
        """
        waiting = self.model_copy()
        object.__setattr__(waiting, "__dict__", {k: v for k, v in self.__dict__.items() if k not in makers})
        waiting.__pydantic_fields_set__.update(makers)
        waiting.__pydantic_private__ = {"_waiting": {name: _Once(make) for name, make in makers.items()}}
        return waiting

    def __getattr__(self, name: str) -> Any:
        """Write a field that waits; called only for what is not there."""
        waiting = (self.__pydantic_private__ or {}).get("_waiting", {})
        if name not in waiting:
            return super().__getattr__(name)  # type: ignore[misc]  # pydantic hides it from type checkers
        return waiting[name]()

    def _settle(self) -> None:
        """Write everything that waits, in the order in which the fields are declared."""
        waiting = self._waiting
        if waiting:
            values = {**self.__dict__, **{name: make() for name, make in waiting.items()}}
            object.__setattr__(self, "__dict__", {name: values[name] for name in type(self).model_fields})
            self.__pydantic_private__ = {"_waiting": {}}

    @model_serializer(mode="wrap")
    def _serialize(self, handler: Callable[[Self], Any]):  # type: ignore[no-untyped-def]  # a declared type would replace the fields' schema
        self._settle()
        return handler(self)

    def __eq__(self, other: object) -> bool:
        """Compare every field."""
        for side in (self, other):
            if isinstance(side, Deferred):
                side._settle()
        return super().__eq__(other)

    def __iter__(self) -> Generator[tuple[str, Any], None, None]:
        """Yield every field with its value."""
        self._settle()
        yield from super().__iter__()

    def __repr_args__(self) -> Any:
        """Show every field."""
        self._settle()
        return super().__repr_args__()

    def __getstate__(self) -> dict[Any, Any]:
        """Pickle every field, and nothing that made it."""
        self._settle()
        return super().__getstate__()

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Copy every field."""
        self._settle()
        return super().__deepcopy__(memo)
