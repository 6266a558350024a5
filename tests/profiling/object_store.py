"""A small S3 in this process: it lists, and gives ranges of bytes, out of a folder."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "bucket"
KEY, SECRET = "AKIDEXAMPLE", "wJalr/XUtn?FEMI"
_PAGE = 7


class Store:
    """What the server saw, and what it is told to do.

    Attributes:
        folder: Holds the objects of the bucket.
        requests: Method and key of each request.
        sent: Bytes of content sent so far.
        fail_after: Answers with a failure once this many requests for content came.
        refuse: Answers every request with 403.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.refuse, self.port, self.sent = folder, False, 0, 0
        self.fail_after: int | None = None
        self.requests: list[tuple[str, str]] = []

    def uri(self, key: str, user: str = "", **options: Any) -> str:
        """Return the address of a key."""
        given = {"endpoint_override": f"127.0.0.1:{self.port}", "scheme": "http", "region": "us-east-1"}
        if not user:
            given["anonymous"] = "true"
        query = "&".join(f"{name}={value}" for name, value in (given | options).items())
        return f"s3://{user}{BUCKET}/{key}?{query}"

    def names(self) -> list[str]:
        """Return the keys of the bucket, sorted."""
        return sorted(file.relative_to(self.folder).as_posix() for file in self.folder.rglob("*") if file.is_file())


@contextmanager
def serve(folder: Path) -> Iterator[Store]:
    """Serve a folder as the bucket `bucket`."""
    store = Store(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"store": store}))
    server.daemon_threads = False
    store.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        thread.join()
        server.socket.close()


class _Handler(BaseHTTPRequestHandler):
    store: Store

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        address = urlsplit(self.path)
        bucket, _, key = unquote(address.path).lstrip("/").partition("/")
        self.store.requests.append((self.command, key))
        if self.store.refuse:
            return self._send(403, _fault("AccessDenied"), with_body)
        if bucket != BUCKET:
            return self._send(404, _fault("NoSuchBucket"), with_body)
        if not key:
            return self._send(200, self._list(parse_qs(address.query)), with_body)
        file = self.store.folder / key
        if not file.is_file():
            return self._send(404, _fault("NoSuchKey"), with_body)
        if with_body and self.store.fail_after is not None:
            self.store.fail_after -= 1
            if self.store.fail_after < 0:
                return self._send(503, _fault("ServiceUnavailable"), with_body)
        content = file.read_bytes()
        extra = {"Last-Modified": formatdate(file.stat().st_mtime, usegmt=True), "ETag": '"0"'}
        code, asked = 200, self.headers.get("Range")
        if asked:
            low, _, high = asked.removeprefix("bytes=").partition("-")
            extra["Content-Range"] = f"bytes {low}-{min(int(high), len(content) - 1)}/{len(content)}"
            content, code = content[int(low) : int(high) + 1], 206
        if with_body:
            self.store.sent += len(content)
        return self._send(code, content, with_body, extra)

    def _list(self, query: dict[str, list[str]]) -> bytes:
        prefix, mark = query.get("prefix", [""])[0], query.get("delimiter", [""])[0]
        after = query.get("continuation-token", [""])[0]
        entries: dict[str, str] = {}
        for key in self.store.names():
            if not key.startswith(prefix):
                continue
            rest = key[len(prefix) :]
            if mark and mark in rest:
                name = prefix + rest.partition(mark)[0] + mark
                entries[name] = f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>"
            else:
                about = (self.store.folder / key).stat()
                entries[key] = (
                    f"<Contents><Key>{escape(key)}</Key><Size>{about.st_size}</Size>"
                    f"<LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents>"
                )
        names = sorted(name for name in entries if name > unquote(after))
        page, more = names[:_PAGE], len(names) > _PAGE
        token = f"<NextContinuationToken>{quote(page[-1])}</NextContinuationToken>" if more else ""
        return (
            f"<ListBucketResult><Name>{BUCKET}</Name><KeyCount>{len(page)}</KeyCount>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{''.join(entries[name] for name in page)}"
            f"</ListBucketResult>"
        ).encode()

    def _send(self, code: int, content: bytes, with_body: bool, extra: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in ({"Content-Length": str(len(content))} | (extra or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(content)


def _fault(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>{code} of {KEY}</Message></Error>".encode()
