"""The samples of earlier runs, whose gVCFs are genotyped with a new cohort."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.pipeline import GVCF
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.records.completion import OutputRecord
from genomics_pipeline.records.given_gvcfs import GivenGvcf, read_given_gvcfs
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.find_run import find_run
from genomics_pipeline.runs.joined_samples import of_gvcf
from genomics_pipeline.runs.results import ItemResult, Results
from genomics_pipeline.runs.run_files import COHORT
from genomics_pipeline.stores.protocol import shown_place


def earlier_samples(
    runs: Iterable[str], stack: str, adapters: Adapters, warn: Callable[[str], None]
) -> tuple[Sample, ...]:
    """Return the samples of runs, each with its gVCF: those that are done, and those that the runs were given.

    Args:
        runs: The runs: folders, URIs, or names in the stack.
        stack: The stack.
        adapters: The clients and the store to read runs with.
        warn: Takes a warning about samples of a run that have no gVCF.

    Raises:
        RunError: for a run that does not exist, or has no gVCF.
    """
    samples: list[Sample] = []
    for text in runs:
        run = find_run(text, stack, adapters)
        files, lacking = run.files, 0
        gvcfs: list[GivenGvcf] = []
        for result in Results(run).items():
            if (output := _gvcf(result)) is not None:
                gvcfs.append(GivenGvcf(result.item, shown_place(files.store, files.place.uri(output.key))))
            elif result.item != COHORT:
                lacking += 1
        gvcfs += read_given_gvcfs(files.store, files.place)
        if not gvcfs:
            raise RunError(f"--joint-with {text}: expected a run with gVCFs of samples, found none")
        if lacking:
            warn(f"--joint-with {text}: {quantity(lacking, 'sample', ',')} without a gVCF left out")
        samples += map(of_gvcf, gvcfs)
    return tuple(samples)


def _gvcf(result: ItemResult) -> OutputRecord | None:
    """Return the gVCF of an item; None if it has none."""
    return next((output for name, output in result.outputs.items() if name.partition(".")[2] == GVCF), None)
