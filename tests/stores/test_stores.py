"""The behaviour that all stores have in common, and what each has alone."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.stores.local import Folders, LocalStore
from genomics_pipeline.stores.protocol import (
    Expected,
    MissingBucket,
    MissingObject,
    Store,
    TransferFailed,
    TransferStopped,
)
from genomics_pipeline.stores.s3 import S3Store
from tests.fakes.memory_store import MemoryStore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KINDS = ("local bucket", "local paths", "file URIs", "routed bucket", "routed paths", "routed S3", "S3", "memory")


@dataclass(frozen=True)
class Place:
    """A store, and the beginning of its objects' URIs."""

    store: Store
    base: str
    remote: bool

    def put(self, **objects: bytes) -> None:
        for name, data in objects.items():
            self.store.write(self.base + name, data)


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    kind = request.param
    folder = tmp_path / "bucket"
    folder.mkdir()
    if kind == "memory":
        return Place(MemoryStore(), "s3://reads/", True)
    if "S3" in kind:
        client = request.getfixturevalue("s3")
        return Place(object_store() if kind == "routed S3" else S3Store(client), "s3://reads/", True)
    make: Callable[[dict[str, Path]], Store] = object_store().with_buckets if kind.startswith("routed") else LocalStore
    bases = {"bucket": "s3://reads/", "paths": f"{folder}/", "URIs": f"file://{folder}/"}
    return Place(make({"reads": folder}), bases[kind.split()[-1]], False)


def test_what_was_written_is_read(place: Place) -> None:
    uri = f"{place.base}run-1/deep/a.txt"
    place.store.write(uri, b"reads\n")
    assert place.store.read(uri) == b"reads\n"
    with place.store.open(uri) as stream:
        assert list(stream) == [b"reads\n"]


def test_bytes_are_not_touched_whatever_the_name_says(place: Place) -> None:
    data = b"\x1f\x8b not gzip at all \xff\x00"
    place.store.write(f"{place.base}a.gz", data)
    assert place.store.read(f"{place.base}a.gz") == data
    with place.store.open(f"{place.base}a.gz") as stream:
        assert stream.read(2) + stream.read() == data


def test_stat_tells_the_size_and_a_version_of_the_content(place: Place) -> None:
    uri = f"{place.base}a.txt"
    place.store.write(uri, b"one")
    first = place.store.stat(uri)
    assert first is not None
    assert (first.uri, first.size_bytes) == (uri, 3)
    assert place.store.stat(uri) == first
    place.store.write(uri, b"other")
    second = place.store.stat(uri)
    assert second is not None
    assert (second.size_bytes, second.version != first.version) == (5, True)


def test_stat_and_list_tell_when_it_was_written_and_its_storage_class(place: Place) -> None:
    before = int(time.time())
    place.put(**{"a.txt": b"1"})
    found = place.store.stat(f"{place.base}a.txt")
    assert found is not None
    assert before <= found.modified <= time.time()
    assert (type(found.modified), found.storage_class) == (int, "STANDARD")
    assert list(place.store.list(place.base)) == [found]


def test_nothing_is_nothing(place: Place, tmp_path: Path) -> None:
    uri = f"{place.base}a/none.txt"
    place.store.write(f"{place.base}a/one.txt", b"")
    assert place.store.stat(uri) is None
    assert place.store.stat(f"{place.base}a") is None, "a folder is no object"
    assert place.store.stat(f"{place.base}a/one.txt/more") is None
    for ask in (place.store.open, place.store.read, lambda uri: place.store.fetch(uri, tmp_path)):
        for missing in (uri, f"{place.base}a", f"{place.base}a/one.txt/more"):
            with pytest.raises(MissingObject) as error:
                ask(missing)
            assert str(error.value) == f"{missing}: expected a file, found none"


def test_a_second_write_takes_the_place_of_the_first(place: Place) -> None:
    uri = f"{place.base}a.txt"
    place.store.write(uri, b"a long first text")
    place.store.write(uri, b"second")
    assert place.store.read(uri) == b"second"
    assert [info.uri for info in place.store.list(place.base)] == [uri]


def test_list_gives_what_begins_with_the_prefix_in_the_order_of_names(place: Place) -> None:
    # '-' and '.' are before '/': the order is that of whole names, as in S3, not folder by folder.
    names = ["run-1.txt", "run-1/b.txt", "run-1/a/z.txt", "run-10/a.txt", "run-1-old/a.txt", "other.txt", "run-1/B.txt"]
    place.put(**dict.fromkeys(names, b"12"))

    def listed(prefix: str) -> list[str]:
        return [info.uri.removeprefix(place.base) for info in place.store.list(place.base + prefix)]

    assert listed("") == sorted(names)
    assert listed("run-1/") == ["run-1/B.txt", "run-1/a/z.txt", "run-1/b.txt"]
    assert listed("run-1") == [name for name in sorted(names) if name.startswith("run-1")]
    assert listed("run-1/a") == ["run-1/a/z.txt"]
    assert listed("oth") == ["other.txt"]
    assert listed("none") == listed("none/") == []
    (info,) = place.store.list(f"{place.base}other.txt")
    assert info == place.store.stat(f"{place.base}other.txt")


@pytest.mark.parametrize("name", ["a b.txt", "a+b.txt", "Müller.txt", "a=1&b=2.txt", "a:b.txt", "a@b.txt", "#1.txt"])
def test_names_need_no_quoting(place: Place, name: str, tmp_path: Path) -> None:
    uri = f"{place.base}x/{quote(name) if place.base.startswith('file:') else name}"
    place.store.write(uri, b"data")
    assert place.store.read(uri) == b"data"
    assert [info.uri for info in place.store.list(f"{place.base}x/")] == [uri]
    assert place.store.fetch(uri, tmp_path).name == name


def test_fetch_gives_a_local_file(place: Place, tmp_path: Path) -> None:
    uri = f"{place.base}x/a.txt"
    place.store.write(uri, b"data")
    copies = tmp_path / "copies"
    copies.mkdir()
    path = place.store.fetch(uri, copies)
    assert path.is_absolute()
    assert (path.name, path.read_bytes()) == ("a.txt", b"data")
    assert path.parent == (copies if place.remote else tmp_path / "bucket" / "x")
    assert place.store.read(uri) == b"data"


def test_download_gives_the_content_in_order(place: Place) -> None:
    uri = f"{place.base}x/a.txt"
    for data in (b"", b"data", bytes(range(256)) * 20_000):
        place.store.write(uri, data)
        sink = BytesIO()
        place.store.download(uri, sink)
        assert sink.getvalue() == data
    with pytest.raises(MissingObject):
        place.store.download(f"{place.base}x/none.txt", BytesIO())


def test_local_tells_where_a_file_lies(place: Place, tmp_path: Path) -> None:
    uri = f"{place.base}x/a.txt"
    place.store.write(uri, b"data")
    assert place.store.local(uri) == (None if place.remote else tmp_path / "bucket" / "x" / "a.txt")


def test_another_version_than_expected_is_refused(place: Place, tmp_path: Path) -> None:
    uri = f"{place.base}x/a.txt"
    place.store.write(uri, b"data")
    before = place.store.stat(uri)
    assert before is not None
    assert place.store.fetch(uri, tmp_path, Expected(version=before.version)).read_bytes() == b"data"
    place.store.download(uri, BytesIO(), Expected(version=before.version))
    place.store.write(uri, b"other")
    after = place.store.stat(uri)
    assert after is not None
    told = f"{uri}: expected the version {before.version}, found {after.version}: it was changed in the meantime"
    for ask in (
        lambda: place.store.fetch(uri, tmp_path, Expected(version=before.version)),
        lambda: place.store.download(uri, BytesIO(), Expected(version=before.version)),
    ):
        with pytest.raises(TransferFailed) as error:
            ask()
        assert str(error.value) == told


def test_a_transfer_that_was_cancelled_did_not_happen(place: Place, tmp_path: Path) -> None:
    cancelled, path = threading.Event(), tmp_path / "b.txt"
    cancelled.set()
    place.store.write(f"{place.base}a.txt", bytes(30 << 20))
    with pytest.raises(TransferStopped) as error:
        place.store.download(f"{place.base}a.txt", BytesIO(), cancelled=cancelled)
    assert str(error.value) == f"{place.base}a.txt: cancelled before it was transferred"
    if place.remote:  # what is local is moved in no time
        path.write_bytes(bytes(30 << 20))
        with pytest.raises(TransferStopped):
            place.store.publish(path, f"{place.base}b.txt", cancelled)
        assert place.store.stat(f"{place.base}b.txt") is None
        assert path.exists()


def test_publish_moves_a_file(place: Place, tmp_path: Path) -> None:
    uri = f"{place.base}results/deep/a.txt"
    for text in (b"first", b"second"):
        path = tmp_path / "a.txt"
        path.write_bytes(text)
        place.store.publish(path, uri)
        assert not path.exists()
        assert place.store.read(uri) == text


def test_copy(place: Place) -> None:
    place.put(**{"a/one.txt": b"one", "b.txt": b"before"})
    for target in ("b.txt", "deep/er/c.txt"):
        place.store.copy(f"{place.base}a/one.txt", f"{place.base}{target}")
        assert place.store.read(f"{place.base}{target}") == b"one"
    assert len(list(place.store.list(place.base))) == 3
    for missing in ("none.txt", "a", "b.txt/c"):
        with pytest.raises(MissingObject) as error:
            place.store.copy(place.base + missing, f"{place.base}d.txt")
        assert str(error.value) == f"{place.base}{missing}: expected a file, found none"
    assert place.store.stat(f"{place.base}d.txt") is None


def test_delete(place: Place) -> None:
    place.put(**{"a/one.txt": b"one", "a/two.txt": b"two"})
    for name in ("a/one.txt", "a/one.txt", "a", "none/none.txt"):
        place.store.delete(place.base + name)
    assert [info.uri for info in place.store.list(place.base)] == [f"{place.base}a/two.txt"]


@pytest.mark.parametrize("kind", ["local", "folders", "routed S3", "S3"])
def test_a_bucket_there_is_not(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
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
    asks: dict[str, Callable[[], object]] = {
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
    for name, ask in asks.items():
        with pytest.raises(MissingBucket) as error:
            ask()
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
            for ask in (store.stat, store.read, store.open, lambda uri: list(store.list(uri))):
                with pytest.raises(DataError) as error:
                    ask(uri)
                assert str(error.value) == f"{uri}: expected a key inside its bucket"
            with pytest.raises(DataError):
                store.write(uri, b"")
        assert store.stat("s3://reads/..a/b..") is None, "dots within a name leave nothing"

    def test_a_bucket_that_is_not_here(self) -> None:
        uri = "s3://reads/a.txt"
        store = LocalStore({"other": Path("other")})
        assert store.stat(uri) is None
        for ask in (store.read, lambda uri: list(store.list(uri)), lambda uri: store.write(uri, b"")):
            with pytest.raises(MissingBucket) as error:
                ask(uri)
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

    def test_what_is_being_written_is_not_seen(self, tmp_path: Path) -> None:
        store = LocalStore()
        (tmp_path / ".a.txt.part").write_bytes(b"ha")  # of a process that was killed
        assert list(store.list(f"{tmp_path}/")) == []
        store.write(f"{tmp_path}/a.txt", b"whole")
        assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]

    def test_a_failed_write_leaves_the_object_as_it_was(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store = LocalStore()
        store.write(f"{tmp_path}/a.txt", b"first")

        def full(self: Path, data: bytes) -> int:
            with self.open("wb") as out:
                out.write(data[:2])
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match="No space left"):
            store.write(f"{tmp_path}/a.txt", b"second")
        assert store.read(f"{tmp_path}/a.txt") == b"first"

    def test_publish_from_another_file_system_copies(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        source = tmp_path / "scratch" / "a.bam"
        source.parent.mkdir()
        source.write_bytes(b"reads")
        plain = Path.replace

        def across(self: Path, target: Path) -> Path:
            if self == source:
                raise OSError(errno.EXDEV, "Invalid cross-device link")
            return plain(self, target)

        monkeypatch.setattr(Path, "replace", across)
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
    """The store that the routed store passes a URI on to."""

    def test_copies_between_here_and_s3(self, s3: S3Client, tmp_path: Path) -> None:
        store = object_store().with_buckets({"run": tmp_path})
        store.write("s3://run/a.txt", b"data")
        store.copy("s3://run/a.txt", "s3://reads/b.txt")
        store.copy("s3://reads/b.txt", "s3://run/c.txt")
        assert s3.get_object(Bucket="reads", Key="b.txt")["Body"].read() == b"data"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "c.txt"]
        assert store.read("s3://run/c.txt") == b"data"

    def test_no_client_is_made_until_one_is_needed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import boto3

        made: list[str] = []
        monkeypatch.setattr(boto3, "client", made.append)
        store = object_store().with_buckets({"reads": tmp_path})
        store.write("s3://reads/a.txt", b"data")
        assert (tmp_path / "a.txt").read_bytes() == b"data"
        assert store.read(f"{tmp_path}/a.txt") == store.read(f"file://{tmp_path}/a.txt") == b"data"
        assert list(store.list(f"{tmp_path}/")) != []
        assert made == []

    def test_the_endpoint_comes_from_the_environment(self, s3: S3Client, tmp_path: Path) -> None:
        store = object_store().with_buckets({"run": tmp_path})
        s3.put_object(Bucket="reads", Key="a.txt", Body=b"far away")
        assert store.read("s3://reads/a.txt") == b"far away"
        store.write("s3://run/a.txt", b"here")
        store.write("s3://reads/b.txt", b"there")
        assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
        assert s3.get_object(Bucket="reads", Key="b.txt")["Body"].read() == b"there"

    @pytest.mark.parametrize("scheme", ["http", "gs", ""])
    def test_other_schemes_are_refused(self, scheme: str) -> None:
        with pytest.raises(DataError) as error:
            object_store().stat(f"{scheme}://x/a.fastq")
        assert str(error.value) == f"{scheme}://x/a.fastq: expected a path or an s3:// URI, found {scheme}://"


class TestS3:
    """The behaviour of S3 alone."""

    def test_a_bucket_that_is_not_there_cannot_be_written_to(self, s3: S3Client, tmp_path: Path) -> None:
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

    def test_what_may_expire_is_tagged(self, s3: S3Client, tmp_path: Path) -> None:
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

    def test_a_bucket_that_is_not_there_has_nothing(self, s3: S3Client) -> None:
        assert S3Store(s3).stat("s3://no-such-bucket/a.txt") is None
        with pytest.raises(MissingBucket):
            S3Store(s3).read("s3://no-such-bucket/a.txt")

    def test_lists_of_more_than_a_page_are_whole(self, s3: S3Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
        names = [f"s3://reads/many/{number}" for number in range(5)]
        for name in names:
            S3Store(s3).write(name, b"")
        assert s3.list_objects_v2(Bucket="reads")["IsTruncated"]
        assert [info.uri for info in S3Store(s3).list("s3://reads/many/")] == names
