"""The FASTQ files below a folder or an S3 prefix, each once, and what was left out."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from genomics_pipeline.model.errors import Problem
from genomics_pipeline.model.fastq_names import FASTQ_NAME, OTHER_FASTQ_NAME
from genomics_pipeline.stores.protocol import Store


@dataclass(slots=True)
class FastqListing:
    """The FASTQ files that were found.

    Attributes:
        files: Their paths or URIs, in order.
        left_out: Files and folders that were left out, each with the reason.
        problems: Files and folders that cannot be read.
    """

    files: list[str] = field(default_factory=list)
    left_out: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, uri: str) -> None:
        """Add a file if its name is that of a FASTQ file."""
        name = uri.rsplit("/", 1)[-1]
        if FASTQ_NAME.fullmatch(name):
            self.files.append(uri)
        elif OTHER_FASTQ_NAME.fullmatch(name):
            expected = "expected a name ending in .fastq.gz, .fq.gz, .fastq.bgz, .fq.bgz, .fastq or .fq"
            self.left_out.append(Problem(f"{expected}; left out", uri))


def list_fastq(folder: str, store: Store) -> FastqListing:
    """Return the FASTQ files below a folder, whose path or URI ends with a slash.

    Links to folders are followed, and each folder and file is taken once, however many links lead to it.
    """
    listing = FastqListing()
    local = store.local(folder)
    if local is None:
        for info in store.list(folder):
            if not _leave_out_hidden(listing, info.uri, info.uri.removeprefix(folder)):
                listing.add(info.uri)
    else:
        _Walk(listing).walk(local)
    listing.files.sort()
    return listing


class _Walk:
    """A walk through the folders of this machine; linked ones come last, so that a file is listed by its own path."""

    def __init__(self, listing: FastqListing) -> None:
        self._listing = listing
        self._seen: dict[tuple[int, int], str] = {}
        self._links: list[os.DirEntry[str]] = []

    def walk(self, folder: Path) -> None:
        """Add the files below a folder to the listing."""
        pending = [str(folder)]
        links: list[str] = []
        while pending or links:
            folders, linked = self._read(pending.pop() if pending else links.pop(0))
            pending += folders
            links += linked
        for entry in self._links:
            self._add(entry)

    def _read(self, folder: str) -> tuple[list[str], list[str]]:
        """Add the files of a folder; return its folders, and the links to other folders."""
        folders: list[str] = []
        links: list[str] = []
        try:
            if not self._is_new(folder, Path(folder).stat()):
                return [], []
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            message = f"expected a folder that can be read: {error.strerror}"
            self._listing.problems.append(Problem(message, folder))
            return [], []
        for entry in entries:
            if _leave_out_hidden(self._listing, entry.path, entry.name):
                continue
            if _is_folder(entry):
                (links if entry.is_symlink() else folders).append(entry.path)
            elif entry.is_symlink():
                self._links.append(entry)
            else:
                self._add(entry)
        return folders, links

    def _add(self, entry: os.DirEntry[str]) -> None:
        if not OTHER_FASTQ_NAME.fullmatch(entry.name):
            return
        try:
            is_file, status = entry.is_file(), entry.stat()
        except OSError as error:
            message = f"expected a file, found a link that leads to none: {error.strerror}"
            self._listing.problems.append(Problem(message, entry.path))
            return
        if is_file and self._is_new(entry.path, status):
            self._listing.add(entry.path)

    def _is_new(self, path: str, status: os.stat_result) -> bool:
        """Return whether a file or folder has not been taken yet; report one that has."""
        first = self._seen.setdefault((status.st_dev, status.st_ino), path)
        if first == path:
            return True
        name, other = path.rsplit("/", 1)[-1], first.rsplit("/", 1)[-1]
        is_file = Path(path).is_file()
        if is_file and name != other:
            message = f"expected each file once, found {first} under another name; remove one of the two"
            self._listing.problems.append(Problem(message, path))
        else:
            self._listing.left_out.append(
                Problem(f"the same {'file' if is_file else 'folder'} as {first}; left out", path)
            )
        return False


def _leave_out_hidden(listing: FastqListing, uri: str, path: str) -> bool:
    """Return whether a file or folder is hidden: a copy that systems keep, as in ``.snapshot``, or notes about a file.

    Args:
        listing: Gets a line about a hidden FASTQ file.
        uri: The file or folder.
        path: Its path below the folder that is listed.
    """
    hidden = any(part.startswith(".") for part in path.split("/"))
    if hidden and OTHER_FASTQ_NAME.fullmatch(uri.rpartition("/")[2]):
        listing.left_out.append(Problem("hidden; left out", uri))
    return hidden


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a loop of links, which is reported if it has the name of a FASTQ file
        return False
