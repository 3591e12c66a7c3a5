"""Files behind http:// and https://, whose servers may be slow, endless or broken."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from http.client import BadStatusLine, HTTPException, HTTPMessage, HTTPResponse, RemoteDisconnected
from typing import IO, cast
from urllib.error import HTTPError, URLError
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.secrets import redact, without_secrets
from genomics_pipeline.stores.protocol import MissingObject

PIECE_BYTES = 1 << 16
HELD_PIECES = 16  # between the thread that receives and the caller
NOT_FOUND = (404, 410)
_WHOLE = (200, 203)  # not 206, which is an answer with a part of the file
_FOUND_CHARACTERS = 200  # characters of a server's own words in a message

_Pieces = queue.Queue[bytes | Exception | None]


def is_web(uri: str) -> bool:
    """Return whether a URI is of a web server."""
    return uri.lower().startswith(("http://", "https://"))


class _Redirects(HTTPRedirectHandler):
    """The redirects that are followed: a few, and never from https to http, nor to another scheme."""

    max_redirections = budgets.WEB_REDIRECTS.value
    max_repeats = 2
    inf_msg = "too many redirects, or a loop: "

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """Return the next request."""
        if not is_web(newurl) or (req.type == "https" and not newurl.lower().startswith("https://")):
            raise URLError(f"redirected to {without_secrets(newurl)}")
        fp.close()  # urllib would read the redirect's own content, which may never end, to its end
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def web_pieces(
    uri: str, seconds: float = budgets.WEB_TIME.value, clock: Callable[[], float] = time.monotonic
) -> Iterator[bytes]:
    """Yield the content of a file behind a URL.

    A thread receives it, because a server that sends a byte now and then would hold any single call for ever.

    Args:
        uri: The URL.
        seconds: The time after which the transfer is given up.
        clock: Returns the seconds of a monotonic clock.

    Raises:
        MissingObject: if the server has no such file.
        DataError: if it cannot be read, or not in time.
    """
    shown = without_secrets(uri)
    pieces: _Pieces = queue.Queue(HELD_PIECES)
    ended = threading.Event()
    threading.Thread(target=_receive, args=(uri, pieces, ended), daemon=True).start()
    deadline = clock() + seconds
    try:
        while True:
            try:
                piece = pieces.get(timeout=max(deadline - clock(), 0))
            except queue.Empty:
                piece = TimeoutError()
            if piece is None:
                return
            if isinstance(piece, Exception):
                raise _translated(piece, shown, seconds) from None
            yield piece
            if clock() > deadline:
                raise _translated(TimeoutError(), shown, seconds)
    finally:
        ended.set()


def _receive(uri: str, pieces: _Pieces, ended: threading.Event) -> None:
    """Put the pieces of a file into the queue, then None, or the error."""
    try:
        with cast(HTTPResponse, _opener().open(uri, timeout=budgets.WEB_SILENCE.value)) as response:
            if response.status not in _WHOLE:
                raise HTTPError(uri, response.status, response.reason, response.headers, None)
            expected = response.length
            received = 0
            while (piece := response.read1(PIECE_BYTES)) and not ended.is_set():
                received += len(piece)
                _put(piece, pieces, ended)
            if expected is not None and received < expected and not ended.is_set():
                raise EOFError(f"{received} of {expected} bytes")
        _put(None, pieces, ended)
    except Exception as error:  # the caller raises it
        _put(error, pieces, ended)


def _put(piece: bytes | Exception | None, pieces: _Pieces, ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            pieces.put(piece, timeout=1)
        except queue.Full:
            continue
        return


def _opener() -> OpenerDirector:
    """Return an opener for the web only: not for files and FTP, which urllib would open too."""
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        UnknownHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        HTTPDefaultErrorHandler(),
        _Redirects(),
        HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _translated(error: Exception, shown: str, seconds: float) -> DataError:
    match error:
        case HTTPError() if error.code in NOT_FOUND:
            return MissingObject(shown)
        case HTTPError():
            found = f"the answer {error.code} {error.reason}"
        case TimeoutError() | URLError(reason=TimeoutError()):
            found = f"no end within {seconds:g} s; download it first"
        case URLError():
            found = str(error.reason)
        case EOFError():
            found = f"an early end: {error}"
        case BadStatusLine() if not isinstance(error, RemoteDisconnected):
            found = f"an answer that is not HTTP: {str(error).strip()[:_FOUND_CHARACTERS]!r}"
        case HTTPException() | OSError() | ValueError():
            found = str(error) or type(error).__name__
        case _:
            raise error
    found = redact(" ".join(found.split()))
    if len(found) > _FOUND_CHARACTERS:
        found = f"{found[:_FOUND_CHARACTERS]}…"
    return DataError(f"{shown}: expected a file that can be read, found {found}")
