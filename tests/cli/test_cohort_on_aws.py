"""A cohort from FASTQ files to a joint VCF on AWS, from `submit` to `results`; the shipped steps work on S3."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pysam
import pytest

from genomics_pipeline import __version__
from genomics_pipeline.stores.protocol import ObjectPart
from genomics_pipeline.stores.s3 import S3Store
from tests.cli.conftest import Ended
from tests.fakes.deployed import Deployed
from tests.fakes.jobs import shipped_steps

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

Cli = Callable[..., Ended]
JOINT = "variant_calling/joint/joint_germline.vcf.gz"
VERSIONS = "pipeline_info/genomics_pipeline_software_mqc_versions.yml"
COMMANDS = {  # in the log of an item of each stage
    "alignment/sample1": "$ minibwa map reference.fa sample1_S1_L001_R1_001.fastq.gz sample1_S1_L001_R2_001.fastq.gz",
    "variant_calling/sample1": "$ bcftools call -mv",
    "aggregation/00000": "$ bcftools call ",
    "gather/cohort": "$ bcftools concat --naive",
    "annotation/cohort": "$ bcftools csq --fasta-ref reference.fa",
}
SAID = {"variant_calling/sample1": "bcftools mpileup: ", "annotation/cohort": "bcftools csq: "}
ANNOTATED = "annotation/joint/joint_germline.annotated.vcf.gz"
GENES = "".join(
    f"1\tx\t{kind}\t1001\t7000\t.\t+\t{phase}\t{attributes}\n"
    for kind, phase, attributes in (
        ("gene", ".", "ID=gene:G1;Name=G1;biotype=protein_coding"),
        ("mRNA", ".", "ID=transcript:T1;Parent=gene:G1;biotype=protein_coding"),
        ("CDS", "0", "ID=CDS:P1;Parent=transcript:T1"),
    )
)


def on_s3(cohort: Path, stack: Deployed, sheet: Path, broken: str) -> Path:
    """Write the cohort's sheet with its files on S3; one sample's reads are truncated."""
    with (cohort / "cohort.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for column in ("fastq_1", "fastq_2"):
            data = (cohort / row[column]).read_bytes()
            row[column] = stack.put(f"reads/{row[column]}", data[:-40] if row["sample"] == broken else data)
    with sheet.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return sheet


def genotypes(vcf: Path) -> list[str]:
    with pysam.VariantFile(str(vcf)) as file:
        return [str(record) for record in file]


def write_known(path: Path) -> None:
    with pysam.BGZFile(str(path), "wb", index=None) as out:
        out.write(b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\nchr1\t5\trs1\tA\tC\t.\t.\t.\n")
    pysam.tabix_index(str(path), preset="vcf", force=True)


def bytes_read(stack: Deployed, run: str) -> dict[str, int]:
    """Return the bytes that the tasks of a run read, by stage."""
    read: dict[str, int] = defaultdict(int)
    for key in stack.keys(f"runs/{run}/steps/"):
        if key.endswith("/step.json"):
            record = json.loads(stack.s3.get_object(Bucket=stack.bucket, Key=key)["Body"].read())
            read[record["stage"]] += record["input_bytes"]
    return dict(read)


@dataclass
class Transfers:
    """The parts of objects that are read, with their bytes, and the objects that are transferred as a whole."""

    read: list[tuple[str, int]] = field(default_factory=list)  # threads append to it
    whole: list[str] = field(default_factory=list)

    @property
    def parts(self) -> dict[str, int]:
        """The bytes that are read of parts of each object."""
        return {name: sum(size for other, size in self.read if other == name) for name, _ in self.read}


@pytest.fixture
def transfers(monkeypatch: pytest.MonkeyPatch) -> Transfers:
    found, read_part, download = Transfers(), S3Store.read_part, S3Store._download

    def record_part(store: S3Store, uri: str, *rest: Any) -> ObjectPart:
        part = read_part(store, uri, *rest)
        found.read.append((uri.rpartition("/")[2], len(part.data)))
        return part

    def record_whole(store: S3Store, uri: str, *rest: Any) -> None:
        found.whole.append(uri.rpartition("/")[2])
        download(store, uri, *rest)

    monkeypatch.setattr(S3Store, "read_part", record_part)
    monkeypatch.setattr(S3Store, "_download", record_whole)
    return found


def test_a_cohort_runs_from_submit_to_results(
    stack: Deployed, step_functions: FakeAws, tmp_path: Path, cli: Cli, transfers: Transfers
) -> None:
    cohort = tmp_path / "cohort"
    assert cli("simulate", "--out", cohort, "--samples", "3", "--length", "12000", "--depth", "20").code == 0
    step_functions.batch.run_job = shipped_steps(tmp_path / "scratch")
    sheet = on_s3(cohort, stack, tmp_path / "cohort.csv", broken="sample3")
    reference = cohort / "reference.fa"

    known = cohort / "known.vcf.gz"
    write_known(known)
    stack.put("ref/known.vcf.gz.tbi", Path(f"{known}.tbi").read_bytes())
    annotation = (
        f"--param=annotation.gff3={stack.put('ref/genes.gff3', GENES)}",
        f"--param=annotation.dbsnp={stack.put('ref/known.vcf.gz', known.read_bytes())}",
    )
    submitted = cli("submit", sheet, "--reference", reference, "--json", *annotation)
    assert submitted.code == 0, submitted.err
    run = json.loads(submitted.out)["run"]
    step_functions.execution(run).wait()

    gvcfs = {
        key.rpartition("/")[2]: stack.s3.head_object(Bucket=stack.bucket, Key=key)["ContentLength"]
        for key in stack.keys(f"runs/{run}/results/variant_calling/sample")
        if ".g.vcf.gz" in key
    }
    assert transfers.parts == gvcfs  # of this small genome, the interval is all of it: each is read once, not more
    assert not gvcfs.keys() & set(transfers.whole)
    assert len([key for key in stack.keys(f"runs/{run}/steps/variant_calling.gvcf-") if key.endswith(".jsonl")]) == 1

    status = json.loads(cli("status", run, "--json").out)
    assert status["status"] == "SUCCEEDED"
    (failure,) = status["failures"]["items"]
    assert (failure["item"], failure["stage"], failure["class"]) == ("sample3", "alignment", "bad_input")
    assert "expected a whole gzip file, found its end: the file is truncated" in failure["message"]
    assert "truncated" in cli("logs", run, "--failed").out

    fetched = cli("results", run, "--json", "--download", tmp_path / "fetched")
    assert fetched.code == 0, fetched.err
    results = {one["item"]: one for one in map(json.loads, fetched.out.splitlines())}
    assert {item: one["state"] for item, one in results.items()} == {
        "sample1": "SUCCEEDED",
        "sample2": "SUCCEEDED",
        "sample3": "FAILED",
        "cohort": "SUCCEEDED",
    }
    report = (tmp_path / "fetched/reports/report.html").read_text()
    assert "The run ended incomplete: 2 of 3 samples done, 1 failed; the cohort is done without the others." in report

    (cohort / "genes.gff3").write_text(GENES)
    local = (f"--param=annotation.gff3={cohort / 'genes.gff3'}", f"--param=annotation.dbsnp={known}")
    here = ("--reference", reference, "--out", tmp_path / "here", "--sample", "sample1", "--sample", "sample2", *local)
    assert cli("run", cohort / "cohort.csv", *here).code == 0
    assert genotypes(tmp_path / "fetched" / JOINT) == genotypes(tmp_path / "here/results" / JOINT)
    assert genotypes(tmp_path / "here/results" / JOINT)
    annotated = genotypes(tmp_path / "here/results" / ANNOTATED)
    assert genotypes(tmp_path / "fetched" / ANNOTATED) == annotated
    assert len(annotated) == len(genotypes(tmp_path / "here/results" / JOINT))
    assert any("BCSQ=" in one for one in annotated)

    versions = (tmp_path / "fetched" / VERSIONS).read_text()
    assert versions == (tmp_path / "here/results" / VERSIONS).read_text()
    assert versions.startswith('"alignment":\n    "alignment": "')
    assert f'"workflow":\n    "genomics-pipeline": "{__version__}"\n    "python": "' in versions
    for item, command in COMMANDS.items():
        key = f"runs/{run}/steps/{item}/log.txt"
        log = stack.s3.get_object(Bucket=stack.bucket, Key=key)["Body"].read().decode().splitlines()
        assert [line for line in log if line.startswith(command)], item
        assert [line for line in log if line.startswith(SAID.get(item, "$ "))], item

    tags = {
        key: stack.s3.get_object_tagging(Bucket=stack.bucket, Key=key)["TagSet"]
        for key in stack.keys(f"runs/{run}/results/variant_calling/joint/")
        if key.endswith(".vcf.gz")
    }
    expiring = {key.rpartition("/")[2] for key, tag in tags.items() if tag}
    assert expiring == {"joint_germline.00000.vcf.gz"}  # the outputs of intervals, not those of the cohort

    again = json.loads(cli("submit", sheet, "--reference", reference, "--json", *annotation).out)
    assert (again["run"], again["started"], again["status"]) == (run, False, "SUCCEEDED")
    assert [json.loads(line)["run"] for line in cli("runs", "--json").out.splitlines()] == [run]

    whole = tmp_path / "whole.csv"
    lines = sheet.read_text().splitlines(keepends=True)
    whole.write_text("".join(line for line in lines if not line.startswith("sample3,")))

    def plan(rows: Path, history: str) -> dict[str, int]:
        planned = cli("plan", rows, "--reference", reference, "--history", history, "--json", *annotation)
        assert planned.code == 0, planned.err
        found = json.loads(planned.out)
        counted.append((found["transitions"], found["jobs"]))
        return {one["stage"]: one["input_bytes"] for one in found["timeline"]}

    def read(rows: Path) -> tuple[str, dict[str, int]]:
        started = json.loads(cli("submit", rows, "--reference", reference, "--json", *annotation).out)
        execution = step_functions.execution(started["run"])
        execution.wait()
        result = json.loads((execution.folder / "execution.jsonl").read_text().splitlines()[-1])["result"]
        jobs = [key for key in stack.keys(f"runs/{started['run']}/steps/") if key.endswith("/step.json")]
        executed.append((result["transitions"], len(jobs)))
        return started["run"], bytes_read(stack, started["run"])

    counted: list[tuple[int, int]] = []  # transitions and jobs: of plans, and of runs
    executed: list[tuple[int, int]] = []

    after_failure = plan(whole, run)
    following, of_following = read(whole)
    of_samples = {"alignment", "variant_calling"}
    assert {name: after_failure[name] for name in of_samples} == {name: of_following[name] for name in of_samples}
    assert after_failure == pytest.approx(of_following, rel=0.05)  # the joint VCF named the sample that was missing
    exact = plan(whole, following)
    renamed = tmp_path / "renamed.csv"
    renamed.write_text(whole.read_text().replace("sample2,XY", "samplex,XY"))
    another, of_another = read(renamed)
    assert another not in (run, following)
    assert of_another == pytest.approx(exact, abs=8)  # bytes by which another name is compressed
    assert set(counted) == set(executed)
    assert len(set(executed)) == 1
