"""Whole files of this machine, read within a budget."""

from __future__ import annotations

import os
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from genomics_pipeline.model.budgets import Budget
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.stores.durable import READ
from genomics_pipeline.stores.protocol import IrregularFile, OversizedObject


def read_bounded(stream: BinaryIO, budget: Budget, name: str) -> bytes:
    """Return the rest of a stream.

    Args:
        stream: The stream.
        budget: The greatest number of bytes.
        name: The name of the stream, for messages.

    Raises:
        OversizedObject: if it is longer.
    """
    data = stream.read(budget.value + 1)
    if len(data) > budget.value:
        raise OversizedObject(name, budget)
    return data


def open_plain_file(path: Path) -> BinaryIO:
    """Open a file that another program writes, which may have put anything in its place; nothing is waited for.

    Raises:
        IrregularFile: for a named pipe, a socket or a device.
        OSError: for a link, and where it cannot be opened.
    """
    stream = os.fdopen(os.open(path, READ | os.O_NONBLOCK), "rb")
    if not S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise IrregularFile(path)
    return stream


def read_plain_file(path: Path, budget: Budget) -> bytes:
    """Return the content of a file as `open_plain_file` opens it.

    Args:
        path: The file.
        budget: The greatest number of bytes.

    Raises:
        OversizedObject: if it is longer.
        IrregularFile: see `open_plain_file`.
        OSError: likewise.
    """
    with open_plain_file(path) as stream:
        return read_bounded(stream, budget, str(path))


def read_bounded_text(file: Path, budget: Budget) -> str:
    """Return the text of a file in UTF-8.

    Args:
        file: The file.
        budget: The greatest number of bytes.

    Raises:
        OversizedObject: if it is longer.
        DataError: if it is not UTF-8.
        OSError: if it cannot be read.
    """
    with file.open("rb") as stream:
        data = read_bounded(stream, budget, str(file))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: expected UTF-8, found byte {error.start} that is not") from None
