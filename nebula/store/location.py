"""What `cache=` may name: memory, a file, a server, or the user's own cache."""

from __future__ import annotations

import os

from nebula.decision.cache import DecisionCache
from nebula.errors import DataError
from nebula.store.model import Store
from nebula.store.sqlite_file import user_cache_file
from nebula.store.sqlite_store import SqliteStore
from nebula.store.stored_map import stored_decisions, stored_sources, stored_targets

__all__ = ["MEMORY", "USER", "CacheLike", "open_cache", "open_store"]

MEMORY = ":memory:"
USER = "user"
CacheLike = DecisionCache | str | os.PathLike[str] | None
_SERVERS = ("redis://", "rediss://", "unix://")


def open_cache(cache: CacheLike) -> DecisionCache:
    """Return the cache that is named. Nothing is opened or made before it is first used.

    Args:
        cache: `"user"`: the file in the user's cache folder, or what the environment variable
            `NEBULA_CACHE` names instead. `":memory:"` or None: this object's own, gone with it.
            `"redis://…"`: a server. Any other text: a file. A `DecisionCache` is returned as it is.

    Raises:
        DataError: The text names nothing that can be a cache.
        MissingExtraError: A server is named and the extra `redis` is not installed.
    """
    if isinstance(cache, DecisionCache):
        return cache
    store = open_store(cache)
    if store is None:
        return DecisionCache()
    return DecisionCache(stored_targets(store), stored_decisions(store), stored_sources(store))


def open_store(cache: str | os.PathLike[str] | None) -> Store | None:
    """Return the store behind a cache; None when it is in memory only. See `open_cache`."""
    named = None if cache is None else os.fspath(cache)
    if named == USER:
        named = os.environ.get("NEBULA_CACHE") or USER
    if named is None or named == MEMORY:
        return None
    if named == USER:
        return SqliteStore(user_cache_file())
    if named.startswith(_SERVERS):
        from nebula.store.redis_store import RedisStore

        return RedisStore(named)
    if "://" in named or "\0" in named or not named.strip():
        raise DataError(
            f"cache: expected `user`, `:memory:`, a file, or a URL of {', '.join(_SERVERS)}, found {named!r}."
        )
    return SqliteStore(named)
