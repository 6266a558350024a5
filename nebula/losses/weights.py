"""Weight lists as they stand in a policy: finite, non-negative, not all zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

__all__ = ["Weights"]


def _listed(value: Any) -> Any:
    """Read a single number as a list of one."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return (value,)
    return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


def _some_positive(values: tuple[float, ...]) -> tuple[float, ...]:
    if not any(values):
        raise ValueError("expected at least one weight above 0, found only zeros")
    return values


class _SingleToo:
    """Tells the JSON schema what `_listed` admits."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        listed = handler(schema)
        return {"anyOf": [listed["items"], listed]} if handler.mode == "validation" else listed


Weights = Annotated[
    tuple[Annotated[float, Field(ge=0, allow_inf_nan=False)], ...],
    Field(min_length=1, max_length=65536),
    BeforeValidator(_listed),
    AfterValidator(_some_positive),
    _SingleToo(),
]
