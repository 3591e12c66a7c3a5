"""State machines, one for each pipeline; a definition is an object of the bucket that is named by its digest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from genomics_pipeline.aws.template.functions import TemplateResources, attribute, logical_id, ref, when
from genomics_pipeline.aws.template.logs import STATES_LOG
from genomics_pipeline.aws.template.parameters import HAS_KEY
from genomics_pipeline.aws.template.storage import BUCKET
from genomics_pipeline.language.walker import walk_states
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.resource_names import ResourceNames

DIGEST = 12


@dataclass(frozen=True, slots=True)
class PipelineStateMachine:
    """The state machine of a pipeline.

    Attributes:
        pipeline: The name of the pipeline.
        definition: The text of its definition.
        job_definitions: The names of the job definitions of its Tasks.
        functions: The names of the Lambda functions of its Tasks; its items are then records.
    """

    pipeline: str
    definition: str
    job_definitions: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Return the key of the definition in the bucket; another text has another key.

        >>> PipelineStateMachine("germline", "{}").key
        'definitions/germline-44136fa355b3.json'
        """
        return run_layout.definition_object(self.pipeline, sha256(self.definition.encode()).hexdigest()[:DIGEST])

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the labels of its Distributed Maps."""
        states = walk_states(json.loads(self.definition))
        return tuple(state.node["Label"] for state in states if "Label" in state.node)


def role_id(pipeline: str) -> str:
    """Return the logical id of the role of a state machine."""
    return logical_id(pipeline, "StatesRole")


def state_machine(machine: PipelineStateMachine, names: ResourceNames) -> TemplateResources:
    """Return the resource of a state machine."""
    log_group = {"CloudWatchLogsLogGroup": {"LogGroupArn": attribute(STATES_LOG, "Arn")}}
    properties: dict[str, Any] = {
        "StateMachineName": names.state_machine(machine.pipeline),
        "StateMachineType": "STANDARD",
        "RoleArn": attribute(role_id(machine.pipeline), "Arn"),
        "DefinitionS3Location": {"Bucket": ref(BUCKET), "Key": machine.key},
        # Execution data of a million children would cost more than the transitions, and contain sample names.
        "LoggingConfiguration": {"Level": "ERROR", "IncludeExecutionData": False, "Destinations": [log_group]},
        "EncryptionConfiguration": when(
            HAS_KEY,
            {"Type": "CUSTOMER_MANAGED_KMS_KEY", "KmsKeyId": ref("KmsKeyArn"), "KmsDataKeyReusePeriodSeconds": 300},
            {"Type": "AWS_OWNED_KEY"},
        ),
    }
    return {
        machine_id(machine.pipeline): {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties},
    }


def machine_id(pipeline: str) -> str:
    """Return the logical id of a pipeline's state machine."""
    return logical_id(pipeline, "StateMachine")
