"""The requests of a run to AWS's services."""

from __future__ import annotations

from dataclasses import dataclass

from genomics_pipeline.planning.counting import Counts
from genomics_pipeline.planning.transfers import WRITTEN_RECORDS, downloads, uploads
from genomics_pipeline.planning.workload import StageWork, Workload

RECORDS = 3  # GET of each task: the review of its own completion record, and the records of its inputs
REFERENCE_COPIES = 4  # the size of a reference with its indexes, in bytes for each of its bases; once a host


@dataclass(frozen=True, slots=True)
class Requests:
    """The requests of a run.

    Attributes:
        start_execution: StartExecution; children of Map Runs are not requests.
        start_map_run: StartMapRun, by Step Functions itself.
        submit_job: SubmitJob, with those that were throttled.
        s3_get: GET and HEAD.
        s3_put: PUT, with the parts of large files.
    """

    start_execution: int
    start_map_run: int
    submit_job: int
    s3_get: int
    s3_put: int

    @property
    def total(self) -> int:
        """The number of all requests."""
        return self.start_execution + self.start_map_run + self.submit_job + self.s3_get + self.s3_put


def requests(work: Workload, counts: Counts, throttled: int, hosts: int, genome_bases: int) -> Requests:
    """Return the requests of a run.

    Args:
        work: Its tasks.
        counts: The counts of its execution.
        throttled: The submissions that are refused and repeated.
        hosts: The hosts that are started, each of which fetches the reference.
        genome_bases: The length of the reference.
    """
    get = hosts * downloads(genome_bases * REFERENCE_COPIES)
    put = 0
    for one in work.stages:
        tasks = one.tasks
        again = counts.attempts.get(one.stage.name, tasks) / max(1, tasks)  # attempts that failed read once more
        read, written = stage_requests(one)
        get += round(again * read)
        put += written
    maps = sum(work.map_runs.values())
    results = 3 * maps  # ResultWriter: its manifest, SUCCEEDED and FAILED
    return Requests(1, maps, sum(counts.jobs.values()) + throttled, get + maps, put + results)


def stage_requests(one: StageWork) -> tuple[int, int]:
    """Return the GET and the PUT requests to S3 of the jobs of a stage, each of which has one attempt."""
    tasks = one.tasks
    outputs = [output for output in one.stage.step.outputs.values() if not output.optional]
    others = sum(1 + bool(output.indexes) for output in outputs) - 1  # of which no one has several parts
    written = tasks * (WRITTEN_RECORDS + others + uploads(one.output_bytes / max(1, tasks)))
    return tasks * RECORDS + _reads(one), written


def _reads(one: StageWork) -> int:
    """Return the GET requests for the inputs of a stage: for each file of each sample its parts, and its index."""
    inputs = [each for each in one.stage.step.inputs.values() if each.type != "reference"]
    stream, indexes = any(each.stream for each in inputs), any(each.indexes for each in inputs)
    total = 0
    for group in one.groups:
        samples = max(1, group.features.samples)
        of_sample = downloads(group.features.input_bytes / samples, stream=stream) + indexes
        total += sum(group.items) * samples * of_sample
    return total
