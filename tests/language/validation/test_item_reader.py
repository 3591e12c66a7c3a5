"""ItemReader and ReaderConfig: developer guide, input-output-itemreader; badmintoncryer/cdk-preflight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

CONFIG = "ReaderConfig"
IN_JSONPATH = "The QueryLanguage is set to 'JSONPath', but field '{}' is only supported for the 'JSONata' QueryLanguage"


def values(*names: str) -> str:
    return f"Value should be one of the following: [{', '.join(names)}]"


@pytest.mark.parametrize(
    ("name", "place", "value", "expected"),
    [
        ("json", "Resource", ..., [": These fields are required: [Resource]"]),
        ("json", "Resource", 1, ["/Resource: Expected value of type [STRING]"]),
        (
            "json",
            "Resource",
            "arn:aws:states:::s3:headObject",
            ["/Resource: The field 'Resource' does not match any of the allowed values"],
        ),
        ("json", "Parameters", ..., [": These fields are required: [Parameters]"]),
        ("json", "Parameters", [], ["/Parameters: Expected value of type [OBJECT]"]),
        ("json", "Parameters/Bucket", ..., ["/Parameters: The field 'Bucket' is required but was missing"]),
        ("json", "Parameters/Key", ..., ["/Parameters: The field 'Key' is required but was missing"]),
        ("list", "Parameters/Bucket", ..., ["/Parameters: The field 'Bucket' is required but was missing"]),
        ("json", "Arguments", {}, [f": {IN_JSONPATH.format('Arguments')}"]),
        ("json", "Buckets", {}, [": Field 'Buckets' is not supported"]),
        ("json", CONFIG, ..., [": These fields are required: [ReaderConfig]"]),
        ("json", CONFIG, "JSON", [f"/{CONFIG}: Expected value of type [OBJECT]"]),
        ("json", f"{CONFIG}/Type", "x", [f"/{CONFIG}: Field 'Type' is not supported"]),
        ("jsonl", f"{CONFIG}/InputType", ..., [f"/{CONFIG}: The field 'InputType' is required"]),
        (
            "jsonl",
            f"{CONFIG}/InputType",
            "XML",
            [f"/{CONFIG}/InputType: {values('CSV', 'JSON', 'JSONL', 'PARQUET', 'MANIFEST')}"],
        ),
        (
            "jsonl",
            f"{CONFIG}/ManifestType",
            "GLUE",
            [f"/{CONFIG}/ManifestType: {values('ATHENA_DATA', 'S3_INVENTORY')}"],
        ),
        (
            "inventory",
            f"{CONFIG}/InputType",
            "CSV",
            [
                f"/{CONFIG}: The field 'CSVHeaderLocation' is required",
                f"/{CONFIG}/InputType: ManifestType S3_INVENTORY does not allow InputType",
            ],
        ),
        (
            "athena",
            f"{CONFIG}/InputType",
            "JSON",
            [
                f"/{CONFIG}/InputType: ManifestType ATHENA_DATA needs an InputType of "
                "[CSV, JSONL, PARQUET], found 'JSON'"
            ],
        ),
        ("athena", f"{CONFIG}/InputType", ..., [f"/{CONFIG}: The field 'InputType' is required"]),
        (
            "flatten",
            f"{CONFIG}/ManifestType",
            "S3_INVENTORY",
            [
                f"/{CONFIG}/InputType: ManifestType S3_INVENTORY does not allow InputType",
                f"/{CONFIG}/ManifestType: ManifestType needs the resource s3:getObject",
            ],
        ),
        ("flatten", f"{CONFIG}/InputType", ..., [f"/{CONFIG}: The field 'InputType' is required"]),
        (
            "flatten",
            f"{CONFIG}/InputType",
            "MANIFEST",
            [
                f"/{CONFIG}/InputType: Transformation LOAD_AND_FLATTEN needs an InputType of "
                "[CSV, JSON, JSONL, PARQUET], found 'MANIFEST'"
            ],
        ),
        (
            "flatten",
            f"{CONFIG}/Transformation",
            "FLATTEN",
            [f"/{CONFIG}/Transformation: {values('NONE', 'LOAD_AND_FLATTEN')}"],
        ),
        (
            "jsonl",
            f"{CONFIG}/Transformation",
            "LOAD_AND_FLATTEN",
            [f"/{CONFIG}/Transformation: Transformation LOAD_AND_FLATTEN needs the resource s3:listObjectsV2"],
        ),
        ("csv", f"{CONFIG}/CSVHeaderLocation", ..., [f"/{CONFIG}: The field 'CSVHeaderLocation' is required"]),
        (
            "csv",
            f"{CONFIG}/CSVHeaderLocation",
            "LAST_ROW",
            [f"/{CONFIG}/CSVHeaderLocation: {values('FIRST_ROW', 'GIVEN')}"],
        ),
        ("csv", f"{CONFIG}/CSVHeaderLocation", "GIVEN", [f"/{CONFIG}: These fields are required: [CSVHeaders]"]),
        ("csv given", f"{CONFIG}/CSVHeaders", [], [f"/{CONFIG}/CSVHeaders: Value cannot be empty"]),
        ("csv given", f"{CONFIG}/CSVHeaders/0", 1, [f"/{CONFIG}/CSVHeaders[0]: Expected value of type [STRING]"]),
        (
            "csv given",
            f"{CONFIG}/CSVHeaders",
            ["é" * 5121],
            [f"/{CONFIG}/CSVHeaders: CSVHeaders may have at most 10240 bytes, found 10242"],
        ),
        (
            "csv",
            f"{CONFIG}/CSVDelimiter",
            ";",
            [f"/{CONFIG}/CSVDelimiter: {values('COMMA', 'PIPE', 'SEMICOLON', 'SPACE', 'TAB')}"],
        ),
        (
            "csv",
            f"{CONFIG}/InputType",
            "JSONL",
            [
                f"/{CONFIG}: Field 'CSVHeaderLocation' is not supported",
                f"/{CONFIG}: Field 'CSVDelimiter' is not supported",
            ],
        ),
        ("json", f"{CONFIG}/InputType", "JSONL", [f"/{CONFIG}: Field 'ItemsPointer' is not supported"]),
        (
            "json",
            f"{CONFIG}/ItemsPointer",
            "samples",
            [f"/{CONFIG}/ItemsPointer: Value must be a JSON Pointer such as /items, found 'samples'"],
        ),
        (
            "json",
            f"{CONFIG}/ItemsPointer",
            "/a~2",
            [f"/{CONFIG}/ItemsPointer: Value must be a JSON Pointer such as /items, found '/a~2'"],
        ),
        (
            "json",
            f"{CONFIG}/ItemsPointer",
            "/" * 2000,
            [f"/{CONFIG}/ItemsPointer: A JSON Pointer must be shorter than 2000 characters, found 2000"],
        ),
        ("json", f"{CONFIG}/ItemsPointer", 7, [f"/{CONFIG}/ItemsPointer: Expected value of type [STRING]"]),
        ("json", f"{CONFIG}/MaxItems", -1, [f"/{CONFIG}/MaxItems: Minimum value is 0"]),
        ("json", f"{CONFIG}/MaxItems", 100000001, [f"/{CONFIG}/MaxItems: Maximum value is 100000000"]),
        ("json", f"{CONFIG}/MaxItems", "10", [f"/{CONFIG}/MaxItems: Expected value of type [INTEGER]"]),
        (
            "json",
            f"{CONFIG}/MaxItemsPath",
            "$.n",
            [f"/{CONFIG}: There should only be one of the following fields: [MaxItems, MaxItemsPath]"],
        ),
        ("parquet", "Parameters/VersionId", "v", ["/Parameters: InputType PARQUET cannot be read with VersionId"]),
    ],
)
def test_problems_of_an_item_reader(
    check: Callable[..., list[str]], name: str, place: str, value: Any, expected: list[str]
) -> None:
    lines = check(f"jsonpath:{name}", f"States/M/ItemReader/{place}", value)
    assert lines == [f"/States/M/ItemReader{line}" for line in expected]


def test_problems_of_arguments(check: Callable[..., list[str]]) -> None:
    place = "States/M/ItemReader/Arguments"
    assert check("jsonata:json", place, "{% $source %}") == []
    assert check("jsonata:json", place, "source") == [f"/{place}: Expected value of type [OBJECT]"]
    assert check("jsonata:json", f"{place}/Key", ...) == [f"/{place}: The field 'Key' is required but was missing"]
    assert check("jsonata:json", place, ...) == ["/States/M/ItemReader: These fields are required: [Arguments]"]
