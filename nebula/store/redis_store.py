"""A store on a Redis server that many machines share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from nebula.errors import DataError, MissingExtraError
from nebula.store.generation import current_generation
from nebula.store.model import Entry, Kind, StoreInfo, Verification
from nebula.store.record import MAX_PAYLOAD, seal, unseal
from nebula.store.rest import Rest

__all__ = ["RedisStore"]

_PREFIX = "nebula:cache:1"
_KEPT_S = 30 * 24 * 3600
_BATCH = 100
Result = TypeVar("Result")


class RedisStore:
    """Sealed values on a server; each is forgotten 30 days after its last use.

    How much is kept beyond that is the server's `maxmemory`. A server that does not answer within
    a second is left alone for 30 seconds, with a warning in the log: the run goes on in memory.

    Args:
        url: `redis://`, `rediss://` or `unix://`, as redis-py reads it. A password in it is never shown.

    Raises:
        MissingExtraError: The extra `redis` is not installed.
        DataError: The URL cannot be read.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._rest = Rest(self.location)
        self._connect()

    def _connect(self) -> None:
        try:
            import redis
        except ImportError:
            raise MissingExtraError("redis", "redis", "a cache on a server") from None
        self._faults: tuple[type[Exception], ...] = (redis.RedisError, OSError)
        try:
            self._client: Any = redis.Redis.from_url(self._url, socket_timeout=1, socket_connect_timeout=1)
        except ValueError as error:
            raise DataError(
                f"cache: expected a URL such as redis://host:6379/0, found {self.location}: {error}."
            ) from None

    @property
    def location(self) -> str:
        """The URL without its password."""
        parts = urlsplit(self._url)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, "", ""))

    def read(self, kind: Kind, name: str, generation: str) -> bytes | None:
        """Return a value as it was written; one whose seal does not fit is none."""
        key = _key(kind, generation, name)
        pipeline = self._client.pipeline(transaction=False)
        sealed, _ = self._try(lambda: pipeline.get(key).expire(key, _KEPT_S).execute()) or (None, None)
        return unseal(kind, name, generation, sealed)

    def write(self, kind: Kind, name: str, generation: str, payload: bytes) -> None:
        """Store a value; one too large is left out."""
        if len(payload) <= MAX_PAYLOAD:
            sealed = seal(kind, name, generation, payload)
            self._try(lambda: self._client.set(_key(kind, generation, name), sealed, ex=_KEPT_S))

    def remove(self, kind: Kind, name: str) -> None:
        """Forget a value of the present nebula."""
        self._try(lambda: self._client.delete(_key(kind, current_generation(), name)))

    def clear(self, kind: Kind | None = None) -> int:
        """Forget all values, or those of one kind, and return how many."""
        return self._inspect(lambda: sum(int(self._client.delete(*keys)) for keys in self._keys(kind)))

    def entries(self) -> Iterator[Entry]:
        """Yield every value; the server does not tell when one was used."""
        yield from self._inspect(lambda: [self._entry(*found) for found in self._values()])

    def info(self) -> StoreInfo:
        """Say how full it is."""
        found = list(self.entries())
        kinds = [entry.kind for entry in found]
        return StoreInfo(
            location=self.location,
            exists=True,
            entries=len(found),
            bytes=sum(entry.size for entry in found),
            by_kind={kind: kinds.count(kind) for kind in sorted(set(kinds))},
            stale=sum(entry.generation != current_generation() for entry in found),
        )

    def verify(self) -> Verification:
        """Check the seal of every value; nothing is changed."""
        found = list(self.entries())
        broken = tuple(entry.name for entry in found if entry.payload is None)
        return Verification(location=self.location, entries=len(found), broken=broken)

    def _keys(self, kind: Kind | None = None) -> Iterator[list[bytes]]:
        batch: list[bytes] = []
        for key in self._client.scan_iter(match=f"{_PREFIX}:{kind or '*'}:*", count=1000):
            batch.append(key)
            if len(batch) == _BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def _values(self) -> Iterator[tuple[bytes, bytes]]:
        for keys in self._keys():
            for key, sealed in zip(keys, self._client.mget(keys), strict=True):
                if sealed is not None:
                    yield key, sealed

    def _entry(self, key: bytes, sealed: bytes) -> Entry:
        kind, generation, name = key.decode("utf-8", "replace").removeprefix(f"{_PREFIX}:").split(":", 2)
        payload = unseal(kind, name, generation, sealed)
        return Entry(kind=kind, name=name, generation=generation, size=len(sealed), used=None, payload=payload)

    def _try(self, work: Callable[[], Result]) -> Result | None:
        if self._rest.is_on:
            return None
        try:
            return work()
        except self._faults as error:
            self._rest.begin(_said(error), "Start the server, or name another cache.")
            return None

    def _inspect(self, work: Callable[[], Result]) -> Result:
        try:
            return work()
        except self._faults as error:
            raise DataError(f"{self.location}: expected a Redis server that answers, found {_said(error)}.") from None

    def __getstate__(self) -> dict[str, object]:
        """Copy the address, not the connection."""
        return {"_url": self._url, "_rest": self._rest}

    def __setstate__(self, state: dict[str, object]) -> None:
        """Restore with a connection of its own."""
        self.__dict__.update(state)
        self._connect()


def _key(kind: str, generation: str, name: str) -> str:
    return f"{_PREFIX}:{kind}:{generation}:{name}"


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(".")
