"""URIs of S3: the bucket and the key of ``s3://BUCKET/KEY``, and what cannot be one."""

from __future__ import annotations

import re

from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import DataError

SCHEME = "s3://"

# Old buckets have names that S3 gives to no new one, such as with capitals: what boto3 accepts is accepted.
_BUCKET = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,255}")


def split_prefix(uri: str) -> tuple[str, str]:
    """Return the bucket and the key of a URI, whose key may be empty.

    >>> split_prefix("s3://reads/run-1/"), split_prefix("s3://reads")
    (('reads', 'run-1/'), ('reads', ''))

    Raises:
        DataError: if no bucket can have such a name, or no object such a key.
    """
    bucket, key = _parts(uri)
    if message := _prefix_misfit(bucket, key):
        raise DataError(f"{uri}: {message}")
    return bucket, key


def split_object(uri: str) -> tuple[str, str]:
    """Return the bucket and the key of an object's URI.

    >>> split_object("s3://reads/run-1/a_R1.fastq.gz")
    ('reads', 'run-1/a_R1.fastq.gz')

    Raises:
        DataError: if it has no bucket or no key, or one that S3 cannot have.
    """
    if message := object_misfit(uri):
        raise DataError(f"{uri}: {message}")
    return _parts(uri)


def object_misfit(uri: str) -> str | None:
    """Return what is wrong with the URI of an object in S3, or None; other URIs and paths are not checked.

    >>> object_misfit("s3://reads"), object_misfit("/reads/a.fastq")
    ('expected s3://BUCKET/KEY, found no key after the bucket', None)
    """
    if not uri.startswith(SCHEME):
        return None
    bucket, key = _parts(uri)
    missing = None if key else f"expected {SCHEME}BUCKET/KEY, found no key after the bucket"
    return _prefix_misfit(bucket, key) or missing


def _parts(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix(SCHEME).partition("/")
    return bucket, key


def _prefix_misfit(bucket: str, key: str) -> str | None:
    if not _BUCKET.fullmatch(bucket):
        found = f"the name {bucket!r}" if bucket else "none"
        return f"expected a bucket of letters, digits, '.', '_' and '-' after {SCHEME}, found {found}"
    size = len(key.encode(errors="surrogateescape"))
    if size > quotas.OBJECT_KEY.value:
        return f"expected a key of at most {quotas.OBJECT_KEY}, found {size}"
    return None
