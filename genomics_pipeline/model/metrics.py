"""Names of the metrics that tasks report to CloudWatch, which the dashboard and the alarms of a stack read."""

from __future__ import annotations

NAMESPACE = "GenomicsPipeline"
STAGE = "Stage"
OUTCOME = "Outcome"
DIMENSIONS = (STAGE, OUTCOME)  # each combination is billed as a metric, so the sample is none
SUCCEEDED = "succeeded"  # the outcome of an item; that of a failure is its class

ITEMS = "Items"
DURATION = "Duration"
PEAK_MEMORY = "PeakMemory"
INPUT_BYTES = "InputBytes"
OUTPUT_BYTES = "OutputBytes"
COST = "Cost"  # estimated US dollars, of failures too
BY_STAGE = (STAGE,)  # of the metrics of jobs, which begin before their items have an outcome
QUEUE_WAIT = "QueueWait"
LOST_HOSTS = "LostHosts"
