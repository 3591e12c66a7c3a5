"""One version of a file on a web server: what its headers say, and its content, continued where a transfer broke off.

HTTP semantics: RFC 9110, sections 8.8 (validators), 14 (ranges) and 15 (status codes).
"""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPResponse
from typing import cast
from urllib.error import HTTPError, URLError
from urllib.request import Request

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.web_uri import split_checksum, web_misfit
from genomics_pipeline.stores.protocol import ChangedObject, MissingObject, TransferFailed
from genomics_pipeline.stores.web import translated, web_opener

PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)  # before a transfer is continued that got no further
ASKING_PAUSES_S = PAUSES_S[:2]  # before a file is asked for again
PIECE_BYTES = 1 << 17
_AGENT = "genomics-pipeline"
_OK, _PARTIAL = 200, 206
_NOT_FOUND = (404, 410)
_NO_HEAD = (403, 405, 501)  # answers of servers that know GET only, or allow nothing else
_PASSING = (408, 425, 429, 500, 502, 503, 504)  # which may be another answer a little later
_RANGE = re.compile(r"bytes (?P<first>\d+)-\d+/(?P<size>\d+)")


@dataclass(frozen=True, slots=True)
class WebFile:
    """A version of a file.

    Attributes:
        uri: Its URL, with its checksum if that is known.
        size_bytes: Its size.
        version: A text that changes when the content does: size and checksum, else ETag or time of the last change.
        modified: That time, in whole seconds since the epoch; 0 if the server does not say it.
    """

    uri: str
    size_bytes: int
    version: str
    modified: int

    def content(self, ended: threading.Event) -> Iterator[bytes]:
        """Yield the content, in order.

        Args:
            ended: Ends the transfer when it is set.

        Raises:
            TransferFailed: if it cannot be read, or is not this version.
        """
        return self._between(0, self.size_bytes, ended)

    def part(self, start: int, size_bytes: int) -> bytes:
        """Return a part of the content.

        Args:
            start: The place of its first byte, from 0.
            size_bytes: Its size; where the file ends earlier, so does the part.

        Raises:
            TransferFailed: if it cannot be read, or is not of this version.
        """
        end = min(start + size_bytes, self.size_bytes)
        return b"".join(self._between(start, end, threading.Event()))

    def _between(self, start: int, end: int, ended: threading.Event) -> Iterator[bytes]:
        """Yield the content between two places until the event is set."""
        received, broken = start, 0
        while received < end and not ended.is_set():
            try:
                for piece in self._from(received, end):
                    received += len(piece)
                    broken = 0
                    yield piece
                if received < end:
                    raise EOFError(f"{received} of {self.size_bytes} bytes")
            except Exception as error:
                if not _may_pass(error) or broken == len(PAUSES_S):
                    raise _failure(error, self.uri) from None
                ended.wait(PAUSES_S[broken])
                broken += 1

    def _from(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the content between two places, until the answer ends."""
        last = end - 1 if end < self.size_bytes else ""
        with _open(self.uri, {"Range": f"bytes={start}-{last}"} if start or last else {}) as response:
            here = _described(self.uri, response.headers)
            if here.version != self.version:
                message = f"expected the version {self.version}, found {here.version}: it was changed in the meantime"
                raise ChangedObject(without_secrets(self.uri), message)
            skipped = start - _first_byte(response)  # of a server that sends no parts
            if skipped < 0:
                raise TransferFailed(without_secrets(self.uri), f"expected bytes from {start} on, found later ones")
            while piece := response.read1(PIECE_BYTES):
                part = piece[skipped : skipped + end - start]
                skipped -= min(skipped, len(piece))
                start += len(part)
                if part:
                    yield part
                if start == end:
                    return


def find_file(uri: str) -> WebFile | None:
    """Return the file behind a URL by its headers; None if the server has none.

    Raises:
        DataError: if it cannot be used: an answer without its size, a web page, no answer.
    """
    if message := web_misfit(uri):
        raise DataError(f"{without_secrets(uri)}: {message}")
    try:
        headers = _headers(uri, threading.Event().wait)
    except HTTPError as error:
        if error.code in _NOT_FOUND:
            return None
        raise _failure(error, uri) from None
    except Exception as error:
        raise _failure(error, uri) from None
    if headers.get_content_type() == "text/html":
        message = "expected a file, found a web page (text/html), such as one for logging in"
        raise DataError(f"{without_secrets(uri)}: {message}")
    return _described(uri, headers)


def _headers(uri: str, pause: Callable[[float], object]) -> Message:
    """Return the headers of a file, by GET of its first byte where a server does not answer HEAD."""
    broken = 0
    while True:
        try:
            try:
                with _open(uri, {}, "HEAD") as response:
                    return response.headers
            except HTTPError as error:
                if error.code not in _NO_HEAD:
                    raise
                with _open(uri, {"Range": "bytes=0-0"}) as response:
                    return response.headers
        except Exception as error:
            if not _may_pass(error) or broken == len(ASKING_PAUSES_S):
                raise
            pause(ASKING_PAUSES_S[broken])
            broken += 1


def _open(uri: str, headers: Mapping[str, str], method: str = "GET") -> HTTPResponse:
    url = split_checksum(uri).url
    request = Request(url, headers={"User-Agent": _AGENT, **headers}, method=method)  # noqa: S310  # see web_opener
    try:
        return cast(HTTPResponse, web_opener().open(request, timeout=budgets.WEB_SILENCE.value))
    except HTTPError as error:
        error.close()
        raise


def _described(uri: str, headers: Message) -> WebFile:
    """Return the version of a file that the headers of an answer describe.

    Raises:
        DataError: if they do not say its size.
    """
    part = _RANGE.fullmatch(headers.get("Content-Range", ""))
    size = part["size"] if part else headers.get("Content-Length", "")
    if not size.isascii() or not size.isdigit():
        message = "expected an answer with the size of the file (Content-Length), found none; download the file first"
        raise DataError(f"{without_secrets(uri)}: {message}")
    changed = headers.get("Last-Modified", "")
    tag = headers.get("ETag", "").removeprefix("W/").strip('"')
    version = split_checksum(uri).digest or tag or changed  # servers behind one name may have ETags of their own
    return WebFile(uri, int(size), f"{size}-{version}", _seconds(changed))


def _seconds(date: str) -> int:
    try:
        return int(parsedate_to_datetime(date).timestamp())
    except ValueError:
        return 0


def _first_byte(response: HTTPResponse) -> int:
    part = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    return int(part["first"]) if part and response.status == _PARTIAL else 0


def _may_pass(error: Exception) -> bool:
    """Return whether a request that failed may succeed a little later."""
    match error:
        case HTTPError():
            return error.code in _PASSING
        case URLError():
            return isinstance(error.reason, OSError) and not isinstance(error.reason, ssl.SSLCertVerificationError)
        case _:
            return isinstance(error, OSError | HTTPException | EOFError)


def _failure(error: Exception, uri: str) -> DataError:
    """Return the error of this package for one of a request."""
    shown = without_secrets(uri)
    if isinstance(error, DataError):
        return error
    failure = translated(error, shown, budgets.WEB_SILENCE.value)
    if isinstance(failure, MissingObject) or not _may_pass(error):
        return failure
    return TransferFailed(shown, str(failure).removeprefix(f"{shown}: "))
