"""EventBridge and SNS as far as the report of ended runs needs them: the event, the rule, and the messages.

The event is that of the developer guide of Step Functions, "Automating Step Functions event delivery".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
from botocore import xform_name
from botocore.validate import validate_parameters
from moto.events.models import EventPattern

from genomics_pipeline.aws.pascal_case import from_service, to_service
from genomics_pipeline.aws.template.report_definition import (
    DESCRIBE_MAP_RUN,
    LIST_MAP_RUNS,
    PUBLISH,
    report_definition,
)
from genomics_pipeline.engine.api import execute
from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.result import ExecutionResult
from genomics_pipeline.engine.tasks.handlers import Handlers
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.language.timestamps import format_timestamp
from genomics_pipeline.model import quotas
from genomics_pipeline.model.resource_names import ResourceNames
from tests.fakes.memory_store import MemoryStore
from tests.fakes.shapes import operation
from tests.fakes.step_functions.execution import Execution

TOPIC = "arn:aws:sns:us-east-1:000000000000:genomics-pipeline-alarms"
Call = Callable[[str, dict[str, Any]], Any]


def status_change(execution: Execution) -> dict[str, Any]:
    """Return the event about the end of an execution."""
    described = execution.description()
    names = ("executionArn", "stateMachineArn", "name", "status", "input", "inputDetails", "output", "outputDetails")
    detail = {name: described.get(name) for name in (*names, "error", "cause")}
    times = {name: round(described[name] * 1000) for name in ("startDate", "stopDate")}
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": "000000000000",
        "time": datetime.fromtimestamp(described["stopDate"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "us-east-1",
        "resources": [execution.arn],
        "detail": {**detail, **times},
    }


def matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    """Return whether a rule's pattern, with its functions resolved, matches an event."""
    rule: Any = EventPattern.load(json.dumps(pattern))
    return bool(rule.matches_event(event))


def call_states(name: str, arguments: dict[str, Any]) -> Any:
    """Call Step Functions, as an ``aws-sdk:sfn`` Task does: members in PascalCase, and times as texts."""
    model: Any = operation("stepfunctions", name)
    answer = getattr(boto3.client("stepfunctions"), xform_name(name))(**to_service(model.input_shape, arguments))
    del answer["ResponseMetadata"]
    text = json.dumps(answer, default=lambda moment: format_timestamp(moment.timestamp()))
    return from_service(model.output_shape, json.loads(text))


@dataclass
class RunReports:
    """The executions of the report, which the engine runs in virtual time, with the messages that it publishes.

    Attributes:
        folder: A folder for their journals.
        call: Calls an operation of Step Functions.
        published: The arguments of SNS Publish.
        calls: The operations that were called.
    """

    folder: Path
    call: Call = call_states
    published: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def run(self, event: dict[str, Any]) -> ExecutionResult:
        """Run the report of an event."""
        tasks = Handlers({LIST_MAP_RUNS: self._states, DESCRIBE_MAP_RUN: self._states, PUBLISH: self._publish})
        return execute(
            report_definition(ResourceNames(), TOPIC),
            event,
            name=event["id"],
            state_machine="RunReport",
            store=MemoryStore(),
            tasks=tasks,
            journal=self.folder / event["id"],
            fast_forward=True,
        )

    async def _states(self, arguments: Any, context: TaskContext) -> Any:
        name = context.resource.rsplit(":", 1)[-1]
        operation_name = name[0].upper() + name[1:]
        self.calls.append(operation_name)
        try:
            return self.call(operation_name, arguments)
        except Exception as error:
            raise StatesError("Sfn.SfnException", str(error)) from error

    async def _publish(self, arguments: Any, context: TaskContext) -> Any:
        shape: Any = operation("sns", "Publish").input_shape
        validate_parameters(arguments, shape)
        assert len(arguments["Subject"]) <= quotas.MESSAGE_SUBJECT.value
        assert arguments["Subject"].isascii()
        assert arguments["Subject"].isprintable()
        self.published.append(arguments)
        return {"MessageId": "0f"}
