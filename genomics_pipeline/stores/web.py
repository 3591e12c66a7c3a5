"""Files behind http:// and https://, whose servers may be slow, endless or broken."""

from __future__ import annotations

import queue
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
from genomics_pipeline.model.web_uri import is_web
from genomics_pipeline.stores.protocol import MissingObject
from genomics_pipeline.stores.receiver import Receiver

PIECE_BYTES = 1 << 16
NOT_FOUND = (404, 410)
_WHOLE = (200, 203, 204)  # the last one is empty; not 206, which is an answer with a part of the file
_FOUND_CHARACTERS = 200  # characters of a server's own words in a message


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
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None and req.get_method() == "HEAD":  # which urllib makes a GET, up to Python 3.12
            following.method = "HEAD"
        return following


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
    receiver = Receiver(lambda _: _content(uri))
    deadline = clock() + seconds
    try:
        while (piece := receiver.next(max(deadline - clock(), 0))) is not None:
            yield piece
            if clock() > deadline:
                raise TimeoutError
    except queue.Empty:
        raise translated(TimeoutError(), shown, seconds) from None
    except Exception as error:
        raise translated(error, shown, seconds) from None
    finally:
        receiver.close()


def _content(uri: str) -> Iterator[bytes]:
    """Yield the pieces of a file."""
    with cast(HTTPResponse, web_opener().open(uri, timeout=budgets.WEB_SILENCE.value)) as response:
        if response.status not in _WHOLE:
            raise HTTPError(uri, response.status, response.reason, response.headers, None)
        expected = response.length
        received = 0
        while piece := response.read1(PIECE_BYTES):
            received += len(piece)
            yield piece
        if expected is not None and received < expected:
            raise EOFError(f"{received} of {expected} bytes")


def web_opener() -> OpenerDirector:
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


def translated(error: Exception, shown: str, seconds: float) -> DataError:
    """Return the error of this package for one of a transfer.

    Args:
        error: The error; any of another kind is raised.
        shown: The URL without secrets.
        seconds: The time in which the answer, or the whole file, was expected.
    """
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
