"""The warning that a reference has sex chromosomes of no known assembly, which are then called as of two copies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.runs.catalog import shipped_folder

FORMAT = "ploidy"  # of the parameter that names other ploidies
TABLE = "common/ploidy.tsv"  # among the shipped steps, which read it to call
SEX_CHROMOSOMES = ("X", "Y")


def ploidy_warnings(
    pipeline: Pipeline, overrides: Mapping[str, Mapping[str, Value]], contigs: Mapping[str, int]
) -> Iterator[str]:
    """Yield a warning for each stage that calls such sex chromosomes by what is built in.

    Args:
        pipeline: The pipeline.
        overrides: The overridden parameters by stage and name.
        contigs: The length of each contig of the reference, by name.
    """
    unknown = unknown_sex_chromosomes(contigs)
    for stage in pipeline.stages if unknown else ():
        values = {**pipeline.parameters.get(stage.name, {}), **overrides.get(stage.name, {})}
        file = next((one.name for one in stage.step.parameters.values() if one.format == FORMAT), None)
        if file is not None and values.get(file) is None and values.get(FORMAT) is None:
            found = ", ".join(f"{name} of {contigs[name]:,} bp" for name in unknown)
            expected = "expected sex chromosomes of a known assembly"
            advice = f"all contigs are called as of two copies; name others with --param {stage.name}.{file}=FILE"
            yield f"{stage.name}: {expected}, found {found}: {advice}"


def unknown_sex_chromosomes(contigs: Mapping[str, int]) -> list[str]:
    """Return the contigs X and Y, with or without ``chr``, if neither has the length of a known assembly's."""
    rows = (line.split("\t") for line in (shipped_folder("steps") / TABLE).read_text().splitlines() if line[0] != "#")
    known = {(contig, int(length)) for _, contig, length, *_ in rows}
    bare = {name: name.removeprefix("chr") for name in contigs}
    sexual = [name for name in contigs if bare[name] in SEX_CHROMOSOMES]
    return [] if any((bare[name], contigs[name]) in known for name in sexual) else sexual
