"""Texts such as `s3://bucket/key?region=eu-west-1`, and what of them may be shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote

from nebula.errors import DataError

__all__ = ["OPTIONS", "Address", "is_address", "local_path", "mask", "parse_address"]

# What may follow the question mark, by scheme; the names are those of pyarrow.
OPTIONS = {
    "s3": ("region", "scheme", "endpoint_override", "anonymous", "connect_timeout", "request_timeout"),
    "gs": ("scheme", "endpoint_override", "anonymous", "retry_limit_seconds"),
    "hdfs": ("user", "kerb_ticket"),
    "file": (),
}
_SHORTEST = 4
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


@dataclass(frozen=True, repr=False)
class Address:
    """A store, and a path in it.

    Attributes:
        scheme: `s3`, `gs`, `hdfs` or `file`.
        place: The bucket; of `hdfs`, the host and port; of `file`, nothing.
        path: What follows the place, as typed: percent signs are not decoded, patterns not expanded.
        options: What follows the question mark, by name.
        user: What stands before the `@`: a key and its secret. Never shown.
    """

    scheme: str
    place: str
    path: str
    options: tuple[tuple[str, str], ...] = ()
    user: str = ""

    def __str__(self) -> str:
        """Return the address without what stands before the `@` and after the `?`."""
        return f"{self.scheme}://{self.place}{self.path}"

    def __repr__(self) -> str:
        """Return the same: secrets do not land in logs."""
        return f"Address({str(self)!r})"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that no message may contain, the longest first; less than four letters keep nothing secret."""
        parts = {self.user, *self.user.split(":"), *map(unquote, self.user.split(":"))}
        return tuple(sorted((part for part in parts if len(part) >= _SHORTEST), key=len, reverse=True))

    def at(self, path: str) -> Address:
        """Return the address of another path in the same store.

        Args:
            path: As the store names it, without percent signs for other characters.
        """
        return Address(self.scheme, self.place, quote(path, safe="/!$&'()*+,;=:@~[]"), self.options, self.user)


def is_address(source: object) -> bool:
    """Say whether this is a text with a scheme, such as `s3://`."""
    return isinstance(source, str) and _SCHEME.match(source) is not None


def mask(source: object) -> str:
    """Return a source as it may be shown: of addresses, neither users nor options."""
    if isinstance(source, Sequence) and not isinstance(source, str):
        return ", ".join(map(mask, source))
    text = str(source)
    found = _SCHEME.match(text)
    if found is None:
        return text
    authority, slash, path = text[found.end() :].partition("?")[0].partition("/")
    place = authority.rpartition("@")[2]
    if ":" in place and found[1].lower() != "hdfs":  # half of a secret that holds a slash or a question mark
        return f"{found[0]}***"
    return f"{found[0]}{place}{slash}{path}"


def parse_address(text: str) -> Address:
    """Take an address apart.

    Args:
        text: `scheme://[user@]place/path[?option=value&…]`.

    Raises:
        DataError: The scheme or an option is unknown, or the bucket is missing.
    """
    shown, found = mask(text), _SCHEME.match(text)
    scheme = found[1].lower() if found else ""
    if found is None or scheme not in OPTIONS:
        raise DataError(
            f"{shown}: expected an address that begins with {', '.join(f'{name}://' for name in OPTIONS)}, "
            f"found {scheme!r}.{_guess(scheme, tuple(OPTIONS))}"
        )
    body, _, query = text[found.end() :].partition("?")
    authority, slash, path = body.partition("/")
    user, _, place = authority.rpartition("@")
    if scheme == "s3" and ":" in place:
        raise DataError(
            f"{shown}: expected the name of a bucket, found one with a colon; write `/` and `?` in a secret as `%2F` "
            f"and `%3F`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead."
        )
    if scheme != "file" and not place:
        raise DataError(f"{shown}: expected {scheme}://bucket/path, found no bucket.")
    if scheme == "file" and authority not in ("", "localhost"):
        raise DataError(f"{shown}: expected file:///path with three slashes, found the name of a machine.")
    place = "" if scheme == "file" else place
    return Address(scheme, place, slash + path, _parse_options(shown, scheme, query), user)


def local_path(address: Address) -> Path:
    """Return the path that a `file://` address means."""
    return Path(unquote(address.path))


def _parse_options(shown: str, scheme: str, query: str) -> tuple[tuple[str, str], ...]:
    known = OPTIONS[scheme]
    pairs = parse_qsl(query, keep_blank_values=True)
    for name, value in pairs:
        if name not in known:
            listed = ", ".join(known) or "none"
            raise DataError(
                f"{shown}: expected options among {listed} after `?`, found another one.{_guess(name, known)} "
                f"A pattern may hold `*` and `[0-9]`, and keys belong into the environment."
            )
        if not value:
            raise DataError(f"{shown}: expected a value of `{name}`, found none.")
    if len(dict(pairs)) < len(pairs):
        raise DataError(f"{shown}: expected every option once, found one twice.")
    return tuple(sorted(pairs))


def _guess(name: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f" Did you mean `{near[0]}`?" if near else ""
