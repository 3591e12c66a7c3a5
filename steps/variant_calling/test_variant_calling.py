"""The step's program, run as the worker runs it, on generated reads with known variants."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from collections.abc import Callable
from hashlib import md5
from pathlib import Path
from typing import Any, NamedTuple

import pysam
import pysam.bcftools
import pytest

PROGRAM = Path(__file__).with_name("variant_calling.py")
READ, STRIDE = 100, 5  # a depth of 20
UNIT = 1000
SNPS = {"c1": [500, 999, 1000, 1001, 2000, 3500], "c2": [700]}  # 0-based, some position the borders of units of 1,000
HOMOPOLYMER = 2496  # ten A, across a border; a deletion in them is placed position the base before


class Dataset(NamedTuple):
    """Generated input files."""

    folder: Path
    reference: Path
    bam: Path
    genome: dict[str, str]


def index(reference: Path) -> None:
    """Write the index and the dictionary of a reference."""
    pysam.faidx(str(reference))
    pysam.dict("-o", str(reference.with_suffix(".dict")), str(reference))


def snp(base: str) -> str:
    return {"A": "G", "C": "T", "G": "A", "T": "C"}[base]


def cigar(copy: str, position: int, deleted: int | None) -> tuple[str, list[tuple[int, int]]] | None:
    """Return bases and CIGAR of the read position a position, with the deletion aligned as far right as possible.

    Returns:
        The bases and the CIGAR; None where a read would end near the deletion, and so be no evidence of it.
    """
    if deleted is None or not position - 12 <= deleted < position + READ + 12:
        return copy[position : position + READ], [(0, READ)]
    if not position + 12 < deleted < position + READ - 12:
        return None
    before = deleted - position
    return copy[position:deleted] + copy[deleted + 2 : position + READ + 2], [(0, before), (2, 2), (0, READ - before)]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_dataset(tmp_path_factory.mktemp("dataset"))


def make_dataset(folder: Path) -> Dataset:
    """Write reads of a sample S: heterozygous SNPs position SNPS, a homozygous deletion of AA in a homopolymer."""
    rng = random.Random(7)
    genome = {name: "".join(rng.choices("ACGT", k=length)) for name, length in (("c1", 4000), ("c2", 1500))}
    run = HOMOPOLYMER
    genome["c1"] = genome["c1"][: run - 1] + "G" + "A" * 10 + "C" + genome["c1"][run + 11 :]
    reference = folder / "reference.fa"
    reference.write_text("".join(f">{name}\n{bases}\n" for name, bases in genome.items()))
    index(reference)
    return Dataset(folder, reference, write_bam(folder / "S.bam", genome), genome)


def write_bam(path: Path, genome: dict[str, str], sample: str = "S") -> Path:
    header = {
        "HD": {"VN": "1.6", "SO": "coordinate"},
        "SQ": [{"SN": name, "LN": len(bases)} for name, bases in genome.items()],
        "RG": [{"ID": "r", "SM": sample}],
    }
    with pysam.AlignmentFile(str(path), "wb", header=header) as bam:
        for tid, (name, bases) in enumerate(genome.items()):
            changed = "".join(snp(base) if position in SNPS[name] else base for position, base in enumerate(bases))
            deleted = HOMOPOLYMER + 8 if name == "c1" else None
            for number, position in enumerate(range(0, len(bases) - READ - 2, STRIDE)):
                if (aligned := cigar(changed if number % 4 < 2 else bases, position, deleted)) is None:
                    continue
                read = pysam.AlignedSegment(bam.header)
                read.query_name, read.query_sequence = f"{name}-{position}", aligned[0]
                read.reference_id, read.reference_start, read.mapping_quality = tid, position, 60
                read.flag, read.cigartuples = (16 if number % 2 else 0), aligned[1]
                read.query_qualities = pysam.qualitystring_to_array("I" * READ)
                read.set_tag("RG", "r")
                bam.write(read)
    sort_path = path.with_suffix(".sorted.bam")
    pysam.sort("-o", str(sort_path), str(path))
    sort_path.replace(path)
    pysam.index(str(path))
    return path


def run_step(dataset: Dataset, folder: Path, vcpus: int = 1, **parameters: Any) -> subprocess.CompletedProcess[str]:
    """Run the step, with outputs in the folder."""
    (folder / "scratch").mkdir(parents=True)
    bam = str(parameters.pop("bam", dataset.bam))
    more, quality = parameters.pop("item", {}), parameters.pop("quality", None)
    defaults: dict[str, Any] = {"ploidy": 2, "regions": None, "min_mapq": 20, "min_baseq": 1}
    defaults |= {
        "min_indel_reads": 2,
        "min_cohort_indel_reads": 2,
        "count_orphans": False,
        "max_depth": 8000,
        "prior": 0.02,
        "min_qual": 20,
        "min_depth": 2,
        "max_strand_bias": 25,
        "unit_bp": UNIT,
    }
    task = {
        "step": "variant_calling",
        "version": "1",
        "item": {"sample": "S", "patient": "P"} | more,
        "inputs": {"alignment": bam, "reference": str(dataset.reference)} | ({"quality": quality} if quality else {}),
        "outputs": {
            "vcf": str(folder / "S.vcf.gz"),
            "gvcf": str(folder / "S.g.vcf.gz"),
            "metrics": str(folder / "S.json"),
            "bcftools_stats": str(folder / "S.stats.txt"),
        },
        "parameters": defaults | parameters,
        "vcpus": vcpus,
        "scratch": str(folder / "scratch"),
        "versions": str(folder / "versions.json"),
    }
    (folder / "task.json").write_text(json.dumps(task))
    argv = [sys.executable, str(PROGRAM), str(folder / "task.json")]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def call(dataset: Dataset, folder: Path, vcpus: int = 1, **parameters: Any) -> list[tuple[str, int, str, str, str]]:
    """Run the step and return the records that pass all filters."""
    process = run_step(dataset, folder, vcpus, **parameters)
    assert process.returncode == 0, process.stderr
    with pysam.VariantFile(str(folder / "S.vcf.gz")) as vcf:
        return [
            (r.chrom, r.pos, str(r.ref), ",".join(r.alts or ()), "/".join(map(str, r.samples[0]["GT"])))
            for r in vcf
            if list(r.filter) == ["PASS"]
        ]


def planted_variants(dataset: Dataset) -> list[tuple[str, int, str, str, str]]:
    snps = [
        (name, position + 1, dataset.genome[name][position], snp(dataset.genome[name][position]), "0/1")
        for name, positions in SNPS.items()
        for position in positions
    ]
    return sorted([*snps, ("c1", HOMOPOLYMER, "GAA", "G", "1/1")])


def outputs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("S.*"))}


def records(folder: Path) -> list[list[bytes]]:
    """Return the records of both VCFs, and their headers without lines that name the reference or the reads."""
    texts = (gzip.decompress((folder / name).read_bytes()) for name in ("S.vcf.gz", "S.g.vcf.gz"))
    named = (b"##contig=", b"##bcftools_mpileupCommand=", b"##genomics_pipeline_command=")
    return [[line for line in text.splitlines() if not line.startswith(named)] for text in texts]


@pytest.fixture(scope="module")
def plain(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the outputs with default parameters, after a check of the variants."""
    folder = tmp_path_factory.mktemp("plain") / "outputs"
    assert call(dataset, folder) == planted_variants(dataset)
    return folder


def test_the_gvcf_names_the_patient(plain: Path) -> None:
    with pysam.VariantFile(str(plain / "S.g.vcf.gz")) as gvcf:
        assert [dict(one) for one in gvcf.header.records if one.key == "SAMPLE"] == [{"ID": "S", "Patient": "P"}]


def test_exactly_the_planted_variants_are_called(plain: Path) -> None:
    metrics = json.loads((plain / "S.json").read_text())
    counts: dict[str, Any] = {"variants": 8, "snps": 7, "indels": 1, "ti_tv": None, "het_hom": 7.0}
    counts |= {"called_sex": None, "called_sex_from": None}
    assert {name: value for name, value in metrics.items() if not name.startswith("contamination")} == counts


def test_the_number_of_vcpus_changes_no_byte(dataset: Dataset, plain: Path, tmp_path: Path) -> None:
    assert len(outputs(plain)) == 6
    for vcpus in (2, 5):
        call(dataset, tmp_path / str(vcpus), vcpus)
        assert outputs(tmp_path / str(vcpus)) == outputs(plain)


@pytest.mark.parametrize("unit_bp", [333, 2498, 2500, 10_000])
def test_the_borders_of_units_change_no_variant(dataset: Dataset, plain: Path, tmp_path: Path, unit_bp: int) -> None:
    call(dataset, tmp_path / "b", unit_bp=unit_bp)
    assert records(tmp_path / "b")[0] == records(plain)[0]


@pytest.mark.parametrize("unit_bp", [333, 10_000])
def test_the_gvcf_covers_each_covered_base_once(dataset: Dataset, tmp_path: Path, unit_bp: int) -> None:
    call(dataset, tmp_path / "a", unit_bp=unit_bp)
    covered: list[tuple[str, int]] = []
    with pysam.VariantFile(str(tmp_path / "a" / "S.g.vcf.gz")) as gvcf:
        for record in gvcf:
            assert str(record.ref)[0] == dataset.genome[record.chrom][record.start]
            # mpileup writes the indel's record instead of that of the base before it
            end = record.start + 1 if "INDEL" in record.info else record.stop
            covered += [(record.chrom, position) for position in range(record.start, end)]
    assert covered == sorted(set(covered))
    with pysam.AlignmentFile(str(dataset.bam)) as bam:
        assert covered == [(column.reference_name, column.reference_pos) for column in bam.pileup(truncate=True)]


def test_records_of_the_gvcf_have_a_genotype_and_narrow_bands_of_depth(dataset: Dataset, plain: Path) -> None:
    at: dict[tuple[str, int], list[str]] = {}
    with pysam.VariantFile(str(plain / "S.g.vcf.gz")) as gvcf, pysam.AlignmentFile(str(dataset.bam)) as bam:
        for record in gvcf:
            call = record.samples["S"]
            at.setdefault((record.chrom, record.pos), []).append("/".join(map(str, call["GT"])))
            if record.stop <= 45:  # depths of 1 to 9, every five bases one more
                depths = bam.count_coverage(record.chrom, record.start, record.stop, quality_threshold=0)
                assert {sum(bases) for bases in zip(*depths, strict=True)} == {call["DP"]}
    assert at["c1", 501] == at["c2", 701] == ["0/1"]
    assert at["c1", 11] == ["0/0"]
    assert "1/1" in [genotype for found in at.values() for genotype in found]


def test_bcftools_merges_the_gvcf(dataset: Dataset, plain: Path, tmp_path: Path) -> None:
    merged = tmp_path / "merged.vcf"
    argv = ["--force-single", "-g", str(dataset.reference), "-o", str(merged), str(plain / "S.g.vcf.gz")]
    pysam.bcftools.merge(*argv, catch_stdout=False)
    with pysam.VariantFile(str(merged)) as vcf:
        genotypes = {(record.chrom, record.pos): record.samples["S"]["GT"] for record in vcf}
    assert {genotypes[name, position + 1] for name in SNPS for position in SNPS[name]} == {(0, 1)}


def test_the_variants_have_the_fields_to_filter_by(plain: Path) -> None:
    with pysam.VariantFile(str(plain / "S.vcf.gz")) as vcf:
        for record in vcf:
            assert {"DP", "MQ", "AC", "AN"} <= set(record.info)
            assert {"GT", "PL", "DP", "AD", "SP", "GQ"} <= set(record.format)


def test_a_haploid_genome_has_haploid_genotypes(dataset: Dataset, tmp_path: Path) -> None:
    records = call(dataset, tmp_path / "a", ploidy=1)
    assert {genotype for *_, genotype in records} == {"1"}


def test_reads_without_their_mates_count_by_parameter(dataset: Dataset, tmp_path: Path) -> None:
    orphans = tmp_path / "orphans.bam"
    with pysam.AlignmentFile(str(dataset.bam)) as bam, pysam.AlignmentFile(str(orphans), "wb", template=bam) as out:
        for read in bam:
            read.flag |= 0x1 | 0x8 | 0x40  # paired, the mate unmapped, the first
            out.write(read)
    pysam.index(str(orphans))
    assert call(dataset, tmp_path / "a", bam=orphans) == []
    assert call(dataset, tmp_path / "b", bam=orphans, count_orphans=True)


def test_only_the_regions_are_called(dataset: Dataset, tmp_path: Path) -> None:
    bed = tmp_path / "r.bed"
    bed.write_text("# mine\ntrack name=x\nc2\t650\t701\nc1\t990\t1001\nc1\t995\t1002\n\n")
    records = call(dataset, tmp_path / "a", regions=str(bed))
    assert records == [
        row for row in planted_variants(dataset) if row[:2] in (("c1", 1000), ("c1", 1001), ("c1", 1002), ("c2", 701))
    ]
    with pysam.VariantFile(str(tmp_path / "a" / "S.g.vcf.gz")) as gvcf:
        assert {(r.chrom, position) for r in gvcf for position in range(r.start, r.stop)} == (
            {("c1", position) for position in range(990, 1002)} | {("c2", position) for position in range(650, 701)}
        )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("c1\t5", "expected contig, start and end between tabs, found 'c1\\t5'"),
        ("c1\tfive\t9", "expected contig, start and end between tabs, found 'c1\\tfive\\t9'"),
        ("c9\t5\t9", "expected a contig of the reference, found 'c9'"),
        ("c1\t9\t5", "expected 0 <= start < end <= 4000, the length of c1, found 9 and 5"),
        ("c1\t9\t4001", "expected 0 <= start < end <= 4000, the length of c1, found 9 and 4001"),
    ],
)
def test_a_bad_bed_line_is_reported(dataset: Dataset, tmp_path: Path, line: str, message: str) -> None:
    bed = tmp_path / "r.bed"
    bed.write_text(f"c1\t0\t9\n{line}\n")
    process = run_step(dataset, tmp_path / "a", regions=str(bed))
    assert (process.returncode, process.stderr) == (65, f"error: {bed}:2: {message}\n")


def test_filters_are_declared_and_applied(dataset: Dataset, tmp_path: Path) -> None:
    assert call(dataset, tmp_path / "a", min_depth=1000, min_qual=1e6) == []
    with pysam.VariantFile(str(tmp_path / "a" / "S.vcf.gz")) as vcf:
        assert {"LowQual", "LowDepth", "StrandBias"} <= set(vcf.header.filters)
        assert vcf.header.filters["LowDepth"].description == "Fewer than 1000 high-quality bases"
        assert {tuple(record.filter) for record in vcf} == {("LowQual", "LowDepth")}


def test_no_path_of_this_machine_is_in_the_outputs(dataset: Dataset, plain: Path) -> None:
    for name in ("S.vcf.gz", "S.g.vcf.gz"):
        with pysam.VariantFile(str(plain / name)) as vcf:
            assert str(dataset.folder) not in str(vcf.header)
            assert str(plain) not in str(vcf.header)
            assert list(vcf.header.samples) == ["S"]


def test_the_header_says_what_made_the_file(dataset: Dataset, plain: Path) -> None:
    for name in ("S.vcf.gz", "S.g.vcf.gz"):
        header = gzip.decompress((plain / name).read_bytes()).decode().splitlines()
        assert header[1:4] == [
            "##source=genomics-pipeline variant_calling 1",
            "##reference=reference.fa",
            "##genomics_pipeline_command=genomics-pipeline step variant_calling S.bam --reference reference.fa "
            "--param ploidy=2 --param min_mapq=20 --param min_baseq=1 --param min_indel_reads=2 "
            "--param min_cohort_indel_reads=2 --param count_orphans=false --param max_depth=8000 "
            "--param prior=0.02 --param min_qual=20 "
            f"--param min_depth=2 --param max_strand_bias=25 --param unit_bp={UNIT}",
        ]
        assert "##bcftools_callCommand=call -mv -a GQ -P 0.02 --ploidy 2 -Ou -" in header
        assert [line for line in header if line.startswith("##contig=")] == [
            f"##contig=<ID={contig},length={len(bases)},md5={md5(bases.encode()).hexdigest()}>"
            for contig, bases in dataset.genome.items()
        ]
        commands = [line for line in header if line.startswith("##bcftools_mpileupCommand=mpileup -f reference.fa ")]
        assert len(commands) == 1
        assert commands[0].endswith(" S.bam")
    versions = json.loads((plain / "versions.json").read_text())
    assert versions.keys() == {"bcftools", "samtools", "htslib"}


def write_some(
    dataset: Dataset, bam: Path, left_out: int, of: int, change: Callable[[Any], None] | None = None
) -> Path:
    """Write the reads without some of each number of them, after changing each."""
    with pysam.AlignmentFile(str(dataset.bam)) as source, pysam.AlignmentFile(str(bam), "wb", template=source) as out:
        for number, read in enumerate(source):
            if number % of >= left_out:
                if change:
                    change(read)
                out.write(read)
    pysam.index(str(bam))
    return bam


@pytest.mark.parametrize(("left_out", "of", "own", "cohort"), [(0, 1, 2, 2), (9, 20, 2, 1), (3, 4, 1, 1)])
def test_one_read_shows_an_indel_of_a_sample_of_low_depth(
    dataset: Dataset, tmp_path: Path, left_out: int, of: int, own: int, cohort: int
) -> None:
    bam = write_some(dataset, tmp_path / "some.bam", left_out, of)
    process = run_step(dataset, tmp_path / "run", bam=bam, min_indel_reads=None, min_cohort_indel_reads=None)
    assert process.returncode == 0, process.stderr
    header = gzip.decompress((tmp_path / "run" / "S.vcf.gz").read_bytes()).decode()
    assert f" --param min_indel_reads={own} " in header
    assert f" --param min_cohort_indel_reads={cohort} " in header
    commands = [line for line in header.splitlines() if line.startswith("##bcftools_mpileupCommand=")]
    assert [f" -m {reads} " in line for reads, line in zip((own, cohort), commands, strict=False)] == [True] * len(
        commands
    )
    assert len(commands) == 1 + (cohort < own)


LONELY = 1500  # a base of c1 behind which one read of few has a deletion


def with_lonely_deletion(read: pysam.AlignedSegment) -> None:
    """Give a read of the forward strand near the middle of `LONELY` a deletion of three bases behind it."""
    if read.query_name == f"c1-{LONELY - 55}":
        bases, before = str(read.query_sequence), LONELY + 1 - read.reference_start
        qualities = read.query_qualities
        read.query_sequence = bases[:before] + bases[before + 3 :] + "ACG"
        read.query_qualities = qualities
        read.cigartuples = [(0, before), (2, 3), (0, READ - before - 3), (4, 3)]


@pytest.mark.parametrize("unit_bp", [LONELY, LONELY + 1, 10_000])
def test_an_indel_of_one_read_is_in_the_gvcf_but_not_called(dataset: Dataset, tmp_path: Path, unit_bp: int) -> None:
    bam = write_some(dataset, tmp_path / "some.bam", 3, 5, with_lonely_deletion)

    def lines(name: str, folder: str) -> list[str]:
        text = gzip.decompress((tmp_path / folder / name).read_bytes()).decode()
        return [line for line in text.splitlines() if not line.startswith("#")]

    for folder, least, qual in (("own", 2, 20), ("cohort", 1, 20), ("strict", 1, 200)):
        call(dataset, tmp_path / folder, bam=bam, unit_bp=unit_bp, min_cohort_indel_reads=least, min_qual=qual)
    assert lines("S.vcf.gz", "own") == lines("S.vcf.gz", "cohort")
    assert lines("S.g.vcf.gz", "own") == lines("S.g.vcf.gz", "strict")
    found = [line.split("\t") for line in lines("S.g.vcf.gz", "cohort") if "FEW" in line]
    assert [(int(line[1]), len(line[3]) - len(line[4]), line[9][:3]) for line in found] == [(LONELY + 1, 3, "0/1")]
    with pysam.VariantFile(str(tmp_path / "cohort" / "S.g.vcf.gz")) as gvcf:
        near = [(one.start, one.stop) for one in gvcf.fetch("c1", LONELY - 1, LONELY + 2)]
    assert (near[0][1], near[1][0], near[2][0]) == (LONELY, LONELY, LONELY + 1)


def test_unusable_alignments_are_refused(dataset: Dataset, tmp_path: Path) -> None:
    other = write_bam(tmp_path / "other.bam", dataset.genome, sample="T")
    process = run_step(dataset, tmp_path / "a", bam=other)
    assert (process.returncode, process.stderr) == (65, f"error: {other}: expected read groups of sample S, found T\n")
    cut_off = tmp_path / "cut.bam"
    cut_off.write_bytes(dataset.bam.read_bytes()[:5000])
    process = run_step(dataset, tmp_path / "b", bam=cut_off)
    expected = "expected a BAM or CRAM file, found one that is cut off or of another kind"
    assert (process.returncode, process.stderr) == (65, f"error: {cut_off}: {expected}\n")


CODES = {"A": "R", "C": "Y", "G": "K", "T": "T"}  # each of which is reduced to its key, the first of its bases


def coded(position: int, base: str) -> str:
    return CODES[base]


def coded_here_and_there(position: int, base: str) -> str:
    return CODES[base] if position % 7 == 0 else base


def lower(position: int, base: str) -> str:
    return base.lower()


def lower_and_coded(position: int, base: str) -> str:
    return CODES[base].lower() if 2480 < position < 2520 else base.lower()


@pytest.mark.parametrize("write", [coded, coded_here_and_there, lower, lower_and_coded])
@pytest.mark.parametrize("kind", ["bam", "cram"])
def test_ambiguity_codes_and_lower_case_change_no_record(
    dataset: Dataset, plain: Path, tmp_path: Path, write: Callable[[int, str], str], kind: str
) -> None:
    reference = tmp_path / "reference.fa"
    genome = {name: "".join(map(write, range(len(bases)), bases)) for name, bases in dataset.genome.items()}
    genome["c2"] = dataset.genome["c2"]  # without codes
    reference.write_text("".join(f">{name}\n{bases}\n" for name, bases in genome.items()))
    index(reference)
    alignment = tmp_path / f"S.{kind}"
    if kind == "cram":
        pysam.samtools.view("-C", "-T", str(reference), "-o", str(alignment), str(dataset.bam), catch_stdout=False)
    else:
        alignment.write_bytes(dataset.bam.read_bytes())
    pysam.index(str(alignment))
    other = dataset._replace(reference=reference, bam=alignment)
    assert call(other, tmp_path / "other", regions=None) == planted_variants(dataset)
    assert records(tmp_path / "other") == records(plain)
