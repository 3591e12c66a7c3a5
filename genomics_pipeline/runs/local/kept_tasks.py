"""The tasks that a run leaves in the cache at its end, for the bars and plans of later runs on this machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.planning.history.observation import FORMAT, has_alignments, share_of_reads
from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.records.items import read_regions
from genomics_pipeline.records.machine_tasks import NEWEST, MachineTask, keep_machine_tasks
from genomics_pipeline.reference.cache import make_cache
from genomics_pipeline.reference.fai import read_contigs
from genomics_pipeline.reference.intervals import region_bases
from genomics_pipeline.runs.machine_tasks import machine_tasks_file, parameters_digest
from genomics_pipeline.runs.plan import RunInputs
from genomics_pipeline.runs.run_files import RunFiles

MOST_READ = 2 * NEWEST  # records of a stage, evenly over its items: reading those of a large run would take long


def keep_tasks(
    files: RunFiles, planned: RunInputs, ran: Collection[tuple[str, str]], reference: Path, cache: Path
) -> None:
    """Keep what the tasks of a run needed; a cache that cannot be written to, or records that vanished, are no error.

    Nothing is kept of a pilot: what is made of a fraction of the reads has other sizes than what is made of all.

    Args:
        files: The files of the run.
        planned: The run.
        ran: The stage and the item of each task that ran.
        reference: The prepared FASTA file.
        cache: The user's cache folder.
    """
    with suppress(PipelineError, OSError, ValueError):
        tasks = list(_tasks(files, planned, _chosen(ran), reference))
        if tasks:
            make_cache(cache)
            keep_machine_tasks(machine_tasks_file(cache), tasks)


def _chosen(ran: Collection[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the items of each stage whose records are read, evenly over all.

    >>> _chosen({("calling", "A"), ("calling", "B")})
    {'calling': ['A', 'B']}
    """
    items = defaultdict(list)
    for stage, item in sorted(ran):
        items[stage].append(item)
    counts = {stage: min(len(names), MOST_READ) for stage, names in items.items()}
    return {
        stage: [names[place * len(names) // counts[stage]] for place in range(counts[stage])]
        for stage, names in items.items()
    }


def _tasks(files: RunFiles, planned: RunInputs, items: dict[str, list[str]], reference: Path) -> Iterator[MachineTask]:
    pipeline = planned.stages_that_run
    genome = sum(contig.length_bp for contig in read_contigs(reference))
    bases = _interval_bases(files, pipeline, items)
    alignment_format = ""
    for stage in pipeline.stages:
        samples = len(planned.samples) if pipeline.reads_all_samples(stage) else 1
        for item in items.get(stage.name, ()):
            if (record := files.record(stage.name, item)) is None:
                continue
            if share_of_reads(record) not in (None, 1.0):
                return
            alignment_format = str(record.provenance.parameters.get(FORMAT, alignment_format))
            length = bases[item] if stage.scope == "interval" else genome
            yield _task(record, alignment_format, has_alignments(stage.inputs.values()), length, samples)


def _interval_bases(files: RunFiles, pipeline: Pipeline, items: dict[str, list[str]]) -> dict[str, int]:
    """Return the length of each interval among the items."""
    names = {item for stage in pipeline.stages if stage.scope == "interval" for item in items.get(stage.name, ())}
    regions = read_regions(files.store, files.place, names) if names else {}
    return {name: sum(map(region_bases, each)) for name, each in regions.items()}


def _task(
    record: CompletionRecord, alignment_format: str, reads_alignments: bool, reference_bases: int, samples: int
) -> MachineTask:
    """Return a task as it is kept; see `MachineTask` for the arguments.

    Args:
        record: The record of the task.
        alignment_format: See above.
        reads_alignments: See above.
        reference_bases: See above.
        samples: See above.
    """
    return MachineTask(
        record.step,
        record.provenance.version,
        parameters_digest(record.provenance.parameters),
        alignment_format,
        reads_alignments,
        record.input_bytes,
        reference_bases,
        samples,
        record.vcpus,
        record.seconds,
        record.processor_seconds,
        record.peak_memory_mib,
        {name: sum(file.size_bytes for file in output.files) for name, output in record.outputs.items()},
    )
