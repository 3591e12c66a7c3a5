"""Names and keys from outside that become paths: the one place where they are checked.

A name is one part of a path, a key several parts with ``/`` between them. A plain one leads nowhere but below the
folder that it is joined to, on every system, and can be shown on a terminal.
"""

from __future__ import annotations

import re

from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.printable import has_control
from genomics_pipeline.model.web_uri import file_path

NAME_BYTES = 255  # of a file's name, on nearly all file systems

_ORDINARY_NAME = re.compile(r"\w[\w.+-]*", re.ASCII)
_ORDINARY_KEY = re.compile(r"\w[\w.+-]*(?:/\w[\w.+-]*)*", re.ASCII)
_DRIVE = re.compile(r"[A-Za-z]:")  # of Windows


def is_plain_name(name: str) -> bool:
    r"""Return whether a name is one part of a path.

    >>> is_plain_name("NA12878.md.cram"), is_plain_name(".."), is_plain_name("a/b"), is_plain_name("C:")
    (True, False, False, False)
    """
    if len(name) <= NAME_BYTES and _ORDINARY_NAME.fullmatch(name):  # as nearly all are
        return True
    return (
        len(name) <= NAME_BYTES
        and name not in ("", ".", "..")
        and not {"/", "\\"} & set(name)
        and not name.startswith("~")
        and not _DRIVE.fullmatch(name)
        and not has_control(name)
        and len(name.encode()) <= NAME_BYTES
    )


def is_plain_key(key: str, below: str = "") -> bool:
    """Return whether a key consists of plain names.

    Args:
        key: The key.
        below: What it must begin with: empty, or a prefix that ends in ``/``.

    >>> is_plain_key("results/a.vcf.gz", "results/"), is_plain_key("results//etc/passwd"), is_plain_key("a/../../b")
    (True, False, False)
    """
    if len(key) <= NAME_BYTES and _ORDINARY_KEY.fullmatch(key):  # as nearly all are
        return key.startswith(below)
    names = key.removeprefix(below).split("/")
    return key.startswith(below) and all(map(is_plain_name, names)) and len(key.encode()) <= quotas.OBJECT_KEY.value


def plain_key(key: str, below: str = "") -> str:
    """Return a key that is about to become a path.

    Args:
        key: The key.
        below: See `is_plain_key`.

    Raises:
        DataError: if it does not consist of plain names.
    """
    if not is_plain_key(key, below):
        raise DataError(f"{key!r}: expected a key of plain names{f' below {below}' if below else ''}")
    return key


def file_name(uri: str) -> str:
    """Return the name of the local copy of an object.

    >>> file_name("s3://reads/run-1/a_R1.fastq.gz")
    'a_R1.fastq.gz'
    >>> file_name("https://host/a_1.fastq.gz?download=1")
    'a_1.fastq.gz'

    Raises:
        DataError: if the last part of its key is no name of a file.
    """
    path = file_path(uri)
    name = (path.partition("://")[2] or path).rpartition("/")[2]
    if not is_plain_name(name):
        expected = f"expected an object whose last part can be the name of a file, at most {NAME_BYTES} bytes"
        raise DataError(f"{uri}: {expected}, found {name!r}")
    return name
