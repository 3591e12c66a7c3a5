"""Checks of Map states: ProcessorConfig, the fields of a Distributed Map, ItemBatcher and ResultWriter."""

from __future__ import annotations

import re
from collections.abc import Iterator

from genomics_pipeline.language.query_language import Node
from genomics_pipeline.language.validation.diagnostics import (
    Diagnostic,
    missing_fields,
    schema_violation,
    unsupported_field,
)
from genomics_pipeline.language.validation.item_reader import check_bucket_and_key, check_item_reader
from genomics_pipeline.language.validation.shapes import fields
from genomics_pipeline.language.walker import StateNode

_PUT_OBJECT = re.compile(r"arn:[^:]+:states:::s3:putObject")
_LIMITS = ("MaxItemsPerBatch", "MaxItemsPerBatchPath", "MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath")


def check_map(state: StateNode) -> Iterator[Diagnostic]:
    """Yield the problems of a Map that its fields' schema does not describe."""
    if state.kind != "Map":
        return
    if processor := state.processor:
        yield from _check_processor_config(state, f"{processor.path}/ProcessorConfig")
        if not state.is_distributed:
            yield from _check_inline(state)
    reader, batcher, writer = (state.node.get(name) for name in ("ItemReader", "ItemBatcher", "ResultWriter"))
    if isinstance(reader, dict):
        yield from check_item_reader(reader, f"{state.path}/ItemReader", state.language)
    if isinstance(batcher, dict) and not any(limit in batcher for limit in _LIMITS):
        words = "This object should have at least one of the following fields"
        yield schema_violation(f"{words}: [{', '.join(_LIMITS)}]", f"{state.path}/ItemBatcher")
    if isinstance(writer, dict):
        yield from _check_result_writer(writer, f"{state.path}/ResultWriter", state.language)


def _check_processor_config(state: StateNode, path: str) -> Iterator[Diagnostic]:
    # Source: badmintoncryer/cdk-preflight, pf-sfn-asl-map-distributed and pf-sfn-express-unsupported.
    config = state.processor_config
    if state.is_distributed and "ExecutionType" not in config:
        yield missing_fields(path, "ExecutionType")
    if not state.is_distributed and "ExecutionType" in config:
        yield unsupported_field("ExecutionType", path)
    if state.is_distributed and state.machine.express:
        words = "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines"
        yield schema_violation(words, f"{path}/Mode")


def _check_inline(state: StateNode) -> Iterator[Diagnostic]:
    # The developer guide lists these fields in state-map-distributed only.
    declared = fields("Map")
    for field in state.node:
        if declared.get(field, {}).get("distributed"):
            words = f"Field '{field}' is not supported"
            yield schema_violation(f"{words} in INLINE mode; it needs ProcessorConfig.Mode DISTRIBUTED", state.path)


def _check_result_writer(writer: Node, path: str, language: str) -> Iterator[Diagnostic]:
    # WriterConfig alone, or Resource with Parameters or Arguments, or all of them (input-output-resultwriter).
    resource = writer.get("Resource")
    if isinstance(resource, str) and not _PUT_OBJECT.fullmatch(resource):
        yield schema_violation("The field 'Resource' does not match any of the allowed values", f"{path}/Resource")
    if "Resource" in writer:
        yield from check_bucket_and_key(writer, path, language, ("Bucket",))
    elif {"Parameters", "Arguments"} & writer.keys():
        yield missing_fields(path, "Resource")
