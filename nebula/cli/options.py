"""The options that several commands share, and how their text is read."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

import typer

__all__ = [
    "CacheOption",
    "DataFile",
    "Features",
    "HintsOption",
    "Json",
    "Parameters",
    "PolicyOption",
    "PredictionShape",
    "PredictionSpaceOption",
    "Target",
    "columns",
    "key_values",
    "sizes",
]

DataFile = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="CSV, Parquet, NPZ, NPY, PT or Arrow file, a folder, a quoted pattern or an s3:// address; of any size.",
        show_default=False,
    ),
]
Target = Annotated[
    str, typer.Option("--target", "-t", metavar="COL[,COL]", help="Column, or key of an array, to predict.")
]
Features = Annotated[
    str | None, typer.Option("--features", metavar="COL[,COL]", help="Columns beside the target.", show_default=False)
]
PredictionShape = Annotated[
    str | None,
    typer.Option(
        "--prediction-shape",
        metavar="N,10",
        help="Shape of the model's output; letters stand for unknown sizes.",
        show_default=False,
    ),
]
PredictionSpaceOption = Annotated[
    str | None,
    typer.Option(
        "--prediction-space",
        metavar="SPACE",
        help="What the output is: logits, probabilities, log_probabilities or rate.",
        show_default=False,
    ),
]
PolicyOption = Annotated[
    str, typer.Option("--policy", "-p", metavar="POLICY", help="A policy file, or the name of a shipped one.")
]
HintsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--hint", metavar="NAME=VALUE", help="A declaration, e.g. task=count; repeatable.", show_default=False
    ),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Replace a parameter of the policy; repeatable.", show_default=False
    ),
]
CacheOption = Annotated[
    str,
    typer.Option("--cache", metavar="CACHE", help="user, :memory:, a file, or redis://host:6379/0."),
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON to standard output.")]


def columns(text: str | None) -> list[str] | None:
    """Read `a,b` as column names."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise typer.BadParameter(f"expected at least one column name, found {text!r}.")
    return names


def sizes(text: str) -> tuple[int | None, ...]:
    """Read `N,10` as `(None, 10)`: a size is a whole number, anything unknown a letter or `?`."""
    found: list[int | None] = []
    for part in (part.strip() for part in text.strip("() ").rstrip(",").split(",")):
        if part.isdecimal():
            found.append(int(part))
        elif part == "?" or part.isalpha():
            found.append(None)
        else:
            raise typer.BadParameter(
                f"expected sizes such as N,10, found {part!r} in {text!r}.", param_hint="--prediction-shape"
            )
    return tuple(found)


def key_values(pairs: list[str] | None, option: str) -> dict[str, Any]:
    """Read repeated `name=value` as a mapping; numbers, true and false become what they say."""
    values: dict[str, Any] = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        name = name.strip()
        if not (equals and name and value.strip()):
            raise typer.BadParameter(f"expected NAME=VALUE, found {pair!r}.", param_hint=option)
        if name in values:
            raise typer.BadParameter(f"expected `{name}` once, found it again as {pair!r}.", param_hint=option)
        values[name] = _scalar(value.strip())
    return values


def _scalar(text: str) -> bool | int | float | str:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    with suppress(ValueError):
        return int(text)
    with suppress(ValueError):
        return float(text)
    return text
