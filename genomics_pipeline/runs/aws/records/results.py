"""The results of a run over records on AWS, from the files of ResultWriter of all its executions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from genomics_pipeline.model import run_layout
from genomics_pipeline.records.map_run import MapRunDescription
from genomics_pipeline.records.record_rows import answer, result_lines
from genomics_pipeline.records.result_files import result_objects as objects_of
from genomics_pipeline.records.result_files import result_rows
from genomics_pipeline.runs.aws.chain import aws_map_runs, results_not_written, started_chain
from genomics_pipeline.runs.aws.run import AwsRun
from genomics_pipeline.stores.protocol import Expected, MissingObject, ObjectInfo
from genomics_pipeline.stores.publish import publishing

SUCCEEDED = "SUCCEEDED"


def result_objects(run: AwsRun) -> Iterator[tuple[str, int]]:
    """Yield URI and size of each file of ResultWriter with results, and of the files of a stage that gathers.

    Raises:
        RunError: if AWS cannot be reached, or has not written the files yet.
    """
    for one in _map_runs(run):
        assert one.results is not None
        yield from ((uri, size or 0) for uri, size in objects_of(run.store, one.results, SUCCEEDED))
    yield from ((one.uri, one.size_bytes) for one in _gathered(run))


def copy_results(run: AwsRun, target: Path) -> Iterator[tuple[str, int]]:
    """Write the results as JSON Lines into a folder, and files of a stage that gathers; yield path and size of each.

    Those of reruns come after those of the run itself. A list has a line for each element, null has none, and any other
    result is a line of its own.

    Args:
        run: The run.
        target: The folder.

    Raises:
        RunError: if AWS cannot be reached, or has not written the files yet.
    """
    answers = (answer(row) for one in _map_runs(run) for row in result_rows(run.store, one.results or {}, SUCCEEDED))
    for stage, of_stage in groupby(answers, key=lambda one: one.stage):  # one: that of the pipeline's last stage
        file = target / Path(run_layout.record_results(stage)).name
        with publishing(file, target) as out:
            for one in of_stage:
                out.write(b"".join(result_lines(one.result)))
        yield str(file), file.stat().st_size
    for found in _gathered(run):
        file = target / found.uri.removeprefix(run.place.uri(run_layout.RESULTS))
        with publishing(file, target) as out:
            run.store.download(found.uri, out, Expected(found.version))
        yield str(file), found.size_bytes


def _gathered(run: AwsRun) -> Iterator[ObjectInfo]:
    """Return the files that a stage that gathers wrote."""
    return run.store.list(run.place.uri(run_layout.RESULTS))


def _map_runs(run: AwsRun) -> Iterator[MapRunDescription]:
    """Yield the Map Runs that ended, of all executions, with their result files."""
    try:
        for execution in started_chain(run):
            yield from (one for one in aws_map_runs(run, execution) if one.status != "RUNNING")
    except MissingObject as error:
        raise results_not_written(error) from None
