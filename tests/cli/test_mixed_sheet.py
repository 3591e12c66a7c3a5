"""Sheets with files of all kinds: each sample starts where its input stands, here and on AWS."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pysam
import pytest

from genomics_pipeline.cli.main import main
from tests.cli.conftest import Ended
from tests.fakes.deployed import Deployed
from tests.fakes.jobs import payload_of, shipped_steps
from tests.fakes.web_files import WebFiles

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

Cli = Callable[..., Ended]
JOINT = "results/variant_calling/joint/joint_germline.vcf.gz"
COLUMNS = ("sample", "lane", "fastq_1", "fastq_2", "bam", "cram", "gvcf", "accession", "start")
FILES = ("fastq_1", "fastq_2", "bam", "cram", "gvcf")
SAMPLES = [f"sample{number}" for number in range(1, 6)]
RUN = "SRR16298157"


@pytest.fixture(scope="module")
def of_fastq(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run five samples from their FASTQ files, and return the folder of the cohort; the run is in ``run``."""
    cohort = tmp_path_factory.mktemp("mixed") / "cohort"
    reference = ("--reference", cohort / "reference.fa")
    for command in (
        ("simulate", "--out", cohort, "--samples", "5", "--length", "8000", "--depth", "12"),
        ("run", cohort / "cohort.csv", *reference, "--out", cohort / "run"),
    ):
        with pytest.raises(SystemExit) as end:
            main(list(map(str, command)))
        assert not end.value.code
    return cohort


@pytest.fixture
def ena(of_fastq: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebFiles]:
    """Yield a server that is ENA's portal, and has the reads of sample2 as those of `RUN`."""
    with WebFiles() as server:
        (lane,) = fastq_rows(of_fastq, "sample2")
        contents = {number: Path(lane[f"fastq_{number}"]).read_bytes() for number in (1, 2)}
        row = {
            "run_accession": RUN,
            "fastq_ftp": ";".join(f"{server.url.partition('//')[2]}/{RUN}_{number}.fastq.gz" for number in contents),
            "fastq_md5": ";".join(hashlib.md5(one, usedforsecurity=False).hexdigest() for one in contents.values()),
        }
        for number, content in contents.items():
            server.put(f"/{RUN}_{number}.fastq.gz", content)
        server.reports[RUN] = json.dumps([row]).encode()
        monkeypatch.setenv("GENOMICS_PIPELINE_ENA", f"{server.url}/portal/")
        yield server


def fastq_rows(cohort: Path, sample: str) -> list[dict[str, str]]:
    """Return the rows of a sample in the sheet of the cohort, with paths that any sheet can have."""
    header, *lines = [line.split(",") for line in (cohort / "cohort.csv").read_text().splitlines()]
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    files = ("fastq_1", "fastq_2")
    return [{**row, **{name: str(cohort / row[name]) for name in files}} for row in rows if row["sample"] == sample]


def bam(cohort: Path, sample: str) -> Path:
    """Return the alignments of a sample of the run."""
    return cohort / f"run/results/preprocessing/{sample}/{sample}.md.bam"


def ubam(cohort: Path) -> Path:
    path = cohort / "u.bam"
    pysam.samtools.reset("-o", str(path), "--no-PG", str(bam(cohort, "sample3")), catch_stdout=False)
    return path


def cram(cohort: Path) -> Path:
    path = cohort / "a.cram"
    options = ["-C", "-T", str(cohort / "reference.fa"), "-o", str(path)]
    pysam.samtools.view(*options, str(bam(cohort, "sample4")), catch_stdout=False)
    return path


def mixed_rows(cohort: Path, **others: dict[str, str]) -> list[dict[str, str]]:
    """Return rows of five samples: FASTQ, accession, gVCF, and those of the two others."""
    gvcf = cohort / "run/results/variant_calling/sample5/sample5.g.vcf.gz"
    return [
        *fastq_rows(cohort, "sample1"),
        {"sample": "sample2", "accession": RUN},
        *({"sample": name, **other} for name, other in others.items()),
        {"sample": "sample5", "gvcf": str(gvcf)},
    ]


def write_sheet(sheet: Path, rows: Iterable[dict[str, str]]) -> Path:
    lines = [",".join(COLUMNS), *(",".join(row.get(column, "") for column in COLUMNS) for row in rows)]
    sheet.write_text("\n".join(lines) + "\n")
    return sheet


def on_s3(rows: Iterable[dict[str, str]], stack: Deployed) -> None:
    """Put the files of rows on S3, and change the rows."""
    for row in rows:
        for column in row.keys() & set(FILES):
            file = Path(row[column])
            row[column] = stack.put(f"given/{row['sample']}/{file.name}", file.read_bytes())
            if column == "gvcf":
                stack.put(f"given/{row['sample']}/{file.name}.tbi", Path(f"{file}.tbi").read_bytes())


def variants(vcf: Path) -> tuple[list[str], list[str]]:
    """Return the samples of a joint VCF, and its records."""
    with pysam.VariantFile(str(vcf)) as file:
        return list(file.header.samples), [str(record) for record in file]


def test_a_mixed_sheet_gives_the_joint_vcf_of_its_fastq_files(
    of_fastq: Path, ena: WebFiles, tmp_path: Path, cli: Cli
) -> None:
    unaligned, aligned = {"bam": str(ubam(of_fastq))}, {"cram": str(cram(of_fastq)), "start": "variant_calling"}
    sheet = write_sheet(tmp_path / "mixed.csv", mixed_rows(of_fastq, sample3=unaligned, sample4=aligned))
    run = ("run", sheet, "--reference", of_fastq / "reference.fa", "--out", tmp_path / "run", "--json")
    ended = cli(*run)
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["steps"]["run"] == 4 * 2 + 2
    names, records = variants(tmp_path / "run" / JOINT)
    assert names == SAMPLES
    assert (names, records) == variants(of_fastq / "run" / JOINT)
    assert records

    asked = len(ena.requests)
    assert json.loads(cli(*run).out)["steps"]["run"] == 0
    assert not [one for one in ena.requests[asked:] if one.path.startswith("/portal/")]

    rows = mixed_rows(of_fastq, sample3=unaligned, sample4={**aligned, "start": ""})
    write_sheet(sheet, rows)
    planned = cli(*run[:-1], "--dry-run").out
    assert "alignment of sample4" in planned


def test_a_mixed_sheet_on_aws_and_a_sample_that_is_added_to_it(
    stack: Deployed, step_functions: FakeAws, tmp_path: Path, cli: Cli, of_fastq: Path, ena: WebFiles
) -> None:
    step_functions.batch.run_job = shipped_steps(tmp_path / "scratch")
    aligned, again = {"bam": str(bam(of_fastq, "sample3")), "start": "variant_calling"}, {"cram": str(cram(of_fastq))}
    rows = mixed_rows(of_fastq, sample3=aligned, sample4=again)
    on_s3(rows, stack)

    def submitted(sheet: Path, folder: str, *options: str) -> tuple[str, tuple[list[str], list[str]]]:
        """Run a sheet on AWS, and return the name of the run and the variants."""
        ended = cli("submit", sheet, "--reference", of_fastq / "reference.fa", "--json", *options)
        assert ended.code == 0, ended.err
        run = json.loads(ended.out)["run"]
        step_functions.execution(run).wait()
        assert json.loads(cli("status", run, "--json").out)["status"] == "SUCCEEDED"
        assert cli("results", run, "--download", tmp_path / folder / "results").code == 0
        return run, variants(tmp_path / folder / JOINT)

    run, (names, records) = submitted(write_sheet(tmp_path / "mixed.csv", rows), "five")
    assert names == SAMPLES
    assert (names, records) == variants(of_fastq / "run" / JOINT)

    new = [{**row, "sample": "new"} for row in rows if row["sample"] == "sample1"]
    bed = stack.put("panel.bed", "chr1\t1000\t3000\n")
    joined, (names, on_target) = submitted(
        write_sheet(tmp_path / "new.csv", new), "six", "--joint-with", run, "--regions", bed
    )
    assert names == ["new", *SAMPLES[:4], "sample5"]
    # The new sample has the reads of another: what is too weak in one may be enough in both.
    expected = [(contig, place) for contig, place in passing(records) if contig == "chr1" and 1000 < place <= 3000]
    assert passing(on_target) == expected
    assert expected
    assert stages(step_functions, joined) == ["aggregation", "alignment", "gather", "variant_calling"]

    gvcf = f"s3://{stack.bucket}/runs/{joined}/results/variant_calling/new/new.g.vcf.gz"
    only = write_sheet(tmp_path / "only.csv", [{"sample": "new", "gvcf": gvcf}])
    without_reads, (names, _) = submitted(only, "none", "--joint-with", f"s3://{stack.bucket}/runs/{run}/")
    assert names == ["new", *SAMPLES]
    assert stages(step_functions, without_reads) == ["aggregation", "gather"]


def passing(records: list[str]) -> list[tuple[str, int]]:
    """Return the contig and position of each record that passes the filters."""
    fields = [record.split("\t") for record in records]
    return [(one[0], int(one[1])) for one in fields if one[6] == "PASS"]


def stages(step_functions: FakeAws, run: str) -> list[str]:
    """Return the stages of the jobs of a run."""
    payloads = [payload_of(job.job) for job in step_functions.batch.jobs.values()]
    return sorted(one.stage for one in payloads if one.run.name == run)


def test_a_sample_is_added_to_the_samples_of_an_earlier_run(of_fastq: Path, cli: Cli) -> None:
    lines = (of_fastq / "cohort.csv").read_text().splitlines()
    (of_fastq / "new.csv").write_text("\n".join([lines[0], lines[-1].replace("sample5,", "new,")]) + "\n")
    run = ("run", of_fastq / "new.csv", "--reference", of_fastq / "reference.fa", "--joint-with", of_fastq / "run")
    ended = cli(*run, "--out", of_fastq / "six", "--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["steps"]["run"] == 4
    samples, records = variants(of_fastq / "six" / JOINT)
    assert samples == ["new", *(f"sample{number}" for number in range(1, 6))]
    assert all(record.split("\t")[9] == record.rstrip().split("\t")[14] for record in records)  # of the same reads

    again = cli(*run, "--joint-with", of_fastq / "six", "--out", of_fastq / "twice")
    assert again.code == 1
    assert (
        "error: --joint-with: expected samples of earlier runs beside those of the sheet, found new twice" in again.err
    )
    none = cli(*run[:-1], of_fastq, "--out", of_fastq / "none")
    assert (none.code, "expected a run's folder" in none.err) == (1, True)


def test_a_given_gvcf_is_joined_here_and_a_changed_one_again(of_fastq: Path, cli: Cli) -> None:
    gvcfs = of_fastq / "run/results/variant_calling"
    rows = [{"sample": name, "gvcf": str(gvcfs / name / f"{name}.g.vcf.gz")} for name in ("sample1", "sample2")]
    run = ("run", of_fastq / "two.csv", "--reference", of_fastq / "reference.fa", "--out", of_fastq / "two", "--json")

    def joined() -> tuple[int, list[str]]:
        write_sheet(of_fastq / "two.csv", rows)
        ended = cli(*run)
        assert ended.code == 0, ended.err
        return json.loads(ended.out)["steps"]["run"], variants(of_fastq / "two" / JOINT)[0]

    assert joined() == (2, ["sample1", "sample2"])
    assert joined() == (0, ["sample1", "sample2"])
    rows.append({"sample": "sample3", "gvcf": str(gvcfs / "sample3/sample3.g.vcf.gz")})
    assert joined() == (2, ["sample1", "sample2", "sample3"])
