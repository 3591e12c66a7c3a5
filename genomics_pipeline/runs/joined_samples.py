"""The samples of earlier runs with which a run was started."""

from __future__ import annotations

from genomics_pipeline.model.sample import Sample
from genomics_pipeline.records.given_gvcfs import GivenGvcf, read_given_gvcfs
from genomics_pipeline.runs.manifests import read_manifest
from genomics_pipeline.runs.run_files import RunFiles


def joined_before(files: RunFiles, sheet: str) -> tuple[Sample, ...]:
    """Return the samples of earlier runs that a run was started with: those with a gVCF that its sheet does not have.

    Args:
        files: The files of the run.
        sheet: The path or URI of its sheet; empty for none.

    Raises:
        DataError: for a sheet that cannot be used any more.
    """
    given = read_given_gvcfs(files.store, files.place)
    if not given:
        return ()
    in_sheet = {one.sample for one in read_manifest(sheet)} if sheet else set()
    return tuple(of_gvcf(one) for one in given if one.sample not in in_sheet)


def of_gvcf(gvcf: GivenGvcf) -> Sample:
    """Return the sample of a gVCF of which nothing else is known."""
    return Sample(gvcf.sample, gvcf.sample, "NA", 0, (), gvcf.uri)
