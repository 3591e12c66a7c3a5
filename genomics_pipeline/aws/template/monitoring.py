"""The monitoring of a stack: dashboard, alarms, notifications, saved queries."""

from __future__ import annotations

from collections.abc import Sequence

from genomics_pipeline.aws.template.alarms import alarms
from genomics_pipeline.aws.template.dashboard import dashboard
from genomics_pipeline.aws.template.functions import TemplateResources
from genomics_pipeline.aws.template.notifications import notifications
from genomics_pipeline.aws.template.queries import saved_queries
from genomics_pipeline.aws.template.states import PipelineStateMachine
from genomics_pipeline.model.resource_names import ResourceNames


def monitoring(
    machines: Sequence[PipelineStateMachine], names: ResourceNames, *, has_jobs: bool = True, has_intake: bool = False
) -> list[TemplateResources]:
    """Return the resources of the monitoring; each has its price in its metadata.

    Args:
        machines: The state machines of the pipelines.
        names: The names of the resources.
        has_jobs: Whether the stack has job queues.
        has_intake: Whether the stack has an intake.
    """
    messages = notifications(machines, names, has_jobs=has_jobs, has_intake=has_intake)
    return [saved_queries(names), dashboard(machines, names), messages, alarms(machines, names)]
