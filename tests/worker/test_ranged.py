"""Excerpts of remote gVCFs: their records, what is read for them, and files that are not as they should be."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pysam
import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference.bgzf import whole_blocks
from genomics_pipeline.reference.tabix_index import IndexChunk, TabixIndex
from genomics_pipeline.stores.protocol import ChangedObject, MissingObject, OtherContent, Store, TransferStopped
from genomics_pipeline.stores.s3 import S3Store
from genomics_pipeline.stores.web_store import WebStore
from genomics_pipeline.worker.excerpt import PartReader, Span, spans_of, write_excerpt
from genomics_pipeline.worker.ranged import Excerpt, Excerpts, RemoteFile
from tests.fakes.memory_store import MemoryStore
from tests.fakes.web_files import WebFiles
from tests.random_gvcf import CONTIGS, write_gvcf

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NAME = "a.g.vcf.gz"
SPANS = [Span("chr1", 20_000_000, 20_300_000)]
Put = Callable[[str, bytes], RemoteFile]


@pytest.fixture(scope="module", params=["tbi", "csi"])
def gvcf(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gvcf") / NAME
    write_gvcf(path, csi=request.param == "csi")
    return path


def index_of(gvcf: Path) -> Path:
    return next(path for path in (Path(f"{gvcf}.tbi"), Path(f"{gvcf}.csi")) if path.exists())


class Remote:
    """A remote gVCF with its index, as outputs of a run in memory."""

    def __init__(self, gvcf: Path, folder: Path) -> None:
        self.store = MemoryStore()
        self.folder = folder
        self.file = self.put(NAME, gvcf.read_bytes())
        self.index = self.put(index_of(gvcf).name, index_of(gvcf).read_bytes())
        self.cancelled = threading.Event()

    def put(self, name: str, data: bytes, **other: str | None) -> RemoteFile:
        uri = f"s3://b/{name}"
        self.store.write(uri, data)
        info = self.store.stat(uri)
        assert info is not None
        return RemoteFile(uri, len(data), info.version, sha256(data).hexdigest())

    def fetch(self, *spans: Span) -> Excerpt:
        return Excerpts(self.store, spans or SPANS, self.cancelled).fetch(self.file, self.index, self.folder)

    def error(self, kind: type[DataError], *spans: Span) -> str:
        with pytest.raises(kind) as caught:
            self.fetch(*spans)
        assert caught.type is kind
        return str(caught.value)


@pytest.fixture
def remote(gvcf: Path, tmp_path: Path) -> Remote:
    return Remote(gvcf, tmp_path)


def records(path: Path, contig: str, start: int, end: int) -> list[str]:
    with pysam.TabixFile(str(path), index=str(index_of(path))) as file:
        return list(file.fetch(contig, start, end)) if contig in file.contigs else []


def random_spans(rng: random.Random) -> list[Span]:
    chosen = []
    for contig, length in CONTIGS.items():
        for _ in range(rng.randrange(3)):
            start = rng.randrange(length)
            chosen.append(Span(contig, start, start + rng.choice((1, 500, 50_000, length))))
    return sorted(chosen, key=lambda span: (list(CONTIGS).index(span.contig), span.start))


@pytest.mark.parametrize("seed", range(12))
def test_an_excerpt_has_the_records_of_its_spans(remote: Remote, gvcf: Path, seed: int) -> None:
    spans = random_spans(random.Random(seed))
    path = remote.fetch(*spans, Span("other", 0, 9)).path
    for span in spans:
        assert records(path, *span) == records(gvcf, *span)
    with pysam.VariantFile(str(path)) as excerpt, pysam.VariantFile(str(gvcf)) as whole:
        assert str(excerpt.header) == str(whole.header)
    with pysam.BGZFile(str(path), "rb", index=None) as text:
        lines = [line for line in text if not line.startswith(b"#")]
    assert len(set(lines)) == len(lines)


def test_every_kind_of_store_gives_the_same_excerpt(remote: Remote, gvcf: Path, s3: S3Client, tmp_path: Path) -> None:
    expected = remote.fetch().path.read_bytes()

    def excerpt(store: Store, base: str, name: str) -> bytes:
        files = []
        for path in (gvcf, index_of(gvcf)):
            info = store.stat(base + path.name)
            assert info is not None
            files.append(RemoteFile(info.uri, info.size_bytes, info.version, None))
        (tmp_path / name).mkdir()
        return Excerpts(store, SPANS, threading.Event()).fetch(files[0], files[1], tmp_path / name).path.read_bytes()

    with WebFiles() as server:
        for path in (gvcf, index_of(gvcf)):
            s3.put_object(Bucket="reads", Key=path.name, Body=path.read_bytes())
            server.put(f"/{path.name}", path.read_bytes())
        assert excerpt(S3Store(s3), "s3://reads/", "s3") == expected
        assert excerpt(WebStore(), f"{server.url}/", "web") == expected
        read = [one for one in server.requests if one.method == "GET" and one.path == f"/{NAME}"]
        assert read
        assert all(one.part for one in read)


def test_a_block_that_is_damaged_is_found_and_one_that_is_not_read_is_not(remote: Remote, gvcf: Path) -> None:
    read = remote.fetch().read_bytes
    assert read < remote.file.size_bytes
    data = gvcf.read_bytes()
    blocks = list(whole_blocks(data, 0))
    for number, is_read in ((0, True), (len(blocks) // 2, True), (len(blocks) - 2, False)):
        damaged = bytearray(data)
        damaged[blocks[number].offset + len(blocks[number].raw) // 2] ^= 0x10
        remote.file = remote.put(NAME, bytes(damaged))
        if is_read:
            found = "found one whose content is not that of its checksum (CRC)"
            message = remote.error(OtherContent)
            assert message == f"s3://b/{NAME}: expected a block of bgzip at byte {blocks[number].offset}, {found}"
        else:
            assert remote.fetch().read_bytes == read


def test_an_index_of_another_file_is_refused(remote: Remote, gvcf: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / NAME
    other.parent.mkdir()
    write_gvcf(other, seed=2, csi=index_of(gvcf).suffix == ".csi")
    remote.index = remote.put("other.tbi", index_of(other).read_bytes())
    assert "the file is damaged, or the index is of another file" in remote.error(
        OtherContent, Span("chr1", 20_000_000, 20_000_100), Span("chr2", 100, 200)
    ) or "expected a block of bgzip" in remote.error(OtherContent)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (1, 0, r"expected a record of chr1 at byte \d+, found b'hr1"),
        (0, -1, r"expected the end of a record at byte \d+, found "),
        (0, 1 << 50, r"expected records to byte \d+, found an earlier end"),
    ],
)
def test_chunks_that_are_no_whole_records_are_refused(
    gvcf: Path, tmp_path: Path, remote: Remote, start: int, end: int, message: str
) -> None:
    class Shifted(TabixIndex):
        """An index whose chunks begin or end a little beside the records."""

        def chunks(self, *span: Any) -> list[IndexChunk]:
            first, *_ = super().chunks(*span)
            return [IndexChunk(first.start + start, first.end + end)]

    index = Shifted(index_of(gvcf).read_bytes())
    file = PartReader(remote.store, remote.file.uri, remote.file.version, remote.file.size_bytes, remote.cancelled)
    with pytest.raises(DataError, match=f"^{message}.*; the file is damaged, or the index is of another file$"):
        write_excerpt(file, index, SPANS, tmp_path / "excerpt.vcf.gz")


def test_damage_of_files_of_the_users_is_no_output_to_make_again(remote: Remote, gvcf: Path) -> None:
    remote.index = remote.put(remote.index.uri.rpartition("/")[2], b"this is no index")._replace(sha256=None)
    assert remote.error(DataError).startswith(f"{remote.index.uri}: expected a block of bgzip at byte 0, found other")
    remote.index = remote.put(remote.index.uri.rpartition("/")[2], index_of(gvcf).read_bytes())
    remote.file = remote.put(NAME, b"##fileformat=VCFv4.2, but not compressed\n")._replace(sha256=None)
    assert remote.error(DataError).startswith(f"s3://b/{NAME}: expected a block of bgzip at byte 0, found other bytes")


@pytest.mark.parametrize("known", [True, False])
def test_an_output_of_another_version_is_compared_as_a_whole_first(
    remote: Remote, gvcf: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    """A run that was copied within S3 has other ETags, and one whose records have none has no versions at all."""
    expected = remote.fetch().path.read_bytes()
    whole: list[str] = []
    download = remote.store.download

    def downloaded(uri: str, *rest: object) -> None:
        whole.append(uri)
        download(uri, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(remote.store, "download", downloaded)
    assert remote.fetch().path.read_bytes() == expected
    assert whole == []
    remote.file = remote.file._replace(version="another" if known else "")
    assert remote.fetch().path.read_bytes() == expected
    assert whole == [remote.file.uri]


def test_other_content_of_an_output_is_found(remote: Remote, gvcf: Path) -> None:
    index = remote.index
    remote.put(index.uri.rpartition("/")[2], index_of(gvcf).read_bytes()[:-1] + b"x")
    assert "expected content with the sha256" in remote.error(OtherContent)
    remote.put(index.uri.rpartition("/")[2], index_of(gvcf).read_bytes())
    file = remote.file
    remote.put(NAME, gvcf.read_bytes() + b"more")
    remote.file = file._replace(sha256=None)
    assert "it was changed in the meantime" in remote.error(ChangedObject)
    remote.store.delete(file.uri)
    remote.file = file
    remote.error(MissingObject)


def test_a_file_of_another_size_is_refused(remote: Remote) -> None:
    remote.file = remote.file._replace(size_bytes=remote.file.size_bytes - 1, sha256=None)
    found = remote.file.size_bytes + 1
    assert f"expected {found - 1} bytes, found {found}" in remote.error(ChangedObject)


def test_a_cancelled_task_does_not_read_on(remote: Remote) -> None:
    remote.cancelled.set()
    with pytest.raises(TransferStopped):
        remote.fetch()


def test_regions_that_are_none_are_refused() -> None:
    for region in ("chr1", "chr1:5", ":5-9", "chr1:a-9"):
        with pytest.raises(DataError, match=f"expected a region such as chr1:1-5000000 in the item, found '{region}'"):
            spans_of([region], 0)


GENOME = {f"chr{number}": 125_000_000 for number in range(1, 25)}  # 3 Gb


def genome_lines() -> Iterator[str]:
    """Yield a record for each 5 kb of a genome of human size, with text that does not compress well."""
    rng = random.Random(5)
    for contig, length in GENOME.items():
        for pos in range(1, length, 5000):
            yield f"{contig}\t{pos}\t.\tA\t<*>\t.\t.\tEND={pos + 4999};X={rng.randbytes(70).hex()}\tDP\t9"


def test_an_interval_reads_a_small_part_of_a_genome(tmp_path: Path) -> None:
    """The index, the header and a 600th of the file: 5 Mb of 3 Gb."""
    whole = tmp_path / NAME
    write_gvcf(whole, lines=genome_lines())
    (tmp_path / "excerpts").mkdir()
    remote = Remote(whole, tmp_path / "excerpts")
    assert remote.file.size_bytes > 40_000_000
    for start in (0, 60_000_000, 120_000_000):
        span = Span("chr13", start, start + 5_000_000)
        excerpt = remote.fetch(span)
        assert records(excerpt.path, *span) == records(whole, *span)
        assert len(records(excerpt.path, *span)) >= 1000
        assert excerpt.read_bytes <= 0.015 * (remote.file.size_bytes + remote.index.size_bytes)
        assert excerpt.path.stat().st_blocks * 512 < remote.file.size_bytes / 300
