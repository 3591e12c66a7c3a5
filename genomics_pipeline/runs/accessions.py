"""The accessions of a sample sheet, resolved to the URLs of their FASTQ files before the first job."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from genomics_pipeline.model import budgets
from genomics_pipeline.model.accession import ArchivedRun, parse_report, report_url
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.sample import Lane, Sample
from genomics_pipeline.model.web_uri import file_path
from genomics_pipeline.stores.protocol import MissingObject

ASKED_AT_ONCE = 4  # ENA allows 50 requests a second
PAUSES_S = (1.0, 3.0)  # before an accession is asked for again

Runs = Sequence[ArchivedRun]


def known_runs(items: Iterable[Mapping[str, Any]]) -> dict[str, list[ArchivedRun]]:
    """Return the runs of each accession that the items of an earlier manifest name.

    Args:
        items: The items of ``manifest.jsonl``.
    """
    known: dict[str, list[ArchivedRun]] = {}
    for lane in (lane for item in items for lane in item["lanes"] if "accession" in lane):
        run = PurePosixPath(file_path(lane["fastq_1"])).name.partition(".")[0].partition("_")[0]
        known.setdefault(lane["accession"], []).append(ArchivedRun(run, lane["fastq_1"], lane["fastq_2"]))
    return known


def with_runs(
    samples: Sequence[Sample],
    sheet: str,
    portal: str,
    known: Mapping[str, Runs],
    pause: Callable[[float], object] = time.sleep,
) -> list[Sample]:
    """Return samples with the FASTQ files of their accessions; a lane of several runs becomes a lane for each.

    Args:
        samples: The samples of a sheet.
        sheet: Its path or URI, for messages.
        portal: The URL of ENA's portal API.
        known: The runs of accessions that were resolved before, which are not asked for again.
        pause: Waits for a number of seconds.

    Raises:
        DataError: with all accessions that cannot be resolved, and files that two lanes have.
    """
    asked = {lane.accession for sample in samples for lane in sample.lanes if lane.accession}

    if not asked:
        return [*samples]

    def resolved(accession: str) -> Runs | DataError:
        try:
            return known.get(accession) or _ask(accession, portal, pause)
        except DataError as error:
            return error

    with ThreadPoolExecutor(ASKED_AT_ONCE) as threads:
        runs = dict(zip(sorted(asked), threads.map(resolved, sorted(asked)), strict=True))
    if problems := [*_failures(samples, runs, sheet), *_repeated(samples, runs, sheet)]:
        raise DataError(problems)
    return [replace(one, lanes=tuple(new for lane in one.lanes for new in _lanes(lane, runs))) for one in samples]


def _ask(accession: str, portal: str, pause: Callable[[float], object]) -> list[ArchivedRun]:
    from genomics_pipeline.stores.web import web_pieces  # with urllib, which few runs need

    url, broken = report_url(accession, portal), 0
    while True:
        try:
            text = _bounded(web_pieces(url))
            break
        except MissingObject:
            text = b""
            break
        except DataError as error:
            if broken == len(PAUSES_S):
                raise DataError(f"expected ENA's report on {accession}: {error}") from None
            pause(PAUSES_S[broken])
            broken += 1
    return parse_report(text, accession, portal.partition("://")[0])


def _bounded(pieces: Iterator[bytes]) -> bytes:
    text = b""
    for piece in pieces:
        text += piece
        if len(text) > budgets.JSON_SIZE.value:
            raise DataError(f"expected at most {budgets.JSON_SIZE}, found more")
    return text


def _failures(samples: Sequence[Sample], runs: Mapping[str, Runs | DataError], sheet: str) -> Iterator[Problem]:
    for sample in samples:
        for lane in sample.lanes:
            if lane.accession and isinstance(error := runs[lane.accession], DataError):
                yield Problem(f"sample {sample.sample}: {error}", sheet, lane.line, "accession")


def _repeated(samples: Sequence[Sample], runs: Mapping[str, Runs | DataError], sheet: str) -> Iterator[Problem]:
    """Yield the runs that two rows name, such as by their experiment and by themselves."""
    lines: dict[str, int | None] = {}
    for lane in (lane for sample in samples for lane in sample.lanes if lane.accession):
        found = runs[lane.accession or ""]
        for run in () if isinstance(found, DataError) else found:
            if (first := lines.setdefault(run.fastq_1, lane.line)) != lane.line:
                message = f"expected each run once, found {run.fastq_1.partition('#')[0]} on line {first} too"
                yield Problem(message, sheet, lane.line, "accession")


def _lanes(lane: Lane, runs: Mapping[str, Runs | DataError]) -> Iterator[Lane]:
    found = runs[lane.accession] if lane.accession else ()
    if lane.accession is None or isinstance(found, DataError):
        yield lane
        return
    for run in found:
        is_named = lane.lane != lane.accession and len(found) == 1
        name = lane.lane if is_named else run.accession
        yield replace(lane, lane=name, fastq_1=run.fastq_1, fastq_2=run.fastq_2)
