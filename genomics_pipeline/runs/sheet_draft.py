"""A sample sheet of the FASTQ files below a folder: mates are found by names, and confirmed by their first reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.fastq_names import FASTQ_NAME, FastqName, MateToken, parse_fastq_name
from genomics_pipeline.model.sample import NAME
from genomics_pipeline.runs.fastq_head import read_head
from genomics_pipeline.runs.fastq_listing import FastqListing, list_fastq
from genomics_pipeline.runs.shared_modules import read_header
from genomics_pipeline.stores.protocol import Store

READERS = 16  # files opened at once
COLUMNS = ("patient", "sample", "lane", "fastq_1", "fastq_2")
_ENDINGS = ".fastq.gz, .fq.gz, .fastq, .fq"


@dataclass(frozen=True, slots=True)
class SheetDraft:
    """A sample sheet that was derived from files.

    Attributes:
        text: The sheet, as CSV.
        left_out: The files that are not in it, each with the reason.
    """

    text: str
    left_out: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class _File:
    """A FASTQ file.

    Attributes:
        uri: Its path or URI.
        name: The parts of its name.
        header: That of its first read; None if it has none.
    """

    uri: str
    name: FastqName
    header: read_header.ReadHeader | None

    @property
    def folder(self) -> str:
        """The path or URI of its folder."""
        return self.uri.rpartition("/")[0]


@dataclass(slots=True)
class _Family:
    """Files whose names differ in one number only, which may be that of the mates.

    Attributes:
        by_mate: The files by that number.
    """

    by_mate: dict[int, list[_File]] = field(default_factory=dict)

    def partner(self, file: _File, mate: int) -> _File | None:
        """Return the file of the mates of another one, if possible from its folder."""
        others = self.by_mate.get(3 - mate, []) if mate in (1, 2) else []
        return next((other for other in others if other.folder == file.folder), others[0] if others else None)

    def third(self, file: _File) -> _File | None:
        """Return a file of third reads, or of barcodes beside them, of the same templates as a file."""
        others = [one for mate, files in self.by_mate.items() if mate > 2 for one in files]
        return next((one for one in others if one.header is None or _agree(one.header, file.header)), None)


def init_sheet(prefix: str, store: Store, single_end: bool = False) -> SheetDraft:
    """Return a sample sheet of the FASTQ files below a folder or S3 prefix.

    Args:
        prefix: The folder's path, or the URI.
        store: The store of the files.
        single_end: Whether a file whose mates are missing holds single reads.

    Raises:
        DataError: if there are no FASTQ files; with all files whose sample or mates are doubtful.
    """
    listing = list_fastq(prefix if prefix.endswith("/") else f"{prefix}/", store)
    names = [(uri, parse_fastq_name(_stem(uri))) for uri in listing.files]
    used = [(uri, name) for uri, name in names if not (reason := _unused(name)) or _leave_out(listing, uri, reason)]
    with ThreadPoolExecutor(READERS) as readers:
        headers = readers.map(lambda uri: _first_header(uri, store), [uri for uri, _ in used])
        files = [_File(uri, name, header) for (uri, name), header in zip(used, headers, strict=True)]
    rows = _Rows(_families(files), single_end)
    for file in files:
        rows.add(file)
    problems = [*listing.problems, *rows.problems, *rows.incomplete()]
    if not rows.rows and not problems:
        left_out = listing.left_out or [Problem(f"expected FASTQ files ({_ENDINGS}), found none", prefix)]
        problems = left_out
    if problems:
        raise DataError(problems)
    return SheetDraft(_csv(rows.rows), listing.left_out)


def sample_of(uri: str) -> str:
    """Return the sample in the name of a file.

    >>> sample_of("reads/NA1_S1_L001_R1_001.fastq.gz"), sample_of("s3://b/NA1.md.bam")
    ('NA1', 'NA1')
    """
    base = uri.rsplit("/", 1)[-1]
    if not FASTQ_NAME.fullmatch(base):
        return base.split(".")[0]
    name = parse_fastq_name(_stem(uri))
    token = next((one for one in name.mate_tokens() if one.stands_alone), None)
    return name.sample_and_lane(token, None)[0]


def _stem(uri: str) -> str:
    match = FASTQ_NAME.fullmatch(uri.rsplit("/", 1)[-1])
    assert match is not None  # of a listing of FASTQ files
    return match["stem"] + (match["mate"] or "")


def _unused(name: FastqName) -> str | None:
    """Return why a file is not a sample's reads by its name; None if it is."""
    if word := name.no_sample:
        return f"reads that belong to no sample ({word})"
    if name.is_barcodes:
        return "index reads"
    if name.is_unpaired:
        return "reads that a trimmer left without their mates"
    return None


def _leave_out(listing: FastqListing, uri: str, reason: str) -> bool:
    listing.left_out.append(Problem(f"{reason}; left out", uri))
    return False


def _first_header(uri: str, store: Store) -> read_header.ReadHeader | None:
    """Return the header of a file's first read; None for a file that cannot be read, which other commands report."""
    try:
        lines = read_head(uri, store, 1).lines
    except DataError:
        return None
    return read_header.parse_header(lines[0]) if lines else None


def _families(files: Sequence[_File]) -> dict[str, _Family]:
    families: dict[str, _Family] = {}
    for file in files:
        for token in file.name.mate_tokens():
            families.setdefault(token.pattern, _Family()).by_mate.setdefault(token.mate, []).append(file)
    return families


def _agree(one: read_header.ReadHeader | None, other: read_header.ReadHeader | None) -> bool:
    return one is not None and other is not None and one.name == other.name


class _Rows:
    """The rows of the sheet, by sample and lane, and the problems on the way.

    Args:
        families: The files whose names differ in one number, by their common pattern.
        single_end: Whether a file whose mates are missing holds single reads.
    """

    def __init__(self, families: Mapping[str, _Family], single_end: bool) -> None:
        self._families, self._single_end = families, single_end
        self.rows: dict[tuple[str, str], dict[str, str]] = {}
        self.problems: list[Problem] = []
        self._first_files: dict[str, str] = {}  # by the name of the first read

    def add(self, file: _File) -> None:
        """Add a file as the first reads, the mates or the single reads of its sample and lane."""
        token = self._mate_token(file)
        family = self._families[token.pattern] if token else _Family()
        partner = family.partner(file, token.mate) if token else None
        if token is None:
            self._add_row(file, None, "fastq_1")
        elif token.mate > 2 or family.third(file):
            if token.mate > 2:
                advice = (
                    "write the two files with the mates into a sheet by hand: the second of three often holds barcodes"
                )
                self._refuse(file, f"expected two files of mates, found a third; {advice}")
        elif partner is None:
            self._add_alone(file, token)
        elif problem := _partner_problem(file, partner, token):
            if self._single_end:
                self._add_row(file, None, "fastq_1")
            elif token.mate == 2:
                self._refuse(file, f"{problem}, in {partner.uri}; if these are single reads, use --single-end")
        else:
            self._add_row(file, token, f"fastq_{token.mate}")

    def _mate_token(self, file: _File) -> MateToken | None:
        """Return the part of a file's name that says which mates it holds; None for a file of single reads."""
        tokens = [token for token in file.name.mate_tokens() if not self._is_numbering(file, token)]
        paired = [token for token in tokens if self._has_agreeing_partner(file, token)]
        related = [token for token in tokens if self._has_relatives(file, token) and (token.is_strong or token.is_last)]
        alone = [token for token in tokens if token.stands_alone]
        return next(iter([*paired, *related, *alone]), None)

    def _has_agreeing_partner(self, file: _File, token: MateToken) -> bool:
        partner = self._families[token.pattern].partner(file, token.mate)
        return partner is not None and _agree(file.header, partner.header)

    def _has_relatives(self, file: _File, token: MateToken) -> bool:
        """Return whether there is a file of the mates, or of first reads where this one is of third reads."""
        family = self._families[token.pattern]
        return family.partner(file, token.mate) is not None or (
            token.mate > 2 and not family.by_mate.keys().isdisjoint({1, 2})
        )

    def _is_numbering(self, file: _File, token: MateToken) -> bool:
        """Return whether a number counts samples: it goes beyond two, and no two of the files hold the same reads."""
        by_mate = self._families[token.pattern].by_mate
        if max(by_mate) <= 2:
            return False
        if token.mate > 2 and by_mate.keys().isdisjoint({1, 2}):
            return True
        names = [one.header.name for files in by_mate.values() for one in files if one.header]
        return len(names) == sum(map(len, by_mate.values())) and len(set(names)) == len(names)

    def _add_alone(self, file: _File, token: MateToken) -> None:
        sample, lane = _sample_and_lane(file, token)
        if self._single_end and token.mate == 1:
            self._add_row(file, token, "fastq_1")
        elif token.mate == 1:
            advice = "if these are single reads, use --single-end"
            self._refuse(file, f"expected the second reads of sample {sample}, lane {lane or 'L001'} too; {advice}")
        else:
            self._refuse(file, f"expected the first reads of sample {sample}, lane {lane or 'L001'} too")

    def _add_row(self, file: _File, token: MateToken | None, column: str) -> None:
        sample, lane = _sample_and_lane(file, token)
        if not NAME.fullmatch(sample):
            rule = "expected a name of letters, digits, '.', '_' and '-' for a sample"
            self._refuse(file, f"{rule}, found {sample!r}")
            return
        row = self.rows.setdefault((sample, lane or "L001"), {})
        if column in row:
            self._refuse(file, f"expected one {column} of sample {sample} in a lane, found {row[column]} too")
        elif file.header and file.header.is_unique:
            self._refuse_same_reads(file, row)
        row.setdefault(column, file.uri)

    def _refuse_same_reads(self, file: _File, row: Mapping[str, str]) -> None:
        """Refuse a file with the reads of a file of another row: mates whose names do not say so, or copies."""
        assert file.header is not None
        first = self._first_files.setdefault(file.header.name, file.uri)
        if first != file.uri and first not in row.values():
            advice = "if these are mates, write them into a sheet by hand; if they are copies, remove one"
            self._refuse(file, f"expected reads that no other file has, found those of {first}; {advice}")

    def _refuse(self, file: _File, message: str) -> None:
        self.problems.append(Problem(message, file.uri))

    def incomplete(self) -> Iterator[Problem]:
        """Yield a problem for each row without first reads."""
        for (sample, lane), row in self.rows.items():
            if "fastq_1" not in row:
                yield Problem(f"expected the first reads of sample {sample}, lane {lane} too", row["fastq_2"])


def _partner_problem(file: _File, partner: _File, token: MateToken) -> str | None:
    """Return why a file and the one whose name fits are no mates; None if they may be."""
    first, second = (file, partner) if token.mate == 1 else (partner, file)
    return read_header.mates_problem(first.header, second.header) if first.header and second.header else None


def _sample_and_lane(file: _File, token: MateToken | None) -> tuple[str, str | None]:
    """Return the names of a file's sample and lane; the folder's where the file's has the number of the mates only."""
    sample, lane = file.name.sample_and_lane(token, file.header.lane if file.header else None)
    return sample or file.folder.rpartition("/")[2], lane


def _csv(rows: Mapping[tuple[str, str], Mapping[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for (sample, lane), row in sorted(rows.items()):
        writer.writerow({"patient": sample, "sample": sample, "lane": lane, **row})
    return text.getvalue()
