"""ItemReader: the choice of objects, the order of items, and their sources."""

from __future__ import annotations

import gzip
import io
import json
from hashlib import md5
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet as arrow_parquet

from genomics_pipeline.engine.distributed_map.item_reader import ItemReader
from genomics_pipeline.engine.distributed_map.item_reader.reader_config import ReaderConfig
from genomics_pipeline.stores.protocol import ObjectInfo

BUCKET = {"s3://b/in/1.jsonl": b'{"n":10}\n{"n":11}\n{"n":12}\n', "s3://b/in/2.jsonl": b"", "s3://b/in/3.jsonl": b"7\n"}
FOLDER = {"s3://b/in/": b""}


def items(harness: Any, objects: dict[str, bytes], uri: str, listed: bool = False, **config: Any) -> list[Any]:
    harness.store.objects = objects
    reader = ItemReader(harness.store, uri, listed, ReaderConfig(**config))
    read_items = list(reader.items())
    assert reader.count() == len(read_items)
    return read_items


def test_items_of_an_object_have_it_as_their_source(harness: Any) -> None:
    # Casing as recorded: radkawar/stackd testdata/aws/stepfunctions/distributed_map.json.
    assert items(harness, BUCKET, "s3://b/in/1.jsonl", input_type="JSONL", max_items=2) == [
        {"Index": 0, "Value": {"n": 10}, "Source": "s3://b/in/1.jsonl"},
        {"Index": 1, "Value": {"n": 11}, "Source": "s3://b/in/1.jsonl"},
    ]


def test_listed_objects_are_items_with_the_bucket_as_their_source(harness: Any) -> None:
    # Members, their order and the source as recorded: stackd distributed_map.json, s3_metadata. (There LastModified is
    # the same number, written 1.790204286E9.)
    read_items = items(harness, {**BUCKET, **FOLDER, "s3://b/other": b"", "s3://c/in/x": b""}, "s3://b/in/", True)
    described = {"Key": "in/1.jsonl", "LastModified": 1_000_000_000, "Size": 27, "StorageClass": "STANDARD"}
    etag = f'"{md5(BUCKET["s3://b/in/1.jsonl"]).hexdigest()}"'
    assert read_items[1] == {"Index": 1, "Value": {"Etag": etag, **described}, "Source": "s3://b"}
    assert list(read_items[1]["Value"]) == ["Etag", "Key", "LastModified", "Size", "StorageClass"]
    assert [item["Value"]["Key"] for item in read_items] == ["in/", "in/1.jsonl", "in/2.jsonl", "in/3.jsonl"]
    assert len(items(harness, BUCKET, "s3://b/in/", True, max_items=2)) == 2
    assert items(harness, BUCKET, "s3://b/none/", True) == []


def test_a_listing_is_streamed(harness: Any) -> None:
    def list_objects(prefix: str) -> Any:
        return (ObjectInfo(f"s3://b/{number:07}", 1, "v", 2) for number in range(1_000_000))

    harness.store.list = list_objects
    reader = ItemReader(harness.store, "s3://b/", True, ReaderConfig(max_items=2500))
    assert [len(chunk.texts) for chunk in reader.chunks()] == [1000, 1000, 500]


def test_rows_of_listed_objects_have_their_object_as_their_source(harness: Any) -> None:
    # Recorded: stackd distributed_map.json, s3_load_flatten.
    flatten = {"input_type": "JSONL", "transformation": "LOAD_AND_FLATTEN"}
    read_items = items(harness, {**FOLDER, **BUCKET}, "s3://b/in/", True, **flatten)
    assert [(item["Index"], item["Value"], item["Source"][-7:]) for item in read_items] == [
        (0, {"n": 10}, "1.jsonl"),
        (1, {"n": 11}, "1.jsonl"),
        (2, {"n": 12}, "1.jsonl"),
        (3, 7, "3.jsonl"),
    ]
    assert len(items(harness, BUCKET, "s3://b/in/", True, max_items=3, **flatten)) == 3


def test_rows_of_listed_objects_are_read_in_every_format(harness: Any) -> None:
    out = io.BytesIO()
    arrow_parquet.write_table(pyarrow.table({"a": ["1", "2"]}), out)
    for kind, content, expected in (("CSV", b"a\n1\n2\n", 4), ("PARQUET", out.getvalue(), 4), ("JSON", b'["1"]', 2)):
        objects = {"s3://b/x/1": content, "s3://b/x/2": content, "s3://b/x/": b""}
        flatten = {"input_type": kind, "transformation": "LOAD_AND_FLATTEN"}
        read_items = items(harness, objects, "s3://b/x/", True, **flatten)
        assert len(read_items) == expected
        assert read_items[-1]["Source"] == "s3://b/x/2"
        assert len(items(harness, objects, "s3://b/x/", True, max_items=1, **flatten)) == 1


INVENTORY = {
    "sourceBucket": "reads",
    "destinationBucket": "arn:aws:s3:::b",
    "version": "2016-11-30",
    "creationTimestamp": "1514944800000",
    "fileFormat": "CSV",
    "fileSchema": "Bucket, Key, Size",
    "files": [{"key": "inv/data/1.csv.gz", "size": 1}, {"key": "inv/data/2.csv.gz", "size": 1}],
}
URI = "s3://b/inv/manifest.json"


def inventory(**more: Any) -> dict[str, bytes]:
    return {
        URI: json.dumps({**INVENTORY, **more}).encode(),
        "s3://b/inv/data/1.csv.gz": gzip.compress(b'"reads","a.fastq.gz","12"\n"reads","b%20c","0"\n'),
        "s3://b/inv/data/2.csv.gz": gzip.compress(b'"reads","d","7"\n'),
    }


def test_the_rows_of_an_inventorys_files_are_items(harness: Any) -> None:
    # Amazon S3 user guide, "Locating your inventory list": manifest.json.
    read_items = items(harness, inventory(), URI, manifest_type="S3_INVENTORY")
    assert [item["Value"] for item in read_items] == [
        {"Bucket": "reads", "Key": "a.fastq.gz", "Size": "12"},
        {"Bucket": "reads", "Key": "b%20c", "Size": "0"},
        {"Bucket": "reads", "Key": "d", "Size": "7"},
    ]
    assert [item["Source"][-8:] for item in read_items] == ["1.csv.gz", "1.csv.gz", "2.csv.gz"]


EXPECTED = "expected the manifest.json of an S3 Inventory in CSV"


@pytest.mark.parametrize(
    ("manifest", "cause"),
    [
        (b"[]", f"{EXPECTED}: TypeError: list indices must be integers or slices, not str"),
        (b"{}", f"{EXPECTED}: KeyError: 'fileFormat'"),
        (b"{", f"{EXPECTED}: JSONDecodeError: unexpected end of data: line 1 column 2 (char 1)"),
        (json.dumps({**INVENTORY, "fileFormat": "ORC"}).encode(), f"{EXPECTED}, found fileFormat ORC"),
    ],
)
def test_an_invalid_inventory_is_reported(read_failure: Any, manifest: bytes, cause: str) -> None:
    assert read_failure({URI: manifest}, URI, manifest_type="S3_INVENTORY") == f"{URI}: {cause}"


def test_a_missing_file_of_an_inventory_is_reported(read_failure: Any) -> None:
    objects = inventory()
    del objects["s3://b/inv/data/2.csv.gz"]
    missing = "s3://b/inv/data/2.csv.gz"
    assert read_failure(objects, URI, manifest_type="S3_INVENTORY") == f"{missing}: expected a file, found none"


ATHENA = "s3://b/out/q-manifest.csv"


def test_the_rows_of_the_objects_in_an_athena_manifest_are_items(harness: Any) -> None:
    # Amazon Athena user guide, "UNLOAD": the data manifest lists a URI a line.
    objects = {
        ATHENA: b"s3://b/out/1.gz\ns3://c/out/2.gz\n",
        "s3://b/out/1.gz": gzip.compress(b"1,x\n"),
        "s3://c/out/2.gz": gzip.compress(b"2,y\n3,z\n"),
    }
    headers = ["n", "c"]
    read_items = items(harness, objects, ATHENA, input_type="CSV", manifest_type="ATHENA_DATA", csv_headers=headers)
    assert [(item["Value"]["n"], item["Source"]) for item in read_items] == [
        ("1", "s3://b/out/1.gz"),
        ("2", "s3://c/out/2.gz"),
        ("3", "s3://c/out/2.gz"),
    ]


def test_an_invalid_athena_manifest_is_reported(read_failure: Any) -> None:
    assert read_failure({ATHENA: b"a,b\n1,2\n"}, ATHENA, input_type="JSONL", manifest_type="ATHENA_DATA") == (
        f"{ATHENA}: expected the s3:// URI of an object in every line, found a"
    )


def test_a_missing_object_is_reported(read_failure: Any) -> None:
    for uri, config in (("s3://b/no", {"input_type": "JSONL"}), (URI, {"manifest_type": "S3_INVENTORY"})):
        assert read_failure({}, uri, **config) == f"{uri}: expected a file, found none"


def test_an_object_of_more_than_10_gb_is_refused(harness: Any, read_failure: Any) -> None:
    # Developer guide, "ItemReader (Map)"; Service Quotas L-2CDE2B0A.
    harness.store.stat = lambda uri: ObjectInfo(uri, 10 * 10**9 + 1, "v", 0)
    assert read_failure({"s3://b/k": b"1\n"}, "s3://b/k", input_type="JSONL") == (
        "s3://b/k: expected at most 10000000000 bytes, found 10000000001"
    )


def state(reader: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "Arguments": {"Bucket": "{% $states.input.b %}", "Key": "{% $states.input.k %}"},
            "ReaderConfig": {"InputType": "JSONL"},
            **reader,
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "P",
            "States": {"P": {"Type": "Pass", "End": True}},
        },
        "Catch": [{"ErrorEquals": ["States.ItemReaderFailed"], "Next": "E"}],
        "End": True,
        **fields,
    }


def run(harness: Any, reader: dict[str, Any], members: dict[str, Any] | None = None, **fields: Any) -> Any:
    harness.store.objects = {"s3://b/k": b"1\n2\n3\n", "s3://b/x.csv": b"a;b\n1;2\n", "s3://b/x.json": b'{"a":[5,6]}'}
    execution_input = {"b": "b", "k": "k", **(members or {})}
    return harness.run({"M": state(reader, **fields), "E": {"Type": "Succeed"}}, execution_input)


@pytest.mark.parametrize(
    ("reader", "expected"),
    [
        ({}, [1, 2, 3]),
        ({"ReaderConfig": {"InputType": "JSONL", "MaxItems": "{% $states.input.n %}"}}, [1, 2]),
        # 0 is no limit: localstack/localstack test_base_scenarios test_map_item_reader_csv_max_items
        ({"ReaderConfig": {"InputType": "JSONL", "MaxItems": 0}}, [1, 2, 3]),
        ({"ReaderConfig": {"InputType": "JSONL", "MaxItems": "{% 100000001 %}"}}, [1, 2, 3]),
        (
            {
                "Arguments": {
                    "Bucket": "b",
                    "Key": "x.csv",
                    "VersionId": "1",
                    "ExpectedBucketOwner": "000000000000",
                },
                "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "CSVDelimiter": "SEMICOLON"},
            },
            [{"a": "1", "b": "2"}],
        ),
        (
            {
                "Arguments": {"Bucket": "b", "Key": "x.csv"},
                "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["c"]},
            },
            [{"c": "a;b"}, {"c": "1;2"}],
        ),
        (
            {
                "Arguments": {"Bucket": "b", "Key": "x.json"},
                "ReaderConfig": {"InputType": "JSON", "ItemsPointer": "/a"},
            },
            [5, 6],
        ),
        (
            {
                "Resource": "arn:aws:states:::s3:listObjectsV2",
                "Arguments": {"Bucket": "b"},
                "ReaderConfig": {"InputType": "JSONL", "Transformation": "LOAD_AND_FLATTEN", "MaxItems": 1},
            },
            [1],
        ),
    ],
)
def test_the_fields_of_a_state_are_evaluated(harness: Any, reader: dict[str, Any], expected: list[Any]) -> None:
    assert run(harness, reader, {"n": 2}).output == expected


def test_a_listing_needs_neither_prefix_nor_config(harness: Any) -> None:
    # Recorded with neither: localstack/localstack test_base_scenarios test_map_item_reader_base_list_objects_v2
    result = run(
        harness, {"Resource": "arn:aws:states:::s3:listObjectsV2", "Arguments": {"Bucket": "b"}, "ReaderConfig": {}}
    )
    assert [item["Key"] for item in result.output] == ["k", "x.csv", "x.json"]


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        ("{% 7 %}", "ItemReader: expected strings in Bucket and Key, found 7"),
        (
            {"Bucket": "{% 7 %}", "Key": "k"},
            'ItemReader: expected strings in Bucket and Key, found {"Bucket":7,"Key":"k"}',
        ),
        (
            {"Bucket": "b", "Key": ["k"]},
            'ItemReader: expected strings in Bucket and Key, found {"Bucket":"b","Key":["k"]}',
        ),
        ("{% {'Key': 'k'} %}", 'ItemReader: expected strings in Bucket and Key, found {"Key":"k"}'),
        ({"Bucket": "", "Key": "k"}, 'ItemReader: expected strings in Bucket and Key, found {"Bucket":"","Key":"k"}'),
    ],
)
def test_a_bucket_or_key_that_is_not_a_string_fails_the_state(harness: Any, arguments: Any, cause: str) -> None:
    output = run(harness, {"Arguments": arguments}).output
    assert output == {"Error": "States.ItemReaderFailed", "Cause": cause}


def test_a_prefix_that_is_not_a_string_fails_the_state(harness: Any) -> None:
    reader = {"Resource": "arn:aws:states:::s3:listObjectsV2", "Arguments": {"Bucket": "b", "Prefix": 7}}
    assert run(harness, {**reader, "ReaderConfig": {}}).output == {
        "Error": "States.ItemReaderFailed",
        "Cause": 'ItemReader: expected strings in Bucket and Prefix, found {"Bucket":"b","Prefix":7}',
    }
