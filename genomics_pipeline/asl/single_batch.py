"""A document with the child of a Map over records, over one batch, for a replay of a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomics_pipeline.asl.map_state import distributed_maps
from genomics_pipeline.language.jsonata.text import expression

RECORDS = "replayed"  # the member of the input that holds the records
FIRST = "ReplayedBatch"  # the name of the state that makes the batch


def single_batch(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document that runs the states of a child over the records in `RECORDS` of its input.

    Args:
        document: A document of `generate`, of a pipeline over records.

    Raises:
        LookupError: for a document without batches of records.
    """
    for state in distributed_maps(document):
        machine = {name: value for name, value in state["ItemProcessor"].items() if name != "ProcessorConfig"}
        batch = {
            "Items": expression(f"[$states.input.{RECORDS}]"),
            "BatchInput": state["ItemBatcher"]["BatchInput"],
        }
        first = {"Type": "Pass", "Output": batch, "Next": machine["StartAt"]}
        states = {FIRST: first, **machine["States"]}
        return {"QueryLanguage": "JSONata", "StartAt": FIRST, "States": states}
    raise LookupError(RECORDS)
