"""CloudWatch log groups, in the template so that they have a retention period."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.aws.template.functions import TemplateResources, ref, when
from genomics_pipeline.aws.template.parameters import HAS_KEY
from genomics_pipeline.model.resource_names import ResourceNames

TASKS_LOG = "TasksLog"
STATES_LOG = "StatesLog"
# Deliveries to groups with this prefix need no further resource policies of the account (Step Functions developer
# guide, "Using CloudWatch Logs").
VENDED = "/aws/vendedlogs/states/"


def logs(names: ResourceNames) -> TemplateResources:
    """Return the log groups of the tasks' containers and of the state machines."""
    return {TASKS_LOG: log_group(names.log_group), STATES_LOG: log_group(VENDED + names.stack)}


def log_group(name: str) -> dict[str, Any]:
    """Return a log group with the retention of the stack."""
    return {
        "Type": "AWS::Logs::LogGroup",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {
            "LogGroupName": name,
            "RetentionInDays": ref("LogRetentionDays"),
            "KmsKeyId": when(HAS_KEY, ref("KmsKeyArn")),
        },
    }
