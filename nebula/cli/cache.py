"""`nebula cache`: what earlier runs left to be found again."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Annotated

import typer

from nebula.cli.exit_codes import ExitCode
from nebula.cli.options import CacheOption, Json
from nebula.cli.output import say, show_json, show_table, show_text

if TYPE_CHECKING:
    from nebula.store.model import Entry, Kind, Store

__all__ = ["cache"]

KindOption = Annotated[
    str | None,
    typer.Option("--kind", metavar="KIND", help="Only these: target, decision or source.", show_default=False),
]

cache = typer.Typer(rich_markup_mode=None)


@cache.command()
def info(cache: CacheOption = "user", json: Json = False) -> None:
    """Say where the cache is and how full it is."""
    found = _store(cache).info()
    if json:
        show_json(found.model_dump_json(indent=2))
        return
    rows = [("location", found.location if found.exists else f"{found.location} (not made yet)")]
    rows += [(f"{kind}s", str(count)) for kind, count in sorted(found.by_kind.items())]
    rows += [("of another nebula", str(found.stale))] if found.stale else []
    rows += [("entries", _of(found.entries, found.max_entries)), ("bytes", _of(found.bytes, found.max_bytes))]
    show_table(("", ""), rows)


@cache.command("list")
def list_entries(cache: CacheOption = "user", kind: KindOption = None, json: Json = False) -> None:
    """List what is stored, last used first."""
    wanted = _kind(kind)
    found = [entry for entry in _store(cache).entries() if wanted in (None, entry.kind)]
    if json:
        show_json([{**entry.model_dump(mode="json"), "holds": _holds(entry)} for entry in found])
        return
    show_table(
        ("name", "kind", "bytes", "used", "holds"),
        ((entry.name[:12], entry.kind, str(entry.size), _when(entry.used), _holds(entry)) for entry in found),
    )


@cache.command()
def clear(
    cache: CacheOption = "user",
    kind: KindOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Forget everything that is stored, or what is of one kind."""
    wanted, store = _kind(kind), _store(cache)
    if not yes:
        if not sys.stdin.isatty():
            raise typer.BadParameter("expected it where nobody can be asked.", param_hint="--yes")
        if not typer.confirm(f"Forget {wanted or 'everything'} in {store.location}?", err=True):
            say("nothing is changed.")
            return
    count = store.clear(wanted)
    show_json({"location": store.location, "removed": count}) if json else show_text(f"{count} entries removed")


@cache.command()
def verify(cache: CacheOption = "user", json: Json = False) -> None:
    """Check the seal of every entry, and the file. Nothing is changed."""
    found = _store(cache).verify()
    if json:
        show_json({**found.model_dump(mode="json"), "sound": found.is_sound})
    else:
        for name in found.broken:
            show_text(f"entry {name}: is not what was written")
        for problem in found.problems:
            show_text(problem)
        show_text(f"{found.location}: {found.entries} entries, {'sound' if found.is_sound else 'faulty'}")
    if not found.is_sound:
        if not json:
            say("a broken entry is never used; `nebula cache clear` removes them all")
        raise typer.Exit(ExitCode.FINDINGS)


def _store(named: str) -> Store:
    from nebula.store.location import open_store

    store = open_store(named)
    if store is None:
        raise typer.BadParameter("expected a cache that outlives the process, found one in memory.", param_hint="CACHE")
    return store


def _kind(named: str | None) -> Kind | None:
    from nebula.store.model import KINDS

    if named is None:
        return None
    for kind in KINDS:
        if kind == named:
            return kind
    raise typer.BadParameter(f"expected one of {', '.join(KINDS)}, found {named!r}.", param_hint="--kind")


def _of(count: int, most: int | None) -> str:
    return f"{count:,}" if most is None else f"{count:,} of {most:,}"


def _when(used: float | None) -> str:
    return "" if used is None else datetime.fromtimestamp(used, timezone.utc).isoformat(timespec="seconds")


def _holds(entry: Entry) -> str:
    """Describe a value in a few words, as far as this nebula understands it."""
    from nebula.store.description import describe

    return describe(entry)
