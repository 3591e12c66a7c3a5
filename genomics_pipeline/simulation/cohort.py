"""A simulated cohort: reference, paired reads, sample sheet and truth, the same bytes for the same seed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.simulation.genotypes import Genotypes, draw_genotypes
from genomics_pipeline.simulation.qualities import READ_BP
from genomics_pipeline.simulation.reads import write_reads
from genomics_pipeline.simulation.reference import SimulatedContig, random_contigs, write_fasta
from genomics_pipeline.simulation.sexes import XX, XY, haplotypes, ploidy_lines, with_copies
from genomics_pipeline.simulation.sites import Site, plant_sites
from genomics_pipeline.simulation.truth import write_truth
from genomics_pipeline.stores.publish import publishing_folder

PLOIDY_FILE = "ploidy.txt"  # for `variant_calling.ploidy_file`
COLUMNS = "patient,sex,status,sample,lane,fastq_1,fastq_2"


@dataclass(frozen=True, slots=True)
class Cohort:
    """A cohort in a folder.

    Attributes:
        folder: The folder.
        samples: The samples' names, sorted.
        variants: The number of sites whose variant at least one sample carries.
        read_pairs: The number of read pairs of all samples, PCR copies included.
        with_sexes: Whether there are sex chromosomes.
    """

    folder: Path
    samples: tuple[str, ...]
    variants: int
    read_pairs: int
    with_sexes: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that ``simulate --json`` prints."""
        return {
            "folder": str(self.folder),
            "manifest": str(self.folder / "cohort.csv"),
            "reference": str(self.folder / "reference.fa"),
            "truth": str(self.folder / "truth.vcf.gz"),
            "samples": list(self.samples),
            "variants": self.variants,
            "read_pairs": self.read_pairs,
            **({"ploidy_file": str(self.folder / PLOIDY_FILE)} if self.with_sexes else {}),
        }


def simulate(
    folder: Path, *, samples: int, length_bp: int, depth: float, seed: int, with_sexes: bool = False
) -> Cohort:
    """Make a cohort: ``reference.fa``, ``cohort.csv``, ``fastq/`` and ``truth.vcf.gz``.

    A larger cohort of the same seed, length and depth has the same first individuals.

    Args:
        folder: A new or empty folder, whose files appear all at once when everything is written.
        samples: The number of samples, at least 1; of two or more, the first is sequenced on two lanes.
        length_bp: The length of all contigs of the reference together; at least 5,000, to leave space for variants.
        depth: The mean depth of each sample, without PCR copies.
        seed: The seed, which decides every base.
        with_sexes: True for chrX, chrY and chrM beside autosomes, of which a sample has as many copies as its sex, and
            for a file with these numbers; else all contigs are autosomes.

    Raises:
        UsageError: if the folder exists and is not empty.
    """
    folder = folder.absolute()
    contigs = random_contigs(length_bp, seed, with_sexes)
    names = [f"sample{number:0{len(str(samples))}d}" for number in range(1, samples + 1)]
    sites = plant_sites(contigs, seed)
    genotypes = {name: draw_genotypes(sites, Random(f"{seed}:genotypes:{index}")) for index, name in enumerate(names)}
    genotypes = {
        name: with_copies(contigs, sites, drawn, sex_of(index)) for index, (name, drawn) in enumerate(genotypes.items())
    }
    sites, genotypes = _variable_sites(sites, genotypes)
    _refuse_files(folder)
    with publishing_folder(Path(os.path.realpath(folder))) as part:
        write_fasta(contigs, part / "reference.fa")
        write_truth(part / "truth.vcf.gz", contigs, sites, genotypes)
        read_pairs = _sequence(part, contigs, sites, genotypes, depth, seed)
        if with_sexes:
            (part / PLOIDY_FILE).write_text("".join(ploidy_lines(contigs)))
    return Cohort(folder, tuple(names), len(sites), read_pairs, with_sexes)


def sex_of(index: int) -> str:
    """Return the sex of a sample by its number in the cohort, from 0."""
    return (XX, XY)[index % 2]


def _variable_sites(sites: Sequence[Site], drawn: Mapping[str, Genotypes]) -> tuple[list[Site], dict[str, Genotypes]]:
    """Return the sites that vary in this cohort, and the genotypes at them."""
    kept = [index for index in range(len(sites)) if any(any(genotypes[index]) for genotypes in drawn.values())]
    return [sites[index] for index in kept], {
        name: [genotypes[index] for index in kept] for name, genotypes in drawn.items()
    }


def _sequence(
    part: Path,
    contigs: Sequence[SimulatedContig],
    sites: Sequence[Site],
    drawn: Mapping[str, Genotypes],
    depth: float,
    seed: int,
) -> int:
    """Write every sample's reads and the sample sheet, and return the number of read pairs."""
    (part / "fastq").mkdir()
    rows, read_pairs = [COLUMNS], 0
    for index, (name, genotypes) in enumerate(drawn.items()):
        sequences = list(haplotypes(contigs, sites, genotypes, sex_of(index)))
        bases = sum(len(contig.sequence) for contig in contigs)
        pairs = round(depth * bases / (2 * READ_BP))
        lanes = ("L001", "L002") if index == 0 and len(drawn) > 1 else ("L001",)
        files = {lane: [f"fastq/{name}_S{index + 1}_{lane}_R{mate}_001.fastq.gz" for mate in (1, 2)] for lane in lanes}
        paths = [(part / first, part / second) for first, second in files.values()]
        read_pairs += write_reads(paths, sequences, pairs, Random(f"{seed}:reads:{index}"), run=index + 1)
        rows += [f"{name},{sex_of(index)},0,{name},{lane},{first},{second}" for lane, (first, second) in files.items()]
    (part / "cohort.csv").write_text("\n".join(rows) + "\n")
    return read_pairs


def _refuse_files(folder: Path) -> None:
    """Refuse a folder with files in it.

    Raises:
        UsageError: for such a folder, and for a file.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: expected a new or empty folder, found one with files in it, or a file")
