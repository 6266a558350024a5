"""Addresses → the file system of pyarrow that reads them."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote, urlencode

from nebula.errors import DataError
from nebula.profiling.stores.address import Address
from nebula.profiling.stores.faults import store_fault
from nebula.profiling.streams.reader import import_pyarrow

__all__ = ["connect"]

_ATTEMPTS = 3
_RETRY_SECONDS = 30.0
_MOST_SECONDS = 3600.0


def connect(address: Address) -> Any:
    """Return the `pyarrow.fs.FileSystem` of a store; one for all files of it.

    Args:
        address: Any address in the store.

    Raises:
        DataError: An option has no meaning, or the store cannot be found.
        MissingExtraError: pyarrow is not installed.
    """
    import_pyarrow("reading object stores")
    try:
        return _connect(address.scheme, address.place, address.options, address.user)
    except OSError as error:
        fault = store_fault(address, error)
        raise fault or DataError(f"{address}: expected a store, found one that cannot be opened.") from None
    except DataError:
        raise
    except (ValueError, TypeError):
        raise DataError(
            f"{address}: expected a store, found options or a name that it cannot have; see docs/sources.md."
        ) from None


@lru_cache(maxsize=8)
def _connect(scheme: str, place: str, options: tuple[tuple[str, str], ...], user: str) -> Any:
    address = Address(scheme, place, "", options, user)
    return {"s3": _connect_s3, "gs": _connect_gs, "hdfs": _connect_hdfs}[scheme](address)


def _connect_s3(address: Address) -> Any:
    from pyarrow import fs

    given = dict(address.options)
    key, _, secret = address.user.partition(":")
    if bool(key) != bool(secret):
        raise DataError(f"{address}: expected a key and its secret before the `@`, found one of them.")
    endpoint, region = given.get("endpoint_override"), given.get("region")
    return fs.S3FileSystem(
        access_key=unquote(key) or None,
        secret_key=unquote(secret) or None,
        anonymous=_truth(address, "anonymous"),
        # Another endpoint than that of Amazon seldom has regions, and none that Amazon could be asked for.
        region=region or (fs.resolve_s3_region(address.place) if endpoint is None else None),
        endpoint_override=endpoint,
        scheme=given.get("scheme"),
        connect_timeout=_seconds(address, "connect_timeout"),
        request_timeout=_seconds(address, "request_timeout"),
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
    )


def _connect_gs(address: Address) -> Any:
    from pyarrow import fs

    if address.user:
        raise DataError(
            f"{address}: expected nothing before an `@`, found a user; add `?anonymous=true` for public data."
        )
    given = dict(address.options)
    return fs.GcsFileSystem(
        anonymous=_truth(address, "anonymous"),
        endpoint_override=given.get("endpoint_override"),
        scheme=given.get("scheme", "https"),
        retry_time_limit=timedelta(seconds=_seconds(address, "retry_limit_seconds") or _RETRY_SECONDS),
    )


def _connect_hdfs(address: Address) -> Any:
    from pyarrow import fs

    user = f"{quote(unquote(address.user))}@" if address.user else ""
    query = f"?{urlencode(address.options)}" if address.options else ""
    return fs.HadoopFileSystem.from_uri(f"hdfs://{user}{address.place}/{query}")


def _truth(address: Address, name: str) -> bool:
    value = dict(address.options).get(name, "false")
    if value not in ("true", "false"):
        raise DataError(f"{address}: expected {name}=true or {name}=false, found something else.")
    return value == "true"


def _seconds(address: Address, name: str) -> float | None:
    value = dict(address.options).get(name)
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= _MOST_SECONDS:
        raise DataError(f"{address}: expected {name} between 0 and {_MOST_SECONDS:g} seconds, found something else.")
    return seconds
