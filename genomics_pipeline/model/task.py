"""The payload of a task, which a definition gives to the worker in `GENOMICS_PIPELINE_TASK`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.sample import NAME
from genomics_pipeline.model.step import SCOPES

PAYLOAD_VARIABLE = "GENOMICS_PIPELINE_TASK"
MEMORY_VARIABLE = "GENOMICS_PIPELINE_MEMORY_MIB"
VCPUS_VARIABLE = "GENOMICS_PIPELINE_VCPUS"
SUBMITTED_VARIABLE = "GENOMICS_PIPELINE_SUBMITTED"  # no part of the payload, by which tasks are compared
TRIED_VARIABLE = "GENOMICS_PIPELINE_TRIED"  # likewise: the attempts that failed before, see `model.stage_try`
HOST_VARIABLE = "GENOMICS_PIPELINE_HOST"  # the facts of a node of a cluster, for a container there: a JSON object
HOST_FILE = "host.json"  # in the scratch folder of hosts in AWS: instance type, zone and market
INTERMEDIATE_TAG = (
    "genomics-pipeline",
    "intermediate",
)  # of objects that only later stages need; a lifecycle rule of S3 deletes them


@dataclass(frozen=True, slots=True)
class RunPlace:
    """The location of a run: all of its keys begin with `prefix`, which is empty or ends in ``/``."""

    name: str
    bucket: str
    prefix: str

    def uri(self, key: str) -> str:
        """Return the URI of a key that is relative to the run.

        >>> RunPlace("r", "b", "runs/r/").uri("run.json")
        's3://b/runs/r/run.json'
        """
        return f"s3://{self.bucket}/{self.prefix}{key}"

    def to_json(self) -> dict[str, str]:
        """Return the JSON object of the location in payloads and inputs of executions."""
        return {"name": self.name, "bucket": self.bucket, "prefix": self.prefix}


@dataclass(frozen=True, slots=True)
class TaskPayload:
    """A stage over one item, or over the items of a batch.

    Attributes:
        stage: The stage's name in the pipeline.
        step: The step's name.
        scope: sample, interval or cohort.
        run: The location of the outputs, also of earlier stages.
        reference: URI of the prepared reference.
        parameters: The parameters that differ from the step's defaults.
        inputs: Input name -> ``sample.reads``, ``sample.gvcf``, ``earlier.packed``, ``reference`` or
            ``<stage>.<output>``.
        publish: Output name -> folder below ``results/``, with ``{sample}``, ``{interval}`` or ``{cohort}``.
        intermediate: The outputs are only for later stages.
        items: Lines of ``manifest.jsonl`` or ``intervals.jsonl``; ``{"cohort": "cohort"}`` for the cohort.
        upstream: For each stage of another scope that an input is gathered from: ResultWriterDetails
            (``Bucket``, ``Key``) of the Map Runs that held it, of the run's earlier executions first.
    """

    stage: str
    step: str
    scope: str
    run: RunPlace
    reference: str
    parameters: Mapping[str, Any]
    inputs: Mapping[str, str]
    publish: Mapping[str, str]
    items: tuple[Mapping[str, Any], ...]
    upstream: Mapping[str, Sequence[Mapping[str, str]]]
    intermediate: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that `from_json` reads."""
        return {
            "stage": self.stage,
            "step": self.step,
            "scope": self.scope,
            "run": self.run.to_json(),
            "reference": self.reference,
            "parameters": dict(self.parameters),
            "inputs": dict(self.inputs),
            "publish": dict(self.publish),
            "items": list(self.items),
            "upstream": dict(self.upstream),
            **({"intermediate": True} if self.intermediate else {}),
        }

    @staticmethod
    def from_json(data: Any) -> TaskPayload:
        """Return the payload of a JSON object.

        Raises:
            DataError: for any other JSON value.
        """
        try:
            return TaskPayload(
                stage=data["stage"],
                step=data["step"],
                scope=data["scope"],
                run=RunPlace(**data["run"]),
                reference=data["reference"],
                parameters=data["parameters"],
                inputs=data["inputs"],
                publish=data["publish"],
                items=tuple(data["items"]),
                upstream=data["upstream"],
                intermediate=data.get("intermediate", False),
            )
        except (KeyError, TypeError) as error:
            raise DataError(
                f"{PAYLOAD_VARIABLE}: expected a task payload, found one in which {error} is missing or wrong"
            ) from None


def items_of(text: str) -> list[Mapping[str, Any]]:
    """Return the items of a child execution: one, or those of its batch.

    Args:
        text: The child's input as JSON text.

    Raises:
        ValueError: for text that is not JSON.
        LookupError, TypeError, AttributeError: for an input that no generated definition gives.

    >>> items_of('{"Items": [{"item": {"sample": "a"}}], "BatchInput": {}}')
    [{'sample': 'a'}]
    """
    return items_in(json.loads(text))


def items_in(child_input: Any) -> list[Mapping[str, Any]]:
    """Return the items of a child execution: one, or those of its batch.

    Raises:
        LookupError, TypeError: for an input that no generated definition gives.

    >>> items_in({"item": {"sample": "a"}, "run": {}})
    [{'sample': 'a'}]
    """
    items = [entry["item"] for entry in child_input["Items"]] if "Items" in child_input else [child_input["item"]]
    if not all(isinstance(item, dict) for item in items):
        raise TypeError(items)
    return items


def item_id(item: Mapping[str, Any]) -> str:
    """Return the name of an item within its scope: the sample, the number of the interval, or ``cohort``.

    >>> item_id({"interval": "00003", "regions": ["chr1:1-9"]})
    '00003'

    Raises:
        DataError: for an item of no scope, or a name with other characters than a sample's.
    """
    for scope in SCOPES:
        if scope in item:
            name = item[scope]
            if not (isinstance(name, str) and NAME.fullmatch(name)):
                raise DataError(f"expected a {scope}'s name of letters, digits, '.', '_' and '-', found {name!r}")
            return name
    raise DataError(f"expected an item with one of {', '.join(SCOPES)}, found {sorted(item)}")
