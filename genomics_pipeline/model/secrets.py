"""Secrets in URIs: passwords, and the signatures and tokens of presigned URLs."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from genomics_pipeline.model.errors import UsageError

HIDDEN = "***"

# The password of a URI, up to the last "@" before its path; a token alone before the "@" is one too, and a password may
# hold a "/" that should have been quoted (many of AWS do), but what follows a port is a path.
_PASSWORD = re.compile(
    r"(?P<scheme>\b[a-zA-Z][a-zA-Z0-9+.-]*://)(?:[^\s/?#'\"<>]+@|[^\s/?#:@'\"<>]+:(?!\d+[/?#])[^\s@'\"<>]+@)"
)
# Parameters of a query whose value gives access: AWS (X-Amz-…), Google (X-Goog-…), Azure (sig), and the usual names.
_PARAMETER = re.compile(
    r"(?P<name>[?&;#](?:x-amz-[a-z-]+|x-goog-[a-z-]+|awsaccesskeyid|signature|sig|[a-z_-]*token|api[_-]?key|key|"
    r"[a-z_-]*secret|password|passwd|pwd|auth|authorization|credentials?|code)=)[^\s&;#'\"<>\\]*",
    re.IGNORECASE,
)
# What is wrong with a URI that has a password, and what to do.
REFUSAL = (
    "expected a URI without user and password, which would be stored with the run; download the file first, "
    "or use AWS's credentials (s3://) or a presigned https:// URL"
)
_URI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")


def redact(text: str) -> str:
    """Return text with asterisks in place of the secrets of the URIs in it.

    >>> redact("https://ann:pw@host/a.csv?X-Amz-Signature=0f3c&part=1 is missing")
    'https://***@host/a.csv?X-Amz-Signature=***&part=1 is missing'
    """
    if "://" not in text:
        return text
    text = _PASSWORD.sub(rf"\g<scheme>{HIDDEN}@", text)
    return _PARAMETER.sub(rf"\g<name>{HIDDEN}", text)


def without_secrets(uri: str) -> str:
    """Return a path or URI as it may be stored: without user, password, query and fragment; a plain path as it is.

    >>> without_secrets("https://ann:pw@host/a.csv?X-Amz-Signature=0f3c"), without_secrets("/data/a?b.csv")
    ('https://host/a.csv', '/data/a?b.csv')
    """
    if not _URI.match(uri) or uri.lower().startswith(("s3://", "file://")):
        return redact(uri)
    parts = urlsplit(uri)
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
        raise UsageError(f"{name} {redact(uri)}: {REFUSAL}")


def has_password(uri: str) -> bool:
    """Return whether a URI contains a user, a password or a token in front of its host.

    >>> has_password("https://ann:pw@host/a.csv"), has_password("s3://bucket/ann@host")
    (True, False)
    """
    return bool(_PASSWORD.match(uri))
