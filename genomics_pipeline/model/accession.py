"""Accessions of reads in the public archives (ENA, SRA, DRA), and the files of their runs in ENA's reports."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from genomics_pipeline.model.errors import DataError

ENA = "https://www.ebi.ac.uk/ena/portal/api"
# ENA, "Accession numbers" (ena-docs.readthedocs.io): runs, experiments and samples, also BioSamples.
ACCESSION = re.compile(r"[EDS]R[RXS]\d{6,}|SAM(?:N|D|EA)\d+")
_FIELDS = ("run_accession", "fastq_ftp", "fastq_md5")
_RUN = re.compile(r"[EDS]RR\d{6,}")
_MD5 = re.compile(r"[0-9a-f]{32}")
_PLACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]*/[!-\"$-~]+")


class ArchivedRun(NamedTuple):
    """A run with its FASTQ files.

    Attributes:
        accession: Its accession.
        fastq_1: The URL of the reads, or of the first ones of pairs, with its checksum.
        fastq_2: That of their mates; None for one file.
    """

    accession: str
    fastq_1: str
    fastq_2: str | None


def report_url(accession: str, portal: str) -> str:
    """Return the URL of the report on the files of an accession's runs.

    Args:
        accession: The accession.
        portal: The URL of ENA's portal API.

    >>> report_url("SRR16298157", ENA)
    'https://www.ebi.ac.uk/ena/portal/api/filereport?accession=SRR16298157&result=read_run&fields=run_accession%2Cfastq_ftp%2Cfastq_md5&format=json'
    """
    query = {"accession": accession, "result": "read_run", "fields": ",".join(_FIELDS), "format": "json"}
    return f"{portal.rstrip('/')}/filereport?{urlencode(query)}"


def parse_report(text: bytes, accession: str, scheme: str) -> list[ArchivedRun]:
    """Return the runs of a report, in the order of their accessions.

    The files of a run are listed between semicolons, without a scheme. A pair may be followed or preceded by a third
    file, with reads that have no mates, which is left out: ENA, "Archive Generated Run Files".

    Args:
        text: The report in JSON; empty for an accession without runs.
        accession: What was asked for.
        scheme: ``https``, by which the files are read.

    Raises:
        DataError: without runs or FASTQ files, and for a report of another form.
    """
    try:
        rows = json.loads(text) if text.strip() else []
        values = [{name: row[name] for name in _FIELDS} for row in rows]
    except (ValueError, RecursionError, TypeError, KeyError):
        raise _unexpected(accession) from None
    if not values:
        raise DataError(
            f"expected a public run, experiment or sample, found none at ENA with the accession {accession}"
        )
    return sorted(_archived_run(one, accession, scheme) for one in values)


def _archived_run(row: Mapping[str, Any], accession: str, scheme: str) -> ArchivedRun:
    if not all(isinstance(value, str) for value in row.values()) or not _RUN.fullmatch(row["run_accession"]):
        raise _unexpected(accession)
    run = row["run_accession"]
    places, sums = ([part for part in row[name].split(";") if part] for name in ("fastq_ftp", "fastq_md5"))
    if not places:
        message = f"expected FASTQ files of {run} at ENA, found none; convert its files of the SRA and name them"
        raise DataError(f"{message} as fastq_1 and fastq_2")
    if len(places) != len(sums) or not all(map(_PLACE.fullmatch, places)) or not all(map(_MD5.fullmatch, sums)):
        raise _unexpected(accession)
    urls = {place.rpartition("/")[2]: f"{scheme}://{place}#md5={md5}" for place, md5 in zip(places, sums, strict=True)}
    pair = [urls.get(f"{run}_{mate}.fastq.gz") for mate in (1, 2)]
    if pair[0] and pair[1]:
        return ArchivedRun(run, pair[0], pair[1])
    if len(urls) == 1:
        return ArchivedRun(run, next(iter(urls.values())), None)
    raise DataError(f"expected one FASTQ file of {run} at ENA, or a pair, found {', '.join(urls)}; name them yourself")


def _unexpected(accession: str) -> DataError:
    return DataError(f"expected ENA's report on the files of {accession}, found something else; try again later")
