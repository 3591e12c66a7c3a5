"""Sample sheets: rows with the columns of nf-core/sarek, read as samples with lanes; all errors at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from genomics_pipeline.model import budgets
from genomics_pipeline.model.accession import ACCESSION
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.fastq_names import FASTQ_NAME
from genomics_pipeline.model.parameters import absolute_uri
from genomics_pipeline.model.printable import has_control
from genomics_pipeline.model.sample import AS_ALIGNED, NAME, READ_COLUMNS, Lane, Sample
from genomics_pipeline.model.secrets import REFUSAL, has_password, without_password
from genomics_pipeline.model.sheet import INPUT_COLUMNS, Row, ignore, one_of, read_rows
from genomics_pipeline.model.web_uri import file_path, is_web, web_misfit

SEXES = ("XX", "XY", "NA")
STATUSES = ("0", "1")
STARTS = ("alignment", AS_ALIGNED)
_FASTQ = (FASTQ_NAME, ".fastq, .fq, .fastq.gz, .fq.gz, .fastq.bgz or .fq.bgz")
FILE_NAMES = {
    "fastq_1": _FASTQ,
    "fastq_2": _FASTQ,
    "bam": (re.compile(r".+\.bam", re.DOTALL | re.IGNORECASE), ".bam"),
    "gvcf": (re.compile(r".+\.g?vcf\.b?gz", re.DOTALL | re.IGNORECASE), ".vcf.gz, .vcf.bgz, .gvcf.gz or .gvcf.bgz"),
    "cram": (re.compile(r".+\.cram", re.DOTALL | re.IGNORECASE), ".cram"),
}
DEFAULTS = {"sex": "NA", "status": "0", "lane": "L001"}


@dataclass(slots=True)
class _SampleRows:
    """The rows of one sample that have been read."""

    first: Row
    lanes: dict[str, tuple[int, Lane]] = field(default_factory=dict)
    gvcf: str | None = None


def parse_sheet(
    text: str,
    name: str,
    base: str,
    warn: Callable[[Problem], None] = ignore,
    follow: Callable[[str], str] = str,
    lines: Sequence[int] | None = None,
) -> list[Sample]:
    """Return the samples of a sheet, in the order of their first rows.

    Args:
        text: The sheet's text.
        name: Its path or URI, for messages; the extension tells CSV, TSV and JSON Lines apart.
        base: The folder or URI that relative paths of files are relative to.
        warn: Takes what is not used of the sheet, once for each column.
        follow: Returns an absolute path without ``..``, as the system resolves it.
        lines: The number of each line, where the text has some lines of a sheet only; None for a whole sheet.

    Raises:
        DataError: with all problems, in source order.
    """

    def locate(path: str) -> str:
        return follow(absolute_uri(path, base))

    def numbered(row: Row | Problem) -> Row | Problem:
        return replace(row, line=lines[row.line - 1]) if lines is not None and row.line is not None else row

    problems: list[Problem] = []
    samples: dict[str, _SampleRows] = {}
    files: dict[str, int] = {}
    for row in map(numbered, read_rows(text, name, warn)):
        if isinstance(row, Problem):
            problems.append(row)
        else:
            problems += [*_row_problems(row, name, base)] or [*_join(row, samples, files, name, locate)]
        if len(problems) >= budgets.SHEET_ERRORS.value:
            message = f"found {budgets.SHEET_ERRORS} up to here; the rest of the sheet was not checked"
            problems.append(Problem(message, name, row.line))
            break
    if not samples and not problems and lines is None:
        problems.append(Problem("expected at least one sample, found none", name))
    if problems:
        raise DataError(sorted(problems, key=lambda problem: problem.line or 0))
    return [_sample(one) for one in samples.values()]


def manifest_lines(samples: Iterable[Sample]) -> Iterator[str]:
    """Return the lines of ``manifest.jsonl``: compact JSON for each sample that has reads."""
    return _lines(sample for sample in samples if sample.gvcf is None)


def gvcf_lines(samples: Iterable[Sample]) -> Iterator[str]:
    """Return the lines of ``gvcfs.jsonl``: compact JSON for each sample that has a gVCF."""
    return _lines(sample for sample in samples if sample.gvcf is not None)


def _lines(samples: Iterable[Sample]) -> Iterator[str]:
    return (json.dumps(one.to_json(), ensure_ascii=False, separators=(",", ":")) + "\n" for one in samples)


def _row_problems(row: Row, file: str, base: str) -> Iterator[Problem]:
    """Yield the problems of one row by itself, column by column."""
    for column, value in row.values.items():
        if message := _misfit(column, value, base):
            yield Problem(message, file, row.line, column)
    if not row.values.get("sample"):
        yield Problem("expected a value, found none; sample is required", file, row.line, "sample")
    given = [column for column in INPUT_COLUMNS if row.values.get(column)]
    if not given:
        yield Problem(f"expected a file in {one_of(INPUT_COLUMNS)}, found none", file, row.line, "fastq_1")
    elif len(given) > 1:
        yield Problem(
            f"expected one of {', '.join(INPUT_COLUMNS)}, found {' and '.join(given)}", file, row.line, given[1]
        )
    elif given != ["fastq_1"] and row.values.get("fastq_2"):
        yield Problem(f"expected fastq_2 beside fastq_1 only, found it beside {given[0]}", file, row.line, "fastq_2")
    elif message := _start_misfit(row.values.get("start"), given[0]):
        yield Problem(message, file, row.line, "start")


def _start_misfit(start: str | None, column: str) -> str | None:
    """Return why a file does not start where its row says; None if it does.

    Args:
        start: The value of the row.
        column: The column of its file.
    """
    if start == AS_ALIGNED and column not in ("bam", "cram"):
        return f"expected a bam or cram that is aligned beside {AS_ALIGNED}, found {column}"
    if start in STARTS and column == "gvcf":
        return f"expected no start of a sample with a gVCF, which starts at joint calling, found {start}"
    return None


def _misfit(column: str, value: str, base: str) -> str | None:
    """Return what is wrong with a value that is not empty, or None."""
    if value == "":
        return None
    if column in ("sample", "patient", "lane", "library") and not NAME.fullmatch(value):
        rule = "a name of letters, digits, '.', '_' and '-', beginning with a letter or digit, at most 64 characters"
        return f"expected {rule}, found {value!r}"
    if column == "sex" and value not in SEXES:
        return f"expected one of {', '.join(SEXES)}, found {value!r}"
    if column == "status" and value not in STATUSES:
        return f"expected 0 (normal) or 1 (tumour), found {value!r}"
    if column == "start" and value not in STARTS:
        return f"expected one of {', '.join(STARTS)}, found {value!r}"
    if column == "accession" and not ACCESSION.fullmatch(value):
        examples = "a run (SRR…, ERR…, DRR…), an experiment (SRX…) or a sample (SRS…, SAMN…)"
        return f"expected the accession of {examples}, found {value!r}"
    return _file_misfit(column, value, base) if column in FILE_NAMES else None


def _file_misfit(column: str, value: str, base: str) -> str | None:
    uri = absolute_uri(value, base)
    scheme = uri.partition("://")[0] if "://" in uri else "file"
    if has_password(uri):
        return f"{REFUSAL}: {without_password(uri)}"
    if message := web_misfit(uri):
        return f"{message}: {without_password(uri)}"
    if scheme not in ("file", "s3") and not is_web(uri):
        return f"expected a path, an s3:// URI or an https:// URL, found {uri!r}"
    if has_control(value):
        return f"expected a path without control characters, found {value!r}"
    pattern, endings = FILE_NAMES[column]
    return (
        None
        if pattern.fullmatch(file_path(uri) if is_web(uri) else value)
        else f"expected a file ending in {endings}, found {value!r}"
    )


def _join(
    row: Row, samples: dict[str, _SampleRows], files: dict[str, int], file: str, locate: Callable[[str], str]
) -> Iterator[Problem]:
    """Add a valid row to its sample; yield what contradicts itself or earlier rows.

    Args:
        row: The row.
        samples: The samples so far.
        files: The line of each file so far.
        file: The sheet.
        locate: Returns the absolute path or URI of a file.
    """
    name = row.values["sample"]
    sample = samples.setdefault(name, _SampleRows(row))
    for column in ("patient", "sex", "status"):
        here, there = _value(row, column), _value(sample.first, column)
        if here != there:
            where = f"on line {sample.first.line}"
            yield Problem(f"expected {there!r} as {where} of sample {name}, found {here!r}", file, row.line, column)
    accession = row.values.get("accession") or None
    lane = row.values.get("lane") or accession or _value(row, "lane")
    if lane in sample.lanes:
        line, _ = sample.lanes[lane]
        yield Problem(
            f"expected a unique lane, found {lane!r} of sample {name} again (first on line {line})",
            file,
            row.line,
            "lane",
        )
    paths = {column: locate(value) for column in (*READ_COLUMNS, "gvcf") if (value := row.values.get(column))}
    if paths.get("fastq_1") == paths.get("fastq_2", ""):
        second = row.values["fastq_2"]
        yield Problem(f"expected the mates of fastq_1, found the same file: {second}", file, row.line, "fastq_2")
    for column, path in paths.items():
        if files.setdefault(path, row.line) != row.line:
            yield Problem(
                f"expected each file once, found it on line {files[path]} too: {path}", file, row.line, column
            )
    yield from _other_rows(row, sample.first, file)
    sample.gvcf = sample.gvcf or paths.pop("gvcf", None)
    library = row.values.get("library") or None
    start = AS_ALIGNED if row.values.get("start") == AS_ALIGNED else None
    one = Lane(lane, library=library, line=row.line, accession=accession, start=start, **paths)
    sample.lanes.setdefault(lane, (row.line, one))


def _other_rows(row: Row, first: Row, file: str) -> Iterator[Problem]:
    """Yield a problem if a sample has several rows, of which one must be the only one.

    Args:
        row: A row of the sample.
        first: Its first row.
        file: The sheet.
    """
    if row.line == first.line:
        return
    found = f"found {row.values['sample']} on line {first.line} too"
    if row.values.get("gvcf") or first.values.get("gvcf"):
        expected = f"expected one row of a sample with a gVCF, {found}"
        yield Problem(f"{expected}: its reads are in the gVCF", file, row.line, "gvcf")
    elif AS_ALIGNED in (row.values.get("start"), first.values.get("start")):
        expected = f"expected one row of a sample that starts at {AS_ALIGNED}, {found}"
        yield Problem(f"{expected}; join its files with `samtools merge`", file, row.line, "start")


def _value(row: Row, column: str) -> str:
    return row.values.get(column) or DEFAULTS.get(column) or row.values["sample"]


def _sample(rows: _SampleRows) -> Sample:
    values: Mapping[str, str] = {
        column: _value(rows.first, column) for column in ("sample", "patient", "sex", "status")
    }
    lanes = () if rows.gvcf else tuple(lane for _, lane in rows.lanes.values())
    status, line = int(values["status"]), rows.first.line
    return Sample(values["sample"], values["patient"], values["sex"], status, lanes, rows.gvcf, line)
