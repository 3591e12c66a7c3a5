"""ItemReader and its ReaderConfig: which fields go together (developer guide, input-output-itemreader)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from genomics_pipeline.language.query_language import Node
from genomics_pipeline.language.validation.diagnostics import Diagnostic, refused, required, unsupported
from genomics_pipeline.language.walker import JSONATA
from genomics_pipeline.model import quotas

_RESOURCE = re.compile(r"arn:[^:]+:states:::s3:(getObject|listObjectsV2)")
_CSV_FIELDS = ("CSVHeaderLocation", "CSVHeaders", "CSVDelimiter")
_POINTER = re.compile(r"(/([^~]|~[01])*)*")
_FLATTENED = ("CSV", "JSON", "JSONL", "PARQUET")
_UNLOADED = ("CSV", "JSONL", "PARQUET")


def check_item_reader(reader: Node, path: str, language: str) -> Iterator[Diagnostic]:
    """Yield what is wrong with an ``ItemReader`` beyond the shape of its fields."""
    resource = reader.get("Resource")
    found = _RESOURCE.fullmatch(resource) if isinstance(resource, str) else None
    if isinstance(resource, str) and found is None:
        yield refused("The field 'Resource' does not match any of the allowed values", f"{path}/Resource")
    action = found[1] if found else ""
    if action:
        yield from destination(reader, path, language, ("Bucket", "Key") if action == "getObject" else ("Bucket",))
    config = reader.get("ReaderConfig")
    if action == "getObject" and "ReaderConfig" not in reader:
        yield required(path, "ReaderConfig")
    if isinstance(config, dict):
        place = f"{path}/ReaderConfig"
        yield from _input_type(config, place, action)
        yield from _csv(config, place)
        yield from _items_pointer(config, place)
        yield from _version(reader, config, path)


def destination(node: Node, path: str, language: str, needed: tuple[str, ...]) -> Iterator[Diagnostic]:
    """Return whether the Parameters or Arguments name the bucket and the key."""
    field = "Arguments" if language == JSONATA else "Parameters"
    if field not in node:
        yield required(path, field)
    given = node.get(field)
    if not isinstance(given, dict):
        return
    for name in needed:
        if name not in given and f"{name}.$" not in given:
            yield refused(f"The field '{name}' is required but was missing", f"{path}/{field}")


def _input_type(config: dict[str, Any], path: str, action: str) -> Iterator[Diagnostic]:
    kind, manifest = config.get("InputType"), config.get("ManifestType")
    flatten = config.get("Transformation") == "LOAD_AND_FLATTEN"
    if action == "getObject" and flatten:
        yield refused("Transformation LOAD_AND_FLATTEN needs the resource s3:listObjectsV2", f"{path}/Transformation")
    if action == "listObjectsV2" and manifest is not None:
        yield refused("ManifestType needs the resource s3:getObject", f"{path}/ManifestType")
    if manifest == "S3_INVENTORY":
        if kind is not None:
            yield refused("ManifestType S3_INVENTORY goes without InputType", f"{path}/InputType")
    elif kind is None:
        if action == "getObject" or flatten:
            yield refused("The field 'InputType' is required", path)
    elif manifest == "ATHENA_DATA" and kind not in _UNLOADED:
        yield _one_of("ManifestType ATHENA_DATA", _UNLOADED, kind, path)
    elif flatten and kind not in _FLATTENED:
        yield _one_of("Transformation LOAD_AND_FLATTEN", _FLATTENED, kind, path)


def _one_of(what: str, kinds: tuple[str, ...], found: Any, path: str) -> Diagnostic:
    return refused(f"{what} needs an InputType of [{', '.join(kinds)}], found {found!r}", f"{path}/InputType")


def _csv(config: dict[str, Any], path: str) -> Iterator[Diagnostic]:
    """badmintoncryer/cdk-preflight, pf-sfn-asl-map-distributed; headers: quota L-752E372A."""
    kind, headers = config.get("InputType"), config.get("CSVHeaders")
    if kind == "CSV" and "CSVHeaderLocation" not in config:
        yield refused("The field 'CSVHeaderLocation' is required", path)
    if kind in ("JSON", "JSONL", "PARQUET"):
        yield from (unsupported(field, path) for field in _CSV_FIELDS if field in config)
    if config.get("CSVHeaderLocation") == "GIVEN" and "CSVHeaders" not in config:
        yield required(path, "CSVHeaders")
    if isinstance(headers, list):
        size = sum(len(header.encode(errors="replace")) for header in headers if isinstance(header, str))
        if size > quotas.CSV_HEADERS.value:
            yield refused(f"CSVHeaders may have {quotas.CSV_HEADERS}, found {size}", f"{path}/CSVHeaders")


def _items_pointer(config: dict[str, Any], path: str) -> Iterator[Diagnostic]:
    pointer, kind = config.get("ItemsPointer"), config.get("InputType")
    if pointer is not None and kind != "JSON":
        yield unsupported("ItemsPointer", path)
    elif isinstance(pointer, str) and not _POINTER.fullmatch(pointer):
        yield refused(f"Value must be a JSON Pointer such as /items, found {pointer!r}", f"{path}/ItemsPointer")
    elif isinstance(pointer, str) and len(pointer) > quotas.ITEMS_POINTER.value:
        message = (
            f"A JSON Pointer must be shorter than {quotas.ITEMS_POINTER.value + 1} characters, found {len(pointer)}"
        )
        yield refused(message, f"{path}/ItemsPointer")


def _version(reader: Node, config: dict[str, Any], path: str) -> Iterator[Diagnostic]:
    for field in ("Parameters", "Arguments"):
        given = reader.get(field)
        if config.get("InputType") == "PARQUET" and isinstance(given, dict):
            for name in ("VersionId", "VersionId.$"):
                if name in given:
                    yield refused(f"InputType PARQUET cannot be read with {name}", f"{path}/{field}")
