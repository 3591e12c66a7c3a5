"""A parameter that is ranged: a panel in S3, of which a job over an interval gets its part, as VCF and as BCF."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pysam
import pysam.bcftools
import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.reference.tabix_index import IndexChunk, TabixIndex
from genomics_pipeline.stores.s3 import S3Store
from genomics_pipeline.worker.excerpt import PartReader, Span, write_excerpt
from tests.fakes.memory_store import MemoryStore
from tests.faults.proxy import FaultyS3
from tests.small_project import task_json, write_step

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PICK = """
import json, sys
import pysam
task = json.load(open(sys.argv[1]))
contig, _, bounds = task["item"]["regions"][0].rpartition(":")
start, end = map(int, bounds.split("-"))
with open(task["outputs"]["lines"], "w") as out, pysam.VariantFile(task["parameters"]["panel"]) as panel:
    out.writelines(map(str, panel.fetch(contig, start - 1 - 1000, end + 1000)))
"""
DECLARATIONS = """
[inputs.other]
type = "file"
optional = true
[outputs.lines]
path = "{interval}.txt"
[parameters.panel]
type = "file"
summary = "Phased genotypes"
indexes = ["tbi", "csi"]
ranged = true
margin_bp = 1000
"""
CONTIGS = ("chrM", "chr2", "chr1", "chr3")  # records are of chr2 and chr1
KINDS = ("vcf.gz.tbi", "vcf.gz.csi", "bcf.csi")
REGION = ("chr1", 20_000_001, 21_000_000)


def lines() -> Iterator[str]:
    """Yield the lines of a panel with text that does not compress well."""
    rng = random.Random(1)
    yield "##fileformat=VCFv4.2\n"
    yield from (f"##contig=<ID={name},length=50000000>\n" for name in CONTIGS)
    yield '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    yield "\t".join(["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT", "P1", "P2"]) + "\n"
    for contig in ("chr2", "chr1"):
        for pos in range(1, 40_000_000, 4001):
            genotypes = "\t".join(rng.choice(("0|0", "0|1", "1|1")) for _ in range(2))
            yield f"{contig}\t{pos}\t{rng.randbytes(60).hex()}\tA\tC\t.\t.\t.\tGT\t{genotypes}\n"


@pytest.fixture(scope="module", params=KINDS)
def panel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a panel and its index."""
    name, _, ending = f"panel.{request.param}".rpartition(".")
    path = tmp_path_factory.mktemp("panel") / name
    plain = path.parent / "plain.vcf.gz"
    with pysam.BGZFile(str(plain), "wb", index=None) as out:
        for line in lines():
            out.write(line.encode())
    form = "-Ob" if name.endswith("bcf") else "-Oz"
    pysam.bcftools.view("--no-version", form, "-o", str(path), str(plain), catch_stdout=False)
    pysam.bcftools.index("--tbi" if ending == "tbi" else "--csi", str(path), catch_stdout=False)
    return path, Path(f"{path}.{ending}")


def records(path: Path, contig: str, start: int, end: int) -> list[str]:
    with pysam.VariantFile(str(path)) as file:
        return list(map(str, file.fetch(contig, start, end)))


def excerpt(data: bytes, index: Path, spans: list[Span], path: Path) -> int:
    """Write an excerpt of a file in memory, and return the bytes that were read."""
    store = MemoryStore()
    store.write("s3://b/panel", data)
    info = store.stat("s3://b/panel")
    assert info is not None
    reader = PartReader(store, "s3://b/panel", info.version, len(data), threading.Event())
    write_excerpt(reader, TabixIndex(index.read_bytes()), spans, path)
    return reader.read_bytes


@pytest.mark.parametrize("seed", range(4))
def test_an_excerpt_of_a_panel_has_the_records_of_its_spans(
    panel: tuple[Path, Path], tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    spans = []
    for contig in ("chr2", "chr1"):
        start = rng.randrange(40_000_000)
        spans.append(Span(contig, start, start + rng.choice((1, 50_000, 5_000_000, 40_000_000))))
    spans.append(Span("chr3", 0, 1000))  # without records
    to = tmp_path / panel[0].name
    excerpt(panel[0].read_bytes(), panel[1], [*spans, Span("other", 0, 9)], to)
    for span in spans:
        assert records(to, *span) == records(panel[0], *span)


@pytest.mark.parametrize("panel", ["bcf.csi"], indirect=True)
def test_an_index_of_another_panel_is_refused(panel: tuple[Path, Path], tmp_path: Path) -> None:
    data = panel[0].read_bytes()
    with pysam.BGZFile(str(tmp_path / "short.vcf.gz"), "wb", index=None) as out:
        out.write("".join(line for line in lines() if not line.startswith("chr2\t")).encode())
    other = tmp_path / "short.bcf"
    pysam.bcftools.view("-Ob", "-o", str(other), str(tmp_path / "short.vcf.gz"), catch_stdout=False)
    pysam.bcftools.index(str(other), catch_stdout=False)
    with pytest.raises(
        DataError, match=r"the file is damaged, or the index is of another file|expected a block of bgzip"
    ):
        excerpt(data, Path(f"{other}.csi"), [Span("chr1", 100, 200)], tmp_path / "excerpt.bcf")


@pytest.mark.parametrize("panel", ["bcf.csi"], indirect=True)
def test_a_chunk_that_begins_within_a_record_is_refused(
    panel: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks = TabixIndex.chunks

    def shifted(self: TabixIndex, *span: Any) -> list[IndexChunk]:
        return [IndexChunk(chunk.start + 1, chunk.end) for chunk in chunks(self, *span)]

    monkeypatch.setattr(TabixIndex, "chunks", shifted)
    expected = (
        r"^expected a record of chr1 at byte \d+, found .*; the file is damaged, or the index is of another file$"
    )
    with pytest.raises(DataError, match=expected):
        excerpt(panel[0].read_bytes(), panel[1], [Span("chr1", 100, 200)], tmp_path / "excerpt.bcf")


@pytest.mark.parametrize("panel", ["bcf.csi"], indirect=True)
def test_an_index_without_names_is_not_that_of_a_vcf(panel: tuple[Path, Path], tmp_path: Path) -> None:
    with pysam.BGZFile(str(tmp_path / "p.vcf.gz"), "wb", index=None) as out:
        out.write("".join(lines()).encode())
    with pytest.raises(DataError, match=r"^expected a whole index of tabix .*, found one without names of contigs$"):
        excerpt((tmp_path / "p.vcf.gz").read_bytes(), panel[1], [Span("chr1", 100, 200)], tmp_path / "e.vcf.gz")


def test_a_job_over_an_interval_reads_its_part_of_the_panel(
    panel: tuple[Path, Path], tmp_path: Path, s3: S3Client, aws: str
) -> None:
    store, place = S3Store(s3), RunPlace("r", "reads", "runs/r/")
    step = write_step(tmp_path, "pick", PICK, DECLARATIONS)
    for path in panel:
        store.write(f"s3://reads/given/{path.name}", path.read_bytes())
    payload = task_json(
        "pick",
        [{"interval": "00000", "regions": [f"{REGION[0]}:{REGION[1]}-{REGION[2]}"]}],
        scope="interval",
        run={"name": "r", "bucket": place.bucket, "prefix": place.prefix},
        parameters={"panel": f"s3://reads/given/{panel[0].name}"},
        publish={"lines": "lines"},
    )
    settings = {"TASK": json.dumps(payload), "STEP": str(step), "SCRATCH": str(tmp_path / "scratch"), "BUCKETS": "{}"}
    with FaultyS3(aws, lambda method, path: None) as proxy:
        environment = {**os.environ, **{f"GENOMICS_PIPELINE_{name}": value for name, value in settings.items()}}
        environment["AWS_ENDPOINT_URL"] = proxy.url
        argv = [sys.executable, "-m", "genomics_pipeline.worker"]
        ended = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        sent = proxy.sent_bytes[f"/reads/given/{panel[0].name}"]
    assert ended.returncode == 0, ended.stderr
    found = store.read(place.uri("results/lines/00000.txt")).decode()
    assert found == "".join(records(panel[0], REGION[0], REGION[1] - 1 - 1000, REGION[2] + 1000))
    assert found.count("\n") == 250
    whole = panel[0].stat().st_size
    assert whole > 1_000_000
    record = json.loads(store.read(place.uri("steps/pick/00000/step.json")))
    assert (record["input_bytes"], record["parameter_bytes"]) == (0, sent + panel[1].stat().st_size)
    assert 0 < sent < whole / 5  # most of it is the first part, 64 KiB, for the header
