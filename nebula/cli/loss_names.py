"""A loss as the user types its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from nebula.losses.registry import LossEntry

__all__ = ["known_loss"]


def known_loss(name: str) -> LossEntry:
    """Return the registered loss of this name.

    Raises:
        typer.BadParameter: There is none; the message names the nearest.
    """
    from nebula.losses.catalogue import load_builtin
    from nebula.losses.registry import find, nearest

    load_builtin()
    entry = find(name)
    if entry is None:
        near = nearest(name)
        guess = f" Did you mean `{near}`?" if near else " `nebula losses` lists them."
        raise typer.BadParameter(f"expected a registered loss, found `{name}`.{guess}")
    return entry
