"""The behaviour of all stores, and that of each kind alone."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError, RunError
from genomics_pipeline.stores.layered import LayeredStore
from genomics_pipeline.stores.local import Folders, LocalStore
from genomics_pipeline.stores.protocol import (
    ChangedObject,
    Expected,
    MissingBucket,
    MissingObject,
    OversizedObject,
    Publication,
    Store,
    TransferFailed,
    TransferStopped,
)
from genomics_pipeline.stores.s3 import S3Store
from tests.fakes.memory_store import MemoryStore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KINDS = (
    "local bucket",
    "local paths",
    "file URIs",
    "routed bucket",
    "routed paths",
    "routed S3",
    "S3",
    "memory",
    "layer",
)


@dataclass(frozen=True)
class StoreCase:
    """A store, with the prefix of its URIs."""

    store: Store
    base: str
    remote: bool

    def put(self, **objects: bytes) -> None:
        for name, data in objects.items():
            self.store.write(self.base + name, data)


@pytest.fixture(params=KINDS)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> StoreCase:
    kind = request.param
    folder = tmp_path / "bucket"
    folder.mkdir()
    if kind == "layer":
        return StoreCase(LayeredStore(MemoryStore(), "s3://reads/", folder, ".engine/"), "s3://reads/", False)
    if kind == "memory":
        return StoreCase(MemoryStore(), "s3://reads/", True)
    if "S3" in kind:
        client = request.getfixturevalue("s3")
        return StoreCase(object_store() if kind == "routed S3" else S3Store(client), "s3://reads/", True)
    make: Callable[[dict[str, Path]], Store] = object_store().with_buckets if kind.startswith("routed") else LocalStore
    bases = {"bucket": "s3://reads/", "paths": f"{folder}/", "URIs": f"file://{folder}/"}
    return StoreCase(make({"reads": folder}), bases[kind.split()[-1]], False)


def test_content_is_read_as_it_was_written(case: StoreCase) -> None:
    uri = f"{case.base}run-1/deep/a.txt"
    case.store.write(uri, b"reads\n")
    assert case.store.read(uri) == b"reads\n"
    with case.store.open(uri) as stream:
        assert list(stream) == [b"reads\n"]


def test_more_than_the_budget_of_a_record_is_not_read(case: StoreCase, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = f"{case.base}run.json"
    monkeypatch.setattr(budgets, "RECORD_SIZE", budgets.Budget(1 << 20, "bytes", "a record"))
    case.store.write(uri, bytes(1 << 20))
    assert len(case.store.read(uri)) == 1 << 20
    case.store.write(uri, bytes((1 << 20) + 1))
    with pytest.raises(OversizedObject, match=r"run\.json: expected at most 1 MiB, found more"):
        case.store.read(uri)


def test_content_is_not_decompressed_whatever_its_name(case: StoreCase) -> None:
    data = b"\x1f\x8b not gzip at all \xff\x00"
    case.store.write(f"{case.base}a.gz", data)
    assert case.store.read(f"{case.base}a.gz") == data
    with case.store.open(f"{case.base}a.gz") as stream:
        assert stream.read(2) + stream.read() == data


def test_a_part_is_read_with_the_size_of_the_whole(case: StoreCase) -> None:
    uri = f"{case.base}a.bin"
    case.store.write(uri, bytes(range(200)))
    info = case.store.stat(uri)
    assert info is not None
    for start, size, version in ((0, 200, None), (7, 5, info.version), (199, 1, None), (150, 400, info.version)):
        part = case.store.read_part(uri, start, size, version)
        assert (part.data, part.size_bytes) == (bytes(range(200))[start : start + size], 200)
    with pytest.raises(MissingObject, match=r"b\.bin: expected a file, found none"):
        case.store.read_part(f"{case.base}b.bin", 0, 1)


def test_a_part_of_another_version_is_refused(case: StoreCase) -> None:
    uri = f"{case.base}a.bin"
    case.store.write(uri, b"first")
    before = case.store.stat(uri)
    case.store.write(uri, b"second")
    assert before is not None
    with pytest.raises(ChangedObject, match=r"a\.bin: expected the version .+, found .+: it was changed"):
        case.store.read_part(uri, 0, 2, before.version)


def test_of_many_writers_one_creates_an_object(case: StoreCase, tmp_path: Path) -> None:
    uri = f"{case.base}new/claim"
    with ThreadPoolExecutor(4) as pool:
        created = list(pool.map(lambda number: case.store.create(uri, str(number).encode()), range(4)))
    assert sorted(created) == [False, False, False, True]
    assert case.store.read(uri) == str(created.index(True)).encode()
    assert not list(tmp_path.rglob("*.part"))


def test_stat_returns_the_size_and_a_version_of_the_content(case: StoreCase) -> None:
    uri = f"{case.base}a.txt"
    case.store.write(uri, b"one")
    first = case.store.stat(uri)
    assert first is not None
    assert (first.uri, first.size_bytes) == (uri, 3)
    assert case.store.stat(uri) == first
    case.store.write(uri, b"other")
    second = case.store.stat(uri)
    assert second is not None
    assert (second.size_bytes, second.version != first.version) == (5, True)


def test_stat_and_list_return_modification_time_and_storage_class(case: StoreCase) -> None:
    before = int(time.time() - 1)  # the clock of files is up to 10 ms behind that of processes
    case.put(**{"a.txt": b"1"})
    info = case.store.stat(f"{case.base}a.txt")
    assert info is not None
    assert before <= info.modified <= time.time()
    assert (type(info.modified), info.storage_class) == (int, "STANDARD")
    assert list(case.store.list(case.base)) == [info]


def test_missing_objects(case: StoreCase, tmp_path: Path) -> None:
    uri = f"{case.base}a/none.txt"
    case.store.write(f"{case.base}a/one.txt", b"")
    assert case.store.stat(uri) is None
    assert case.store.stat(f"{case.base}a") is None, "a folder is no object"
    assert case.store.stat(f"{case.base}a/one.txt/more") is None
    for read in (case.store.open, case.store.read, lambda uri: case.store.fetch(uri, tmp_path)):
        for missing in (uri, f"{case.base}a", f"{case.base}a/one.txt/more"):
            with pytest.raises(MissingObject) as error:
                read(missing)
            assert str(error.value) == f"{missing}: expected a file, found none"


def test_a_second_write_replaces_the_first(case: StoreCase) -> None:
    uri = f"{case.base}a.txt"
    case.store.write(uri, b"a long first text")
    case.store.write(uri, b"second")
    assert case.store.read(uri) == b"second"
    assert [info.uri for info in case.store.list(case.base)] == [uri]


def test_list_yields_the_objects_with_the_prefix_in_the_order_of_names(case: StoreCase) -> None:
    # '-' and '.' sort before '/': the order is that of whole names, as in S3, not folder by folder.
    names = ["run-1.txt", "run-1/b.txt", "run-1/a/z.txt", "run-10/a.txt", "run-1-old/a.txt", "other.txt", "run-1/B.txt"]
    case.put(**dict.fromkeys(names, b"12"))

    def listed(prefix: str) -> list[str]:
        return [info.uri.removeprefix(case.base) for info in case.store.list(case.base + prefix)]

    assert listed("") == sorted(names)
    assert listed("run-1/") == ["run-1/B.txt", "run-1/a/z.txt", "run-1/b.txt"]
    assert listed("run-1") == [name for name in sorted(names) if name.startswith("run-1")]
    assert listed("run-1/a") == ["run-1/a/z.txt"]
    assert listed("oth") == ["other.txt"]
    assert listed("none") == listed("none/") == []
    (info,) = case.store.list(f"{case.base}other.txt")
    assert info == case.store.stat(f"{case.base}other.txt")


@pytest.mark.parametrize("name", ["a b.txt", "a+b.txt", "Müller.txt", "a=1&b=2.txt", "a:b.txt", "a@b.txt", "#1.txt"])
def test_names_need_no_quoting(case: StoreCase, name: str, tmp_path: Path) -> None:
    uri = f"{case.base}x/{quote(name) if case.base.startswith('file:') else name}"
    case.store.write(uri, b"data")
    assert case.store.read(uri) == b"data"
    assert [info.uri for info in case.store.list(f"{case.base}x/")] == [uri]
    assert case.store.fetch(uri, tmp_path).name == name


def test_fetch_returns_a_local_file(case: StoreCase, tmp_path: Path) -> None:
    uri = f"{case.base}x/a.txt"
    case.store.write(uri, b"data")
    copies = tmp_path / "copies"
    copies.mkdir()
    path = case.store.fetch(uri, copies)
    assert path.is_absolute()
    assert (path.name, path.read_bytes()) == ("a.txt", b"data")
    assert path.parent == (copies if case.remote else tmp_path / "bucket" / "x")
    assert case.store.read(uri) == b"data"


def test_download_writes_the_content_in_order(case: StoreCase) -> None:
    uri = f"{case.base}x/a.txt"
    for data in (b"", b"data", bytes(range(256)) * 20_000):
        case.store.write(uri, data)
        sink = BytesIO()
        case.store.download(uri, sink)
        assert sink.getvalue() == data
    with pytest.raises(MissingObject):
        case.store.download(f"{case.base}x/none.txt", BytesIO())


def test_local_returns_the_path_of_a_local_file(case: StoreCase, tmp_path: Path) -> None:
    uri = f"{case.base}x/a.txt"
    case.store.write(uri, b"data")
    assert case.store.local(uri) == (None if case.remote else tmp_path / "bucket" / "x" / "a.txt")


def test_another_version_than_expected_is_refused(case: StoreCase, tmp_path: Path) -> None:
    uri = f"{case.base}x/a.txt"
    case.store.write(uri, b"data")
    before = case.store.stat(uri)
    assert before is not None
    assert case.store.fetch(uri, tmp_path, Expected(version=before.version)).read_bytes() == b"data"
    case.store.download(uri, BytesIO(), Expected(version=before.version))
    case.store.write(uri, b"other")
    after = case.store.stat(uri)
    assert after is not None
    message = f"{uri}: expected the version {before.version}, found {after.version}: it was changed in the meantime"
    for read in (
        lambda: case.store.fetch(uri, tmp_path, Expected(version=before.version)),
        lambda: case.store.download(uri, BytesIO(), Expected(version=before.version)),
    ):
        with pytest.raises(TransferFailed) as error:
            read()
        assert str(error.value) == message


def test_a_cancelled_transfer_changes_nothing(case: StoreCase, tmp_path: Path) -> None:
    cancelled, path = threading.Event(), tmp_path / "b.txt"
    cancelled.set()
    case.store.write(f"{case.base}a.txt", bytes(30 << 20))
    with pytest.raises(TransferStopped) as error:
        case.store.download(f"{case.base}a.txt", BytesIO(), cancelled=cancelled)
    assert str(error.value) == f"{case.base}a.txt: cancelled before it was transferred"
    if case.remote:  # a local file is only renamed
        path.write_bytes(bytes(30 << 20))
        with pytest.raises(TransferStopped):
            case.store.publish(path, f"{case.base}b.txt", cancelled)
        assert case.store.stat(f"{case.base}b.txt") is None
        assert path.exists()


def test_publish_moves_a_file(case: StoreCase, tmp_path: Path) -> None:
    uri = f"{case.base}results/deep/a.txt"
    for text in (b"first", b"second"):
        path = tmp_path / "a.txt"
        path.write_bytes(text)
        case.store.publish(path, uri)
        assert not path.exists()
        assert case.store.read(uri) == text


def test_publish_all_moves_files_in_their_order(case: StoreCase, tmp_path: Path) -> None:
    files = [(tmp_path / name, f"{case.base}results/{folder}/{name}") for folder, name in ("ax", "ay", "bz")]
    for path, _ in files:
        path.write_text(path.name)
    case.store.publish_all([Publication(*file) for file in files])
    assert [case.store.read(uri) for _, uri in files] == [b"x", b"y", b"z"]
    assert not any(path.exists() for path, _ in files)
    case.store.publish_all([])


def test_publish_all_over_two_places(s3: S3Client, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    store = object_store().with_buckets({"run": tmp_path / "run"})
    files = [
        (tmp_path / name, f"s3://{bucket}/{name}") for bucket, name in (("run", "a"), ("reads", "b"), ("run", "c"))
    ]
    for path, _ in files:
        path.write_text(path.name)
    store.publish_all([Publication(*file) for file in files])
    assert [path.name for path in sorted((tmp_path / "run").iterdir())] == ["a", "c"]
    assert s3.get_object(Bucket="reads", Key="b")["Body"].read() == b"b"


def test_copy(case: StoreCase) -> None:
    case.put(**{"a/one.txt": b"one", "b.txt": b"before"})
    for target in ("b.txt", "deep/er/c.txt"):
        case.store.copy(f"{case.base}a/one.txt", f"{case.base}{target}")
        assert case.store.read(f"{case.base}{target}") == b"one"
    assert len(list(case.store.list(case.base))) == 3
    for missing in ("none.txt", "a", "b.txt/c"):
        with pytest.raises(MissingObject) as error:
            case.store.copy(case.base + missing, f"{case.base}d.txt")
        assert str(error.value) == f"{case.base}{missing}: expected a file, found none"
    assert case.store.stat(f"{case.base}d.txt") is None


def test_delete(case: StoreCase) -> None:
    case.put(**{"a/one.txt": b"one", "a/two.txt": b"two"})
    for name in ("a/one.txt", "a/one.txt", "a", "none/none.txt"):
        case.store.delete(case.base + name)
    assert [info.uri for info in case.store.list(case.base)] == [f"{case.base}a/two.txt"]


@pytest.mark.parametrize("kind", ["local", "folders", "routed S3", "S3"])
def test_every_operation_on_a_missing_bucket(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    (tmp_path / "root" / "reads").mkdir(parents=True)
    stores: dict[str, Callable[[], Store]] = {
        "local": lambda: LocalStore({"reads": tmp_path / "root" / "reads"}),
        "folders": lambda: LocalStore(Folders(tmp_path / "root")),
        "routed S3": object_store,
        "S3": lambda: S3Store(request.getfixturevalue("s3")),
    }
    if "S3" in kind:
        request.getfixturevalue("s3")
    store, uri = stores[kind](), "s3://no-such-bucket/a.txt"
    store.write("s3://reads/here.txt", b"here")
    file = tmp_path / "file.txt"
    file.write_bytes(b"data")
    calls: dict[str, Callable[[], object]] = {
        "open": lambda: store.open(uri),
        "read": lambda: store.read(uri),
        "write": lambda: store.write(uri, b""),
        "list": lambda: list(store.list(uri)),
        "fetch": lambda: store.fetch(uri, tmp_path),
        "publish": lambda: store.publish(file, uri),
        "copy from it": lambda: store.copy(uri, "s3://reads/a.txt"),
        "copy to it": lambda: store.copy("s3://reads/here.txt", uri),
        "delete": lambda: store.delete(uri),
    }
    assert store.stat(uri) is None
    for name, call in calls.items():
        with pytest.raises(MissingBucket) as error:
            call()
        assert str(error.value) == f"{uri}: expected a bucket, found none", name
    assert file.read_bytes() == b"data"
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["reads"]


class TestLocal:
    """The behaviour of folders alone."""

    def test_a_key_stays_in_its_bucket(self, tmp_path: Path) -> None:
        (tmp_path / "bucket").mkdir()
        (tmp_path / "secret.txt").write_text("secret")
        store = LocalStore({"reads": tmp_path / "bucket"})
        for key in ("../secret.txt", "a/../../secret.txt", "/etc/passwd", ".."):
            uri = f"s3://reads/{key}"
            for call in (store.stat, store.read, store.open, lambda uri: list(store.list(uri))):
                with pytest.raises(DataError) as error:
                    call(uri)
                assert str(error.value) == f"{uri}: expected a key inside its bucket"
            with pytest.raises(DataError):
                store.write(uri, b"")
        assert store.stat("s3://reads/..a/b..") is None, "dots within a name are allowed"

    def test_an_unknown_bucket(self) -> None:
        uri = "s3://reads/a.txt"
        store = LocalStore({"other": Path("other")})
        assert store.stat(uri) is None
        for call in (store.read, lambda uri: list(store.list(uri)), lambda uri: store.write(uri, b"")):
            with pytest.raises(MissingBucket) as error:
                call(uri)
            assert str(error.value) == f"{uri}: expected a bucket, found none"

    def test_file_uris_are_quoted(self, tmp_path: Path) -> None:
        store = LocalStore()
        store.write(f"file://{tmp_path}/a%20b%23.txt", b"data")
        assert (tmp_path / "a b#.txt").read_bytes() == b"data"

    def test_relative_paths(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        store = LocalStore()
        store.write("reads/a.txt", b"data")
        store.write("reads2/b.txt", b"data")
        assert [info.uri for info in store.list("rea")] == ["reads/a.txt", "reads2/b.txt"]
        assert [info.uri for info in store.list("reads/")] == ["reads/a.txt"]
        assert [info.uri for info in store.list("")] == ["reads/a.txt", "reads2/b.txt"]
        assert store.fetch("reads/a.txt", tmp_path) == tmp_path / "reads" / "a.txt"

    def test_a_whole_bucket_is_listed_with_and_without_its_slash(self, tmp_path: Path) -> None:
        (tmp_path / "bucket").mkdir()
        (tmp_path / "bucket-2").mkdir()
        (tmp_path / "bucket-2" / "b.txt").write_text("")
        store = LocalStore({"reads": tmp_path / "bucket"})
        store.write("s3://reads/a.txt", b"")
        for prefix in ("s3://reads", "s3://reads/"):
            assert [info.uri for info in store.list(prefix)] == ["s3://reads/a.txt"]

    def test_an_incomplete_file_is_not_listed(self, tmp_path: Path) -> None:
        store = LocalStore()
        (tmp_path / ".a.txt.part").write_bytes(b"ha")  # left by a killed process
        assert list(store.list(f"{tmp_path}/")) == []
        store.write(f"{tmp_path}/a.txt", b"whole")
        assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]

    def test_a_failed_write_leaves_the_object_unchanged(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store = LocalStore()
        store.write(f"{tmp_path}/a.txt", b"first")

        def full(descriptor: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            store.write(f"{tmp_path}/a.txt", b"second")
        assert store.read(f"{tmp_path}/a.txt") == b"first"

    def test_publish_from_another_file_system_copies(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        source = tmp_path / "scratch" / "a.bam"
        source.parent.mkdir()
        source.write_bytes(b"reads")
        plain = os.rename

        def rename(path: Path | str, target: str, **folders: int) -> None:
            if path == source:
                raise OSError(errno.EXDEV, "Invalid cross-device link")
            plain(path, target, **folders)

        monkeypatch.setattr(os, "rename", rename)
        LocalStore().publish(source, f"{tmp_path}/results/a.bam")
        assert (tmp_path / "results" / "a.bam").read_bytes() == b"reads"
        assert [path.name for path in (tmp_path / "results").iterdir()] == ["a.bam"]
        assert not source.exists()

    def test_folders_in_a_folder_are_buckets(self, tmp_path: Path) -> None:
        (tmp_path / "b").mkdir()
        (tmp_path / "a").mkdir()
        (tmp_path / "file.txt").write_text("")
        buckets = Folders(tmp_path)
        assert dict(buckets) == {"a": tmp_path / "a", "b": tmp_path / "b"}
        assert (len(buckets), "a" in buckets, "file.txt" in buckets) == (2, True, False)
        for name in ("", ".", "..", "none"):
            assert name not in buckets


class TestRouted:
    """The stores behind the routed store."""

    def test_copies_between_local_buckets_and_s3(self, s3: S3Client, tmp_path: Path) -> None:
        store = object_store().with_buckets({"run": tmp_path})
        store.write("s3://run/a.txt", b"data")
        store.copy("s3://run/a.txt", "s3://reads/b.txt")
        store.copy("s3://reads/b.txt", "s3://run/c.txt")
        assert s3.get_object(Bucket="reads", Key="b.txt")["Body"].read() == b"data"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "c.txt"]
        assert store.read("s3://run/c.txt") == b"data"

    def test_no_client_is_made_until_one_is_needed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import boto3

        clients: list[str] = []
        monkeypatch.setattr(boto3, "client", clients.append)
        store = object_store().with_buckets({"reads": tmp_path})
        store.write("s3://reads/a.txt", b"data")
        assert (tmp_path / "a.txt").read_bytes() == b"data"
        assert store.read(f"{tmp_path}/a.txt") == store.read(f"file://{tmp_path}/a.txt") == b"data"
        assert list(store.list(f"{tmp_path}/")) != []
        assert clients == []

    def test_the_endpoint_comes_from_the_environment(self, s3: S3Client, tmp_path: Path) -> None:
        store = object_store().with_buckets({"run": tmp_path})
        s3.put_object(Bucket="reads", Key="a.txt", Body=b"far away")
        assert store.read("s3://reads/a.txt") == b"far away"
        store.write("s3://run/a.txt", b"here")
        store.write("s3://reads/b.txt", b"there")
        assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
        assert s3.get_object(Bucket="reads", Key="b.txt")["Body"].read() == b"there"

    @pytest.mark.parametrize("scheme", ["ftp", "gs", ""])
    def test_other_schemes_are_refused(self, scheme: str) -> None:
        with pytest.raises(DataError) as error:
            object_store().stat(f"{scheme}://x/a.fastq")
        expected = "expected a path, an s3:// URI or an https:// URL"
        assert str(error.value) == f"{scheme}://x/a.fastq: {expected}, found {scheme}://"


class TestS3:
    """The behaviour of S3 alone."""

    def test_a_missing_bucket_cannot_be_written_to(self, s3: S3Client, tmp_path: Path) -> None:
        uri, path = "s3://no-such-bucket/a.txt", tmp_path / "a.txt"
        path.write_bytes(b"data")
        writes: tuple[Callable[[], None], ...] = (
            lambda: S3Store(s3).write(uri, b"data"),
            lambda: S3Store(s3).publish(path, uri),
        )
        for write in writes:
            with pytest.raises(MissingBucket) as error:
                write()
            assert str(error.value) == f"{uri}: expected a bucket, found none"
        assert path.read_bytes() == b"data"

    def test_an_object_that_may_expire_is_tagged(self, s3: S3Client, tmp_path: Path) -> None:
        for name, intermediate in (("kept", False), ("expires", True)):
            (tmp_path / name).write_text("x")
            object_store().publish(tmp_path / name, f"s3://reads/{name}", intermediate=intermediate)
        tags = {name: s3.get_object_tagging(Bucket="reads", Key=name)["TagSet"] for name in ("kept", "expires")}
        assert tags == {"kept": [], "expires": [{"Key": "genomics-pipeline", "Value": "intermediate"}]}

    def test_storage_classes(self, s3: S3Client) -> None:
        s3.put_object(Bucket="reads", Key="cold.txt", Body=b"", StorageClass="GLACIER")
        (listed,) = S3Store(s3).list("s3://reads/cold.txt")
        assert listed == S3Store(s3).stat("s3://reads/cold.txt")
        assert listed.storage_class == "GLACIER"

    def test_a_missing_bucket_has_no_objects(self, s3: S3Client) -> None:
        assert S3Store(s3).stat("s3://no-such-bucket/a.txt") is None
        with pytest.raises(MissingBucket):
            S3Store(s3).read("s3://no-such-bucket/a.txt")

    def test_lists_of_more_than_a_page_are_complete(self, s3: S3Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
        names = [f"s3://reads/many/{number}" for number in range(5)]
        for name in names:
            S3Store(s3).write(name, b"")
        assert s3.list_objects_v2(Bucket="reads")["IsTruncated"]
        assert [info.uri for info in S3Store(s3).list("s3://reads/many/")] == names


@pytest.mark.parametrize("kind", ["file", "folder", "bucket's own link"])
def test_links_that_lead_out_of_a_bucket_are_not_followed(tmp_path: Path, kind: str) -> None:
    outside, bucket = tmp_path / "outside", tmp_path / "bucket"
    outside.mkdir()
    bucket.mkdir()
    (outside / "secret").write_text("secret")
    if kind == "file":
        (bucket / "secret").symlink_to(outside / "secret")
    uri = "s3://b/folder/secret" if kind == "folder" else "s3://b/secret"
    if kind == "folder":
        (bucket / "folder").symlink_to(outside)
    if kind == "bucket's own link":  # a user's own choice of the place of a bucket
        bucket.rmdir()
        bucket.symlink_to(outside)
        assert LocalStore({"b": bucket}).read(uri) == b"secret"
        return
    store = LocalStore({"b": bucket})
    uses: list[Callable[[], object]] = [
        lambda: store.stat(uri),
        lambda: store.open(uri),
        lambda: store.read(uri),
        lambda: store.fetch(uri, tmp_path),
        lambda: store.download(uri, BytesIO()),
        lambda: store.copy(uri, "s3://b/copy"),
        lambda: list(store.list("s3://b/folder/" if kind == "folder" else "s3://b/")),
    ]
    for use in uses:
        with pytest.raises(DataError, match=r"found a symbolic link to .*outside.*; remove the link"):
            use()
    assert not (bucket / "copy").exists()
    (bucket / "inner").symlink_to("plain")
    (bucket / "plain").write_text("plain")
    assert store.read("s3://b/inner") == b"plain"


def test_a_layer_hides_what_is_below_and_never_changes_it(tmp_path: Path) -> None:
    below = MemoryStore()
    for name in ("run/a", "run/b", "run/.engine/x", "other/c"):
        below.write(f"s3://lab/{name}", name.encode())
    layer = LayeredStore(below, "s3://lab/run/", tmp_path / "layer", ".engine/")
    layer.write("s3://lab/run/a", b"new")
    layer.delete("s3://lab/run/b")
    assert layer.read("s3://lab/run/a") == b"new"
    assert (layer.stat("s3://lab/run/b"), layer.stat("s3://lab/run/.engine/x")) == (None, None)
    assert layer.create("s3://lab/run/b", b"again")
    assert not layer.create("s3://lab/run/a", b"again")
    assert [info.uri for info in layer.list("s3://lab/run/")] == ["s3://lab/run/a", "s3://lab/run/b"]
    assert layer.read("s3://lab/other/c") == b"other/c"
    for uri in ("s3://lab/other/c", "s3://lab/runs/a", str(tmp_path / "file")):
        with pytest.raises(RunError, match="expected a file below s3://lab/run/, since nothing else is written here"):
            layer.write(uri, b"")
        with pytest.raises(RunError, match="expected a file below"):
            layer.delete(uri)
    assert {info.uri: below.read(info.uri) for info in below.list("s3://lab/")} == {
        f"s3://lab/{name}": name.encode() for name in ("run/a", "run/b", "run/.engine/x", "other/c")
    }
