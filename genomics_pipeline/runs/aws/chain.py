"""The executions of a run on AWS, from the records in its bucket, and their Map Runs, from Step Functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from genomics_pipeline.aws.executions import find_execution
from genomics_pipeline.aws.map_runs import MapRuns
from genomics_pipeline.language.errors import RESULT_WRITER_FAILED
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import Failure, classify
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.records.map_run import MapRunDescription
from genomics_pipeline.records.rerun import read_rerun
from genomics_pipeline.records.result_files import newest_details
from genomics_pipeline.runs.aws.run import AwsRun
from genomics_pipeline.runs.reruns.chain import WHOLE, RunExecution
from genomics_pipeline.stores.protocol import MissingObject

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef


def aws_chain(run: AwsRun) -> list[RunExecution]:
    """Return all executions of a run, oldest first; the last may be one that was prepared and never started."""
    chain = [RunExecution(run.name, WHOLE, run.record.execution_arn, accepted=run.record.accepted)]
    while record := read_rerun(run.store, run.place.uri(run_layout.rerun_file(len(chain), run_layout.RECORD))):
        chain.append(
            RunExecution(
                record.execution,
                record.manifest,
                record.execution_arn,
                record.carried,
                record.accepted,
                record.classes,
            )
        )
    return chain


def started_chain(run: AwsRun) -> list[RunExecution]:
    """Return the executions of a run that were started, oldest first, also those that AWS has deleted since.

    Raises:
        RunError: if AWS cannot be reached.
    """
    chain = aws_chain(run)
    return chain[:-1] if len(chain) > 1 and find_execution(chain[-1].arn, run.clients) is None else chain


def aws_map_runs(run: AwsRun, execution: RunExecution) -> Sequence[MapRunDescription]:
    """Return the Map Runs of an execution that has ended, with their result files.

    Raises:
        RunError: if AWS cannot be reached.
    """
    described = MapRuns(execution.arn, run.clients).describe()
    return [with_results(run, one) for one in described]


def started_children(run: AwsRun) -> tuple[int, dict[str, int]]:
    """Return the number of executions of a run, and that of their child executions by Label.

    Raises:
        RunError: if AWS cannot be reached, or does not know an execution any more.
    """
    executions, children = started_chain(run), Counter[str]()
    for execution in executions:
        for one in MapRuns(execution.arn, run.clients).describe():
            children[one.label] += one.executions.total
    return len(executions), dict(children)


def with_results(run: AwsRun, map_run: MapRunDescription) -> MapRunDescription:
    """Return a Map Run that has ended, with the place of its result files after its last redrive."""
    key = run.place.prefix + run_layout.result_manifest(map_run.label, map_run.uuid)
    return replace(map_run, results=newest_details(run.store, {"Bucket": run.place.bucket, "Key": key}))


def with_written_results(run: AwsRun, map_run: MapRunDescription, failure: Failure | None) -> MapRunDescription:
    """Return a Map Run as `with_results`, but without result files where AWS failed to write them.

    Args:
        run: The run.
        map_run: A Map Run of its newest execution that has ended.
        failure: The failure of that execution; None unless it failed.
    """
    described = with_results(run, map_run)
    if failure is None or failure.error != RESULT_WRITER_FAILED or described.results is None:
        return described
    is_written = run.store.stat(f"s3://{described.results['Bucket']}/{described.results['Key']}") is not None
    return described if is_written else replace(described, results=None)


def results_not_written(missing: MissingObject) -> RunError:
    """Return the error about result files that AWS has not written yet, though their Map Run ended."""
    problem = "expected the result files of a Map Run that ended, found none"
    return RunError(f"{missing}: {problem}; AWS writes them after its end: try again in a minute")


def execution_failure(execution: DescribeExecutionOutputTypeDef) -> Failure | None:
    """Return the failure of an execution; None unless it failed."""
    if execution["status"] in ("RUNNING", "SUCCEEDED"):
        return None
    return classify(execution.get("error", ""), execution.get("cause", ""))
