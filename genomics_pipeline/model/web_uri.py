"""URLs of files on web servers: which are taken as inputs, their checksums, and the names of their files."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from genomics_pipeline.model.secrets import redact

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_NO_URL = re.compile(r"[^!-~]")  # what has to be percent-encoded, and http.client refuses
_CHECKSUM = re.compile(r"(?P<algorithm>md5|sha256)=(?P<digest>[0-9A-Fa-f]+)")
_DIGITS = {"md5": 32, "sha256": 64}


class WebFileUri(NamedTuple):
    """A file on a web server.

    Attributes:
        url: The URL that is asked for.
        algorithm: ``md5`` or ``sha256``, the kind of its checksum; None without one.
        digest: The checksum of its content in lower-case hexadecimal; None without one.
    """

    url: str
    algorithm: str | None = None
    digest: str | None = None


def is_web(uri: str) -> bool:
    """Return whether a URI is of a web server."""
    return uri.lower().startswith(("http://", "https://"))


def file_path(uri: str) -> str:
    """Return a path or URI, of a web server's the path alone, which ends with the file's name.

    >>> file_path("https://host/a_1.fastq.gz?download=1#md5=0f3c"), file_path("s3://b/a#1.fastq.gz")
    ('/a_1.fastq.gz', 's3://b/a#1.fastq.gz')
    """
    return urlsplit(uri).path if is_web(uri) else uri


def uri_beside(uri: str, ending: str) -> str:
    """Return the path or URI of the file that lies beside another, with an ending added to its name.

    >>> uri_beside("https://host/a.vcf.gz?part=1#md5=0f3c", ".tbi"), uri_beside("/data/a.vcf.gz", ".tbi")
    ('https://host/a.vcf.gz.tbi?part=1', '/data/a.vcf.gz.tbi')
    """
    if not is_web(uri):
        return uri + ending
    path, mark, query = uri.partition("#")[0].partition("?")
    return path + ending + mark + query


def split_checksum(uri: str) -> WebFileUri:
    """Return a URL and the checksum in its fragment, as `pip` has them (PyPA, "Simple repository API").

    >>> split_checksum("https://host/a.fq.gz#md5=9E107D9D372BB6826BD81D3542A419D6")
    WebFileUri(url='https://host/a.fq.gz', algorithm='md5', digest='9e107d9d372bb6826bd81d3542a419d6')
    """
    url, _, fragment = uri.partition("#")
    match = _CHECKSUM.fullmatch(fragment)
    return WebFileUri(url, match["algorithm"], match["digest"].lower()) if match else WebFileUri(url)


def web_misfit(uri: str) -> str | None:
    """Return what is wrong with the URL of an input, or None; other URIs and paths are not checked.

    >>> web_misfit("https://host/a.fq.gz"), web_misfit("s3://b/a.fq.gz")
    (None, None)
    """
    if not is_web(uri):
        return None
    if redact(uri) != uri:
        return "expected a URL without passwords and signatures, which would be stored with the run; download the file"
    if match := _NO_URL.search(uri):
        return f"expected a URL of visible ASCII characters, others percent-encoded, found {match[0]!r}"
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"expected a URL: {error}"
    if not host:
        return "expected a URL with a host"
    if parts.scheme == "http" and host not in LOOPBACK:
        return "expected https://, found http://, whose content could be changed on its way"
    return _checksum_misfit(parts.fragment)


def _checksum_misfit(fragment: str) -> str | None:
    match = _CHECKSUM.fullmatch(fragment)
    if not fragment or (match and len(match["digest"]) == _DIGITS[match["algorithm"]]):
        return None
    return f"expected #md5= or #sha256= with a checksum in hexadecimal behind the URL, found #{fragment}"
