"""Secrets in URIs and messages: passwords, the signatures and tokens of presigned URLs, headers with them."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from genomics_pipeline.model.errors import UsageError

HIDDEN = "***"

# The password of a URI, up to the last "@" before its path; a token alone before the "@" is one too, and a password may
# hold a "/" that should have been quoted (many of AWS do), but what follows a port is a path. Slashes may be mistyped.
_PASSWORD = re.compile(
    r"(?P<scheme>\b(?:[a-zA-Z][a-zA-Z0-9+.-]*:(?://|\\\\)|(?:https?|ftp|s3):/))"
    r"(?:[^\s/?#\"<>]+@|[^\s/?#:@\"<>]+:(?!\d+[/?#])[^\s@\"<>]+@)"
)
# Parameters of a query, whose names may be quoted, and those whose value gives access: AWS (X-Amz-…), Google
# (X-Goog-…), Azure (sig), and the usual names. These may be in the name of a file too, and count in a URI only.
_PARAMETER = re.compile(r"(?P<name>[?&;#](?P<word>[\w.%-]+)=)[^\s&;#'\"<>\\]+")
_SECRET = re.compile(r"x-(?:amz|goog)-[a-z-]+|awsaccesskeyid", re.IGNORECASE)
_SECRET_IN_URI = re.compile(
    rf"{_SECRET.pattern}|signature|sig|jwt|[a-z_-]*token|[a-z_-]*secret|password|passwd|pwd|api[_-]?key|key|auth|"
    r"authorization|credentials?|code|session(?:_?id)?",
    re.IGNORECASE,
)
# Headers of requests and variables of the environment, in texts of libraries.
_HEADER = re.compile(
    r"(?P<name>\b(?:authorization: *(?:\w+ )?|x-amz-security-token: *|"
    r"aws_(?:secret_access_key|session_token) *[=:] *))[^\s,;'\"<>\\]+",
    re.IGNORECASE,
)
_HEADERS = ("authorization:", "x-amz-security-token:", "aws_secret_access_key", "aws_session_token")
# What is wrong with a URI that has a password, and what to do.
REFUSAL = (
    "expected a URI without user and password, which would be stored with the run; download the file first, "
    "or use AWS's credentials (s3://) or a presigned https:// URL"
)
_URI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_AUTHORITY = re.compile(rf"(?P<scheme>{_URI.pattern})[^/?#]*@")


def redact(text: str) -> str:
    """Return text with asterisks in place of the secrets of the URIs in it.

    >>> redact("https://ann:pw@host/a.csv?X-Amz-Signature=0f3c&part=1 is missing")
    'https://***@host/a.csv?X-Amz-Signature=***&part=1 is missing'
    """
    is_uri = ":/" in text or ":\\" in text or "url: /" in text  # the last one without its host
    if is_uri and "@" in text:
        text = _PASSWORD.sub(rf"\g<scheme>{HIDDEN}@", text)
    if "=" in text and any(mark in text for mark in "?&;#"):
        secret = _SECRET_IN_URI if is_uri else _SECRET
        text = _PARAMETER.sub(lambda match: _hide_value(match, secret), text)
    lower = text.lower()
    return _HEADER.sub(rf"\g<name>{HIDDEN}", text) if any(name in lower for name in _HEADERS) else text


def _hide_value(parameter: re.Match[str], secret: re.Pattern[str]) -> str:
    is_secret = secret.fullmatch(unquote(parameter["word"]))
    return f"{parameter['name']}{HIDDEN}" if is_secret else parameter[0]


def without_secrets(uri: str) -> str:
    """Return a path or URI as it may be stored: without user, password, query and fragment; a plain path as it is.

    >>> without_secrets("https://ann:pw@host/a.csv?X-Amz-Signature=0f3c"), without_secrets("/data/a?b.csv")
    ('https://host/a.csv', '/data/a?b.csv')
    """
    if not _URI.match(uri) or uri.lower().startswith(("s3://", "file://")):
        return without_password(uri)
    parts = urlsplit(without_password(uri))
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def refuse_password(uri: str, name: str) -> None:
    """Refuse a URI with a user and password, which would be stored with the run.

    Args:
        uri: A path or URI.
        name: The argument, for the message.

    Raises:
        UsageError: for a URI with a password or token in front of its host.
    """
    if has_password(uri):
        raise UsageError(f"{name} {without_password(uri)}: {REFUSAL}")


def has_password(uri: str) -> bool:
    """Return whether a URI contains a user, a password or a token in front of its host.

    >>> has_password("https://ann:pw@host/a.csv"), has_password("s3://bucket/ann@host")
    (True, False)
    """
    return bool(_PASSWORD.match(uri) or _AUTHORITY.match(uri))


def without_password(uri: str) -> str:
    """Return a URI, and nothing else, without its secrets: in a text, blanks and quotation marks may end a password."""
    return redact(_AUTHORITY.sub(rf"\g<scheme>{HIDDEN}@", uri))
