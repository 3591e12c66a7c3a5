"""The preparation of a run in its folder: the reference with its indexes, and the files that determine an execution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.asl.payload_budget import payload_budgets
from genomics_pipeline.engine.events import Note
from genomics_pipeline.model import quotas, run_layout
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.manifest import gvcf_lines, manifest_lines
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.earlier_packed import earlier_lines
from genomics_pipeline.records.execution_input import input_text
from genomics_pipeline.reference.fai import read_contigs
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.intervals import intervals_text
from genomics_pipeline.runs.item_lines import item_lines
from genomics_pipeline.runs.local.fit import concurrent_jobs, reference_indexes, refuse_small_machine
from genomics_pipeline.runs.plan import RunInputs
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.worker.step_folder import StepFolder


def prepare_reference(
    reference: str, steps: Mapping[str, StepFolder], store: Store, adapters: Adapters, display: Display
) -> Path:
    """Return the path of a reference, decompressed and indexed as the steps need it.

    Args:
        reference: The path or URI of the FASTA file.
        steps: The steps of the stages, with the indexes that their parameters name.
        store: The store that reads it.
        adapters: The cache, and the resources for jobs.
        display: Shows the progress.

    Raises:
        DataError: for a reference that cannot be used.
        RunError: for a machine that is too small; before an index is built, as far as its size can be known.
    """
    indexes = {index for step in steps.values() for index in reference_indexes(step.spec)}
    display.note(f"reference: {reference}")
    capacity = adapters.capacity()
    refuse_small_machine(steps, Path(reference), capacity)
    prepared = prepare(reference, sorted(indexes), store, adapters.cache, display.note)
    refuse_small_machine(steps, prepared, capacity)
    fitting = ", ".join(f"{name} {concurrent_jobs(step.spec, prepared, capacity)}" for name, step in steps.items())
    display.event(Note(f"machine: {capacity}; jobs that fit at once: {fitting}", is_detail=True))
    return prepared


def write_inputs(folder: RunFolder, planned: RunInputs, reference: Path, store: Store) -> None:
    """Write the files that determine an execution; see `RunFolder.digest`.

    Args:
        folder: The folder of the run.
        planned: The plan of the run.
        reference: The path of the prepared FASTA file.
        store: The store of the files of the run.

    Raises:
        DataError: for parameters that are too large for a job.
    """
    place = RunPlace(folder.name, BUCKET, "")
    wait_s = quotas.SECONDS.value  # for cores of this machine
    execution_input = ExecutionInput(
        place,
        str(reference),
        planned.overrides,
        planned.tolerated,
        wait_s=wait_s,
        optional=planned.optional,
        parts=planned.parts,
    )
    document = generate(planned.pipeline)
    budgets = payload_budgets(planned.pipeline, document, execution_input.to_json())
    intervals = intervals_text(planned, read_contigs(reference), store)
    large: dict[str, str] = {}
    folder.remove_items()
    items: dict[str, Iterable[str]] = {"sample": manifest_lines(planned.samples), "interval": StringIO(intervals)}
    for scope, of_scope in items.items():
        lines = item_lines(scope, of_scope, budgets.get(scope), place, large)
        folder.write(folder.path / run_layout.ITEM_FILES[scope], lines)
    folder.write_parts(execution_input)
    if given := "".join(gvcf_lines(planned.samples)):
        folder.write(folder.path / run_layout.GVCFS, given)
    else:
        (folder.path / run_layout.GVCFS).unlink(missing_ok=True)
    if earlier := earlier_lines(planned.earlier):
        folder.write(folder.path / run_layout.EARLIER, earlier)
    else:
        (folder.path / run_layout.EARLIER).unlink(missing_ok=True)
    for key, text in large.items():
        folder.write(folder.path / key, text)
    folder.write(folder.definition, canonical_json(document))
    folder.write(folder.input, input_text(execution_input))
