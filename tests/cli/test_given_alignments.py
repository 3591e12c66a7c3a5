"""BAM and CRAM files of a sheet are checked before the first job, here and on AWS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pysam
import pytest

from genomics_pipeline.runs.aws import disk
from tests.cli.conftest import FASTA, Ended
from tests.fakes.deployed import Deployed

Cli = Callable[..., Ended]
CONTIGS = [{"SN": "chr1", "LN": 640}, {"SN": "chr2", "LN": 640}]
ALIGN = "leave `start` empty to align its reads"
NO_CONTIGS = f"expected aligned reads, found unaligned ones: its header has no sequences (@SQ); {ALIGN}"
UNSORTED = "expected records sorted by position, found SO:unsorted in its header; sort it with `samtools sort`"
SAMPLE = "expected read groups of sample d (SM), found D; give the sample that name in the sheet"
OTHER = "expected chr1 of 640 bp as contig 1, as in the reference, found 1 of 640 bp"
CUT = "expected a whole BAM file, found no last block (EOF): it is cut off"


def header(folder: Path, name: str, order: str = "coordinate", sample: str = "", **changes: str) -> Path:
    """Write a BAM file without records, whose contigs have other names where they are given."""
    path = folder / f"{name}.bam"
    rows = [{**one, "SN": changes.get(str(one["SN"]), one["SN"])} for one in CONTIGS] if name != "ubam" else []
    groups = [{"ID": "1", "SM": sample or name}]
    with pysam.AlignmentFile(str(path), "wb", header={"HD": {"VN": "1.6", "SO": order}, "SQ": rows, "RG": groups}):
        return path


def bad_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """Return a file and the beginning of its problem for each of some samples."""
    cut = header(folder, "cut")
    cut.write_bytes(cut.read_bytes()[:-28])
    return {
        "ubam": (header(folder, "ubam"), NO_CONTIGS),
        "unsorted": (header(folder, "unsorted", "unsorted"), UNSORTED),
        "d": (header(folder, "d", sample="D"), SAMPLE),
        "cut": (cut, CUT),
        "other": (header(folder, "other", chr1="1"), OTHER),
    }


def write_sheet(path: Path, files: dict[str, str]) -> Path:
    rows = [f"{sample},{uri},variant_calling\n" for sample, uri in files.items()]
    path.write_text("".join(["sample,bam,start\n", *rows]))
    return path


def problems(ended: Ended) -> list[str]:
    return [line.removeprefix("error: ") for line in ended.err.splitlines() if line.startswith("error: ")]


def test_a_run_is_refused_with_the_problems_of_all_headers(tmp_path: Path, cli: Cli) -> None:
    reference = tmp_path / "reference.fa"
    reference.write_text(FASTA)
    bad = bad_files(tmp_path)
    good = header(tmp_path, "good")
    sheet = write_sheet(
        tmp_path / "sheet.csv", {name: str(file) for name, (file, _) in bad.items()} | {"good": str(good)}
    )
    run = ("run", sheet, "--reference", reference, "--out", tmp_path / "run")
    ended = cli(*run)
    assert ended.code == 1
    known = {name: one for name, one in bad.items() if name != "other"}
    for line, (found, (name, (file, expected))) in enumerate(zip(problems(ended), known.items(), strict=False), 2):
        assert found.startswith(f"{sheet}:{line}:bam: sample {name}, lane L001: {file}: {expected}")
    assert problems(ended)[-1].startswith("4 of 6 samples cannot be read, more than the 3 that are tolerated")

    write_sheet(sheet, {"other": str(bad["other"][0])})
    ended = cli(*run)  # the contigs are known once the reference is indexed
    (found,) = problems(ended)
    assert found.startswith(f"{sheet}:2:bam: sample other, lane L001: {bad['other'][0]}: {OTHER}")
    assert not (tmp_path / "run/definition.json").exists()


def test_samples_that_trimming_does_not_reach_are_named(tmp_path: Path, cli: Cli) -> None:
    reference = tmp_path / "reference.fa"
    reference.write_text(FASTA)
    (tmp_path / "reads.fastq").write_text("@r\nACGT\n+\nIIII\n")
    rows = ("A,reads.fastq,,", f"B,,{header(tmp_path, 'B')},variant_calling", f"C,,{header(tmp_path, 'C')},")
    (tmp_path / "sheet.csv").write_text("\n".join(["sample,fastq_1,bam,start", *rows]) + "\n")
    run = ("run", tmp_path / "sheet.csv", "--reference", reference, "--out", tmp_path / "run", "--dry-run")
    trims = ("--param", "alignment.adapters=illumina", "--param", "alignment.quality_cutoff=20")
    words = "samples whose gVCF is given, or which are taken as aligned, are not trimmed"
    warning = f"warning: {words} (alignment.adapters, alignment.quality_cutoff): B"
    for options, expected in ((trims, [warning]), ((), []), ((*trims, "--sample", "A"), [])):
        ended = cli(*run, *options)
        assert (ended.code, [line for line in ended.err.splitlines() if "trimmed" in line]) == (0, expected)


def test_files_whose_primers_would_stay_are_refused(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "reference.fa").write_text(FASTA)
    (tmp_path / "primers.bed").write_text("chr1\t0\t20\n")
    sheet = write_sheet(tmp_path / "sheet.csv", {"a": str(header(tmp_path, "a"))})
    run = ("run", sheet, "--reference", tmp_path / "reference.fa", "--out", tmp_path / "run")
    ended = cli(*run, "--param", f"alignment.primers={tmp_path / 'primers.bed'}")
    expected = f"expected reads to align with alignment.primers, found a file to take as aligned; {ALIGN}"
    assert (ended.code, problems(ended)) == (1, [f"{sheet}:2:start: sample a, lane L001: {expected}"])


def test_a_submission_is_refused_with_the_problems_of_all_headers(
    stack: Deployed, reference: str, tmp_path: Path, cli: Cli
) -> None:
    bad = bad_files(tmp_path)
    uris = {name: stack.put(f"given/{name}.bam", file.read_bytes()) for name, (file, _) in bad.items()}
    sheet = write_sheet(tmp_path / "sheet.csv", uris)
    ended = cli("submit", sheet, "--reference", reference)
    assert ended.code == 1
    for line, (found, (name, (_, expected))) in enumerate(zip(problems(ended), bad.items(), strict=True), 2):
        assert found.startswith(f"{sheet}:{line}:bam: sample {name}, lane L001: {uris[name]}: {expected}")
    good = stack.put("given/good.bam", header(tmp_path, "good").read_bytes())
    sheet = write_sheet(sheet, {"other": uris["other"], "good": good})
    ended = cli("submit", sheet, "--reference", reference, "--tolerate", "1", "--dry-run")
    assert ended.code == 0, ended.err
    assert OTHER in ended.err
    assert "; the sample will fail" in ended.err


def test_files_that_need_more_disk_than_a_job_has_are_refused(
    stack: Deployed, reference: str, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = stack.put("given/good.bam", header(tmp_path, "good").read_bytes())
    size = stack.s3.head_object(Bucket=stack.bucket, Key="given/good.bam")["ContentLength"]
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(f"sample,bam\ngood,{good}\n")
    monkeypatch.setattr(disk, "GIB", size * 3.5 / 400.5)  # so that the file needs half a GiB more than there is
    (found,) = problems(cli("submit", sheet, "--reference", reference))
    needs = (
        "expected reads that alignment needs at most 400 GiB of disk for (disk_gib), found 114 GiB, which may need 401"
    )
    assert found.startswith(f"{sheet}:2:bam: sample good: {needs}; give FASTQ files, which are streamed, or")
    write_sheet(sheet, {"good": good})  # without a copy, and without sorting
    assert cli("submit", sheet, "--reference", reference, "--dry-run").code == 0
