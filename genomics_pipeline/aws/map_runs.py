"""Map Runs of an execution and the latest failures in them, read with few calls, because AWS allows one a second."""

from __future__ import annotations

from genomics_pipeline.aws.clients import Clients, aws_call
from genomics_pipeline.aws.executions import describe
from genomics_pipeline.records.map_run import MapRunDescription, describe_map_run

LATEST_FAILURES = 20  # children of a Map Run whose causes are read before its result files are written


def limit_concurrency(arn: str, limit: int, clients: Clients) -> None:
    """Set MaxConcurrency of a running Map Run: its children that run go on.

    Args:
        arn: The Map Run.
        limit: The number of children that may run at a time; 0 for no limit.
        clients: The AWS clients.

    Raises:
        RunError: if AWS refuses.
    """
    with aws_call(f"lower the concurrency of the Map Run {arn}"):
        clients.states.update_map_run(mapRunArn=arn, maxConcurrency=limit)


class MapRuns:
    """The Map Runs of an execution; one that has ended is described once.

    Args:
        execution_arn: The ARN of the execution.
        clients: The AWS clients.
    """

    def __init__(self, execution_arn: str, clients: Clients) -> None:
        self._arn = execution_arn
        self._clients = clients
        self._ended: dict[str, MapRunDescription] = {}
        self._causes: dict[str, tuple[str, str, str]] = {}

    def describe(self) -> list[MapRunDescription]:
        """Describe the Map Runs, in the order in which they started.

        Raises:
            RunError: if a call fails.
        """
        with aws_call(f"list the Map Runs of {self._arn}"):
            pages = self._clients.states.get_paginator("list_map_runs").paginate(executionArn=self._arn)
            listed = sorted((one for page in pages for one in page["mapRuns"]), key=lambda one: one["startDate"])
        return [self._one(one["mapRunArn"]) for one in listed]

    def _one(self, arn: str) -> MapRunDescription:
        if arn not in self._ended:
            with aws_call(f"describe the Map Run {arn}"):
                run = describe_map_run(self._clients.states.describe_map_run(mapRunArn=arn))
            if run.status == "RUNNING":
                return run
            self._ended[arn] = run
        return self._ended[arn]

    def latest_failures(self, arn: str) -> list[tuple[str, str, str]]:
        """Return (input, error, cause) of the children that failed last; each child is described once.

        Raises:
            RunError: if a call fails.
        """
        with aws_call(f"list the failed children of {arn}"):
            page = self._clients.states.list_executions(
                mapRunArn=arn, statusFilter="FAILED", maxResults=LATEST_FAILURES
            )
        children = [child["executionArn"] for child in page["executions"]]
        for child in children:
            if child not in self._causes:
                child_execution = describe(child, self._clients)
                self._causes[child] = (
                    child_execution.get("input", "{}"),
                    child_execution.get("error", ""),
                    child_execution.get("cause", ""),
                )
        return [self._causes[child] for child in children]
