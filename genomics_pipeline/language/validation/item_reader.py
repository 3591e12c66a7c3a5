"""Checks of ItemReader and its ReaderConfig (developer guide, input-output-itemreader)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from genomics_pipeline.language.query_language import Node
from genomics_pipeline.language.validation.diagnostics import (
    Diagnostic,
    missing_fields,
    schema_violation,
    unsupported_field,
)
from genomics_pipeline.language.walker import JSONATA
from genomics_pipeline.model import quotas

_RESOURCE = re.compile(r"arn:[^:]+:states:::s3:(getObject|listObjectsV2)")
_CSV_FIELDS = ("CSVHeaderLocation", "CSVHeaders", "CSVDelimiter")
_POINTER = re.compile(r"(/([^~]|~[01])*)*")
_FLATTENED = ("CSV", "JSON", "JSONL", "PARQUET")
_UNLOADED = ("CSV", "JSONL", "PARQUET")


def check_item_reader(reader: Node, path: str, language: str) -> Iterator[Diagnostic]:
    """Yield the problems of an ``ItemReader`` that its fields' schema does not describe.

    Args:
        reader: The ItemReader.
        path: The path to it.
        language: Its state's query language.
    """
    resource = reader.get("Resource")
    match = _RESOURCE.fullmatch(resource) if isinstance(resource, str) else None
    if isinstance(resource, str) and match is None:
        yield schema_violation("The field 'Resource' does not match any of the allowed values", f"{path}/Resource")
    action = match[1] if match else ""
    if action:
        yield from check_bucket_and_key(
            reader, path, language, ("Bucket", "Key") if action == "getObject" else ("Bucket",)
        )
    config = reader.get("ReaderConfig")
    if action == "getObject" and "ReaderConfig" not in reader:
        yield missing_fields(path, "ReaderConfig")
    if isinstance(config, dict):
        config_path = f"{path}/ReaderConfig"
        yield from _check_input_type(config, config_path, action)
        yield from _check_csv(config, config_path)
        yield from _check_items_pointer(config, config_path)
        yield from _check_version(reader, config, path)


def check_bucket_and_key(node: Node, path: str, language: str, required: tuple[str, ...]) -> Iterator[Diagnostic]:
    """Yield the members that Parameters or Arguments lack.

    Args:
        node: An ItemReader or ResultWriter.
        path: The path to it.
        language: Its state's query language.
        required: The names of the members.
    """
    field = "Arguments" if language == JSONATA else "Parameters"
    if field not in node:
        yield missing_fields(path, field)
    arguments = node.get(field)
    if not isinstance(arguments, dict):
        return
    for name in required:
        if name not in arguments and f"{name}.$" not in arguments:
            yield schema_violation(f"The field '{name}' is required but was missing", f"{path}/{field}")


def _check_input_type(config: dict[str, Any], path: str, action: str) -> Iterator[Diagnostic]:
    kind, manifest = config.get("InputType"), config.get("ManifestType")
    flatten = config.get("Transformation") == "LOAD_AND_FLATTEN"
    if action == "getObject" and flatten:
        yield schema_violation(
            "Transformation LOAD_AND_FLATTEN needs the resource s3:listObjectsV2", f"{path}/Transformation"
        )
    if action == "listObjectsV2" and manifest is not None:
        yield schema_violation("ManifestType needs the resource s3:getObject", f"{path}/ManifestType")
    if manifest == "S3_INVENTORY":
        if kind is not None:
            yield schema_violation("ManifestType S3_INVENTORY does not allow InputType", f"{path}/InputType")
    elif kind is None:
        if action == "getObject" or flatten:
            yield schema_violation("The field 'InputType' is required", path)
    elif manifest == "ATHENA_DATA" and kind not in _UNLOADED:
        yield _wrong_input_type("ManifestType ATHENA_DATA", _UNLOADED, kind, path)
    elif flatten and kind not in _FLATTENED:
        yield _wrong_input_type("Transformation LOAD_AND_FLATTEN", _FLATTENED, kind, path)


def _wrong_input_type(setting: str, kinds: tuple[str, ...], kind: Any, path: str) -> Diagnostic:
    return schema_violation(
        f"{setting} needs an InputType of [{', '.join(kinds)}], found {kind!r}", f"{path}/InputType"
    )


def _check_csv(config: dict[str, Any], path: str) -> Iterator[Diagnostic]:
    # Source: badmintoncryer/cdk-preflight, pf-sfn-asl-map-distributed; headers: quota L-752E372A.
    kind, headers = config.get("InputType"), config.get("CSVHeaders")
    if kind == "CSV" and "CSVHeaderLocation" not in config:
        yield schema_violation("The field 'CSVHeaderLocation' is required", path)
    if kind in ("JSON", "JSONL", "PARQUET"):
        yield from (unsupported_field(field, path) for field in _CSV_FIELDS if field in config)
    if config.get("CSVHeaderLocation") == "GIVEN" and "CSVHeaders" not in config:
        yield missing_fields(path, "CSVHeaders")
    if isinstance(headers, list):
        size = sum(len(header.encode(errors="replace")) for header in headers if isinstance(header, str))
        if size > quotas.CSV_HEADERS.value:
            yield schema_violation(
                f"CSVHeaders may have at most {quotas.CSV_HEADERS}, found {size}", f"{path}/CSVHeaders"
            )


def _check_items_pointer(config: dict[str, Any], path: str) -> Iterator[Diagnostic]:
    pointer, kind = config.get("ItemsPointer"), config.get("InputType")
    if pointer is not None and kind != "JSON":
        yield unsupported_field("ItemsPointer", path)
    elif isinstance(pointer, str) and not _POINTER.fullmatch(pointer):
        yield schema_violation(
            f"Value must be a JSON Pointer such as /items, found {pointer!r}", f"{path}/ItemsPointer"
        )
    elif isinstance(pointer, str) and len(pointer) > quotas.ITEMS_POINTER.value:
        message = (
            f"A JSON Pointer must be shorter than {quotas.ITEMS_POINTER.value + 1} characters, found {len(pointer)}"
        )
        yield schema_violation(message, f"{path}/ItemsPointer")


def _check_version(reader: Node, config: dict[str, Any], path: str) -> Iterator[Diagnostic]:
    for field in ("Parameters", "Arguments"):
        arguments = reader.get(field)
        if config.get("InputType") == "PARQUET" and isinstance(arguments, dict):
            for name in ("VersionId", "VersionId.$"):
                if name in arguments:
                    yield schema_violation(f"InputType PARQUET cannot be read with {name}", f"{path}/{field}")
