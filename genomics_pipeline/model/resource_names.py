"""Names of the resources of one deployment; each begins with the name of the CloudFormation stack."""

from __future__ import annotations

import re
from dataclasses import dataclass

from genomics_pipeline.model.errors import UsageError

STACK = re.compile(
    r"[a-z](?:-?[a-z0-9]){0,31}"
)  # also the beginning of the names of the bucket and the ECR repositories
DEFAULT_STACK = "genomics-pipeline"
INTAKE = "intake"  # the image of jobs that submit the sample sheets that arrive, and the name of such a job
COST_TAG = "genomics-pipeline"  # cost allocation tag of all resources and jobs; its value is the stack's name


@dataclass(frozen=True, slots=True)
class ResourceNames:
    """The names of a stack's resources.

    Attributes:
        stack: The stack's name; see `STACK`.
    """

    stack: str = DEFAULT_STACK

    @property
    def job_queue(self) -> str:
        """Return the name of the queue with Spot hosts first, then On-Demand hosts."""
        return self.stack

    @property
    def on_demand_queue(self) -> str:
        """Return the name of the queue with On-Demand hosts only."""
        return f"{self.stack}-on-demand"

    @property
    def log_group(self) -> str:
        """Return the name of the CloudWatch log group of the tasks' containers."""
        return f"/{self.stack}/tasks"

    @property
    def alarm_topic(self) -> str:
        """Return the name of the SNS topic of the alarms."""
        return f"{self.stack}-alarms"

    def job_definition(self, step: str) -> str:
        """Return the name of the Batch job definition of a step.

        >>> ResourceNames().job_definition("variant_calling")
        'genomics-pipeline-variant_calling'
        """
        return f"{self.stack}-{step}"

    def function(self, step: str) -> str:
        """Return the name of the Lambda function of a step."""
        return f"{self.stack}-{step}"

    def function_log(self, step: str) -> str:
        """Return the name of the CloudWatch log group of a step's Lambda function."""
        return f"/{self.stack}/functions/{step}"

    @property
    def index_job(self) -> str:
        """Return the name of the Batch job definition that builds indexes; steps have a hyphen behind the stack's."""
        return f"{self.stack}_index"

    @property
    def intake_job(self) -> str:
        """Return the name of the Batch job definition that submits the sample sheets that arrive."""
        return f"{self.stack}_{INTAKE}"

    def repository(self, step: str) -> str:
        """Return the name of the ECR repository of a step's image; the tag is `runs.containers.images.tag`."""
        return f"{self.stack}/{step}"

    def state_machine(self, pipeline: str) -> str:
        """Return the name of the state machine of a pipeline."""
        return f"{self.stack}-{pipeline}"


def resource_names(stack: str) -> ResourceNames:
    """Return the names of a stack's resources.

    Raises:
        UsageError: for a name that a stack may not have.
    """
    if not STACK.fullmatch(stack):
        expected = "expected lower-case letters, digits and single hyphens, a letter first, at most 32"
        raise UsageError(f"--stack {stack}: {expected}")
    return ResourceNames(stack)
