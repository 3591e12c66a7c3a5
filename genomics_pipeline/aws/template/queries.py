"""Saved queries of CloudWatch Logs Insights over the log of the tasks, whose metrics are JSON lines."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.aws.template.functions import TemplateResources, logical_id, ref
from genomics_pipeline.aws.template.logs import TASKS_LOG
from genomics_pipeline.model import metrics
from genomics_pipeline.model.resource_names import ResourceNames

PRICE = "free; a query costs $0.005 for each GB of log that it reads"

SLOWEST = f"""filter ispresent({metrics.DURATION})
| fields @timestamp, Run, {metrics.STAGE}, Item, {metrics.DURATION}, {metrics.PEAK_MEMORY}, @logStream
| sort {metrics.DURATION} desc
| limit 50"""

FAILURES = f"""filter ispresent({metrics.OUTCOME}) and {metrics.OUTCOME} != "{metrics.SUCCEEDED}"
| stats count(*) as Failures, count_distinct(Item) as Items, latest(Run) as LatestRun by {metrics.OUTCOME}, \
{metrics.STAGE}
| sort Failures desc"""

PERCENTILES = f"""filter ispresent({metrics.DURATION})
| stats count(*) as Tasks, pct({metrics.DURATION}, 50) as p50, pct({metrics.DURATION}, 95) as p95, \
pct({metrics.PEAK_MEMORY}, 95) as p95_MiB, max({metrics.PEAK_MEMORY}) as max_MiB by {metrics.STAGE}"""

WAITS = f"""filter ispresent({metrics.QUEUE_WAIT})
| stats count(*) as Jobs, pct({metrics.QUEUE_WAIT}, 50) as p50, pct({metrics.QUEUE_WAIT}, 90) as p90, \
max({metrics.QUEUE_WAIT}) as longest by {metrics.STAGE}"""

HISTORY = f"""filter Item = "SAMPLE"
| fields @timestamp, Run, {metrics.STAGE}, {metrics.OUTCOME}, {metrics.DURATION}, {metrics.PEAK_MEMORY}, @logStream
| sort @timestamp asc"""

# By the name that the console shows below the name of the stack.
QUERIES = {
    "slowest tasks": SLOWEST,
    "failures by class": FAILURES,
    "duration and memory by stage": PERCENTILES,
    "wait for hosts by stage": WAITS,
    "history of one sample": HISTORY,
}


def saved_queries(names: ResourceNames) -> TemplateResources:
    """Return the saved queries of a stack; the console shows them in a folder of its name."""
    return {
        logical_id(name.replace(" ", "_"), "Query"): _query(f"{names.stack}/{name}", QUERIES[name]) for name in QUERIES
    }


def _query(name: str, text: str) -> dict[str, Any]:
    return {
        "Type": "AWS::Logs::QueryDefinition",
        "Metadata": {"Price": PRICE},
        "Properties": {"Name": name, "LogGroupNames": [ref(TASKS_LOG)], "QueryString": text},
    }
