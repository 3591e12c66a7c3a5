"""The state machine that reports the end of a run: it counts the items of its Map Runs, and publishes a message.

Its input is EventBridge's "Step Functions Execution Status Change". A rule alone could not write the message: the event
has no numbers of samples, and its parts that hold JSON cannot be read by a rule, which inserts them without escaping
their quotes (EventBridge user guide, "Common issues with transforming input"). With a customer managed key the event
has neither output nor cause. What the message lacks for that, or because a call failed, it leaves out.
"""

from __future__ import annotations

from typing import Any

from genomics_pipeline.aws.console import CONSOLE_DOMAINS
from genomics_pipeline.language.jsonata.text import expression, literal
from genomics_pipeline.model import quotas
from genomics_pipeline.model.resource_names import ResourceNames

LIST_MAP_RUNS = "arn:aws:states:::aws-sdk:sfn:listMapRuns"
DESCRIBE_MAP_RUN = "arn:aws:states:::aws-sdk:sfn:describeMapRun"
PUBLISH = "arn:aws:states:::sns:publish"
SHOWN_OF_CAUSE = 800  # characters of a cause that no stage of ours has written

# DescribeMapRun may be called once a second, by all of an account together.
RETRY: dict[str, Any] = {
    "ErrorEquals": ["States.ALL"],
    "IntervalSeconds": 2,
    "BackoffRate": 2,
    "MaxAttempts": 6,
    "JitterStrategy": "FULL",
}
WITHOUT_COUNTS = {"ErrorEquals": ["States.ALL"], "Output": [], "Next": "Publish"}

_EVENT = "$states.context.Execution.Input"
# All Map Runs but those that a redrive replaced: a later one with the same Label began after their end. Those that
# divide the items of a Label among them run at the same time.
_CURRENT = (
    "$runs:=$states.result.MapRuns^(StartDate);"
    "$label:=function($run){$split($run.MapRunArn,':')[6]};"
    "[$filter($runs,function($run){$count($runs[$label($)=$label($run) and StartDate>$run.StopDate])=0}).MapRunArn]"
)
_LABEL = "$split($split($states.result.MapRunArn,':')[6],'/')[1]"
_KINDS = ("Succeeded", "Total", "Failed", "TimedOut", "Aborted", "Running", "Pending", "PendingRedrive")
# A sentence about each Label, such as "7 of 8 samples succeeded, 1 failed". A Label is a scope with a number.
_SENTENCES = (
    "[$each($states.result{label:{" + ",".join(f"'{kind}':$sum(counts.{kind})" for kind in _KINDS) + "}},"
    "function($counts,$label){("
    "$others:=[{'n':$counts.Failed,'end':'failed'},{'n':$counts.TimedOut,'end':'timed out'},"
    "{'n':$counts.Aborted,'end':'aborted'},{'n':$counts.Running,'end':'running'},"
    "{'n':$sum([$counts.Pending,$counts.PendingRedrive]),'end':'not run'}][n>0];"
    "$counts.Succeeded & ' of ' & $counts.Total & ' ' & $lowercase($replace($label,/[0-9]+$/,'')) & 's succeeded'"
    " & $join($others.(', ' & n & ' ' & end)))})]"
)
# The cause of a Fail state of a run begins with the stage and the class of its failure: `asl.healing`.
_REASON = (
    "$event:=" + _EVENT + ".detail;"
    "$cause:=$type($event.cause)='string'?$event.cause:'';"
    r"""$failed:=$match($cause,/^\{"stage":"([a-z0-9_]+)","class":"([a-z_]+)"/).groups;"""
    "$reason:=$exists($failed)?'The stage ' & $failed[0] & ' failed: ' & $failed[1]"
    f":$join([$event.error,$cause!=''?$substring($cause,0,{SHOWN_OF_CAUSE})][$type($)='string'],': ');"
)
_RUN = "$run:=$replace($event.name,/-r[0-9]+$/,'');"  # a rerun is another execution: `aws.run_names`


def report_definition(names: ResourceNames, topic: str) -> dict[str, Any]:
    """Return the definition of the state machine that reports the ends of the runs of a stack.

    Args:
        names: The names of the stack's resources.
        topic: The ARN of the topic to publish to.
    """
    describe = {
        "Type": "Task",
        "Resource": DESCRIBE_MAP_RUN,
        "Arguments": {"MapRunArn": expression("$states.input")},
        "Output": expression(f"{{'label':{_LABEL},'counts':$states.result.ItemCounts}}"),
        "Retry": [RETRY],
        "End": True,
    }
    states = {
        "ListMapRuns": {
            "Type": "Task",
            "Resource": LIST_MAP_RUNS,
            "Arguments": {"ExecutionArn": expression(f"{_EVENT}.detail.executionArn")},
            "Output": expression(f"({_CURRENT})"),
            "Retry": [RETRY],
            "Catch": [WITHOUT_COUNTS],
            "Next": "CountItems",
        },
        "CountItems": {
            "Type": "Map",
            "Items": expression("$states.input"),
            "ItemProcessor": {"StartAt": "DescribeMapRun", "States": {"DescribeMapRun": describe}},
            "Output": expression(_SENTENCES),
            "Catch": [WITHOUT_COUNTS],
            "Next": "Publish",
        },
        "Publish": {
            "Type": "Task",
            "Resource": PUBLISH,
            "Arguments": {
                "TopicArn": topic,
                "Subject": expression(f"({_REASON}{_RUN}{_subject()})"),
                "Message": expression(f"({_REASON}{_RUN}{_message(names)})"),
            },
            "Retry": [RETRY],
            "End": True,
        },
    }
    return {
        "Comment": "Reports the end of a run, with the numbers of its samples, to the topic of the alarms",
        "QueryLanguage": "JSONata",
        "StartAt": "ListMapRuns",
        "States": states,
    }


def _subject() -> str:
    subject = "'Run ' & $run & ': ' & $join([$event.status,$states.input[0]],', ')"
    return f"$substring({subject},0,{quotas.MESSAGE_SUBJECT.value})"


def _message(names: ResourceNames) -> str:
    """Return the JSONata of the message, whose lines are those that exist."""
    home = f"$lookup({literal(CONSOLE_DOMAINS)},$split($event.executionArn,':')[1])"
    lines = [
        f"'Run ' & $run & ': ' & $event.status & ' at ' & {_EVENT}.time",
        "$reason!=''?$reason",
        "$states.input",
        "$event.name!=$run?'This was a rerun, ' & $event.name & ': only what it ran is counted.'",
        f"'Samples, failures and next commands: genomics-pipeline status ' & $run & ' --stack {names.stack}'",
        f"'Console: https://' & {home} & '/states/home?region=' & {_EVENT}.region"
        " & '#/v2/executions/details/' & $event.executionArn",
    ]
    return f"$join([{','.join(lines)}],'\\n')"
