"""Dashboard, alarms, notifications, saved queries: off by default, priced, about metrics and names that exist."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.deployment import RUN_REPORT, state_machines
from genomics_pipeline.aws.template.functions import logical_id
from genomics_pipeline.aws.template.monitoring import monitoring
from genomics_pipeline.aws.template.monitoring_parameters import MONITORING_PARAMETERS
from genomics_pipeline.aws.template.queries import QUERIES
from genomics_pipeline.cli.adapters import aws_clients
from genomics_pipeline.model import metrics
from genomics_pipeline.runs.catalog import usual_pipelines
from genomics_pipeline.runs.stack.deploy import deploy
from genomics_pipeline.runs.stack.template import StackTemplate
from genomics_pipeline.worker import emf
from tests.aws.template.policies import ACCOUNT, REGION, map_labels
from tests.runs.test_deploy import StandInUser

STACK = "genomics-pipeline"
ON = {"Dashboard": "on", "AlarmEmail": "lab@example.org", "MonthlyBudget": "500", "StallHours": "3"}
# Step Functions developer guide, "Monitoring with CloudWatch metrics"; EC2 user guide, "Service quota usage metrics".
AWS_METRICS = {
    "AWS/States": {
        *(f"Executions{kind}" for kind in ("Started", "Succeeded", "Failed", "TimedOut", "Aborted")),
        "ExecutionThrottled",
        "ApproximateOpenMapRunCount",
        "ApproximateMapRunBacklogSize",
    },
    "AWS/Usage": {"ResourceCount"},
    f"{metrics.NAMESPACE}/{STACK}": {"TasksEnded", "TasksFailed"},
}


@pytest.fixture(scope="module")
def resources(plan: StackTemplate) -> dict[str, Any]:
    return {name: one for part in monitoring(plan.machines, plan.names) for name, one in part.items()}


@pytest.fixture(scope="module")
def widgets(resources: dict[str, Any]) -> list[dict[str, Any]]:
    body = resources["MonitoringDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    found: list[dict[str, Any]] = json.loads(body)["widgets"]
    return found


@pytest.fixture
def clients(cloudformation: str) -> Clients:
    return aws_clients()


def test_what_costs_has_a_condition_and_everything_its_price(resources: dict[str, Any]) -> None:
    assert all(resource["Metadata"]["Price"] for resource in resources.values())
    free = {name for name, resource in resources.items() if "Condition" not in resource}
    assert {resources[name]["Type"] for name in free} == {"AWS::Logs::QueryDefinition"}
    assert [
        MONITORING_PARAMETERS[name]["Default"] for name in ("Dashboard", "Alarms", "AlarmEmail", "MonthlyBudget")
    ] == [
        "off",
        "off",
        "",
        0,
    ]


def test_the_dashboard_shows_what_is_asked_for(widgets: list[dict[str, Any]]) -> None:
    assert [widget["properties"]["title"] for widget in widgets] == [
        "Runs",
        "Items of the maps: done and failed",
        "Items of the maps: running, counted from the left edge",
        "Map Runs of the account: open, and children that wait",
        "Queues: jobs that entered each state",
        "Queues: how long jobs stay in each state",
        "vCPUs of the account",
        "Failed tasks by stage and class",
        "Attempts after a lost host, by stage",
        "Wait for a host by stage: median (s)",
        "Wait for a host by stage: 90th percentile (s)",
        "Duration by stage: median (s)",
        "Duration by stage: 95th percentile (s)",
        "Peak memory by stage: 95th percentile (MiB)",
        "Input by stage (bytes)",
        "Output by stage (bytes)",
        "Estimated dollars an hour by stage and outcome; the height is their total",
        "Failures by class",
        "Slowest tasks",
    ]
    places = {(widget["x"], widget["y"]) for widget in widgets}
    assert len(places) == len(widgets)
    assert all(widget["x"] + widget["width"] <= 24 for widget in widgets)


def test_graphs_read_metrics_that_exist(widgets: list[dict[str, Any]]) -> None:
    lines = [line for widget in widgets for line in widget["properties"].get("metrics", ())]
    named = [line for line in lines if isinstance(line[0], str)]
    assert named
    for namespace, name, *_ in named:
        assert name in AWS_METRICS[namespace]
    searched = " ".join(line[0]["expression"] for line in lines if "expression" in line[0])
    own = re.findall(rf'{{{metrics.NAMESPACE},Outcome,Stage}} MetricName="(\w+)"', searched)
    of_jobs = set(re.findall(rf'{{{metrics.NAMESPACE},Stage}} MetricName="(\w+)"', searched))
    assert of_jobs == {metrics.LOST_HOSTS, metrics.QUEUE_WAIT}
    assert set(own) == set(emf.UNITS) - of_jobs
    assert sorted(metrics.DIMENSIONS) == ["Outcome", "Stage"]  # the schema of a search is sorted
    assert 'JobQueueName=("genomics-pipeline" OR "genomics-pipeline-on-demand")' in searched


def test_every_identifier_of_a_graph_is_of_one_line(widgets: list[dict[str, Any]]) -> None:
    running = next(widget for widget in widgets if "running" in widget["properties"]["title"])
    names = [line[-1]["id"] for line in running["properties"]["metrics"]]
    assert len(set(names)) == len(names)
    used = {name for line in running["properties"]["metrics"] for name in re.findall(r"FILL\((\w+),0\)", str(line))}
    assert used <= set(names)
    assert all(re.fullmatch("[a-z][A-Za-z0-9_]*", name) for name in names)


def test_alarms_read_metrics_that_exist(resources: dict[str, Any]) -> None:
    alarms = {name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::CloudWatch::Alarm"}
    throttled = [logical_id(name, "ThrottleAlarm") for name in usual_pipelines()]
    assert sorted(alarms) == sorted(
        [*throttled, "FailureRateAlarm", "OpenMapRunsAlarm", "RunReportAlarm", "StallAlarm"]
    )
    (reported,) = alarms["RunReportAlarm"]["Metrics"][1:]
    assert reported["MetricStat"]["Metric"]["Dimensions"] == [{"Name": "StateMachineArn", "Value": {"Ref": RUN_REPORT}}]
    for alarm in alarms.values():
        result, *queries = alarm["Metrics"]
        assert [one["ReturnData"] for one in alarm["Metrics"]] == [True, *[False] * len(queries)]
        assert set(re.findall(r"\b(?!IF|FILL)[a-z]\w*", result["Expression"])) == {one["Id"] for one in queries}
        for one in queries:
            assert one["MetricStat"]["Metric"]["MetricName"] in AWS_METRICS[one["MetricStat"]["Metric"]["Namespace"]]
    assert alarms["OpenMapRunsAlarm"]["Threshold"] == 900
    machines = [
        one["MetricStat"]["Metric"]["Dimensions"][0]["Value"]["Fn::Sub"].rpartition(":")[2]
        for name in throttled
        for one in alarms[name]["Metrics"][1:]
    ]
    assert machines == [
        f"{STACK}-{pipeline}{part}" for pipeline in usual_pipelines() for part in ("", *map_labels(pipeline))
    ]


def test_an_alarm_looks_back_at_most_a_week(resources: dict[str, Any]) -> None:
    # PutMetricAlarm: EvaluationPeriods times Period may be seven days for periods of an hour.
    assert MONITORING_PARAMETERS["StallHours"]["MaxValue"] * 3600 <= 7 * 86_400


def test_the_topic_accepts_only_the_stacks_alarms_and_rules_and_budgets(resources: dict[str, Any]) -> None:
    policy = resources["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]
    allowed = {
        one["Principal"]["Service"]: (one["Action"], one["Resource"], one["Condition"]) for one in policy["Statement"]
    }
    assert sorted(allowed) == ["budgets.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com"]
    for service, (action, topic, condition) in allowed.items():
        assert (action, topic) == ("sns:Publish", {"Ref": "AlarmTopic"})
        assert condition["ArnLike"]["aws:SourceArn"]
        assert ("StringEquals" in condition) == (service != "events.amazonaws.com")
    alarm = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:"
    pattern = allowed["cloudwatch.amazonaws.com"][2]["ArnLike"]["aws:SourceArn"][0]["Fn::Sub"]
    for variable, value in (("Partition", "aws"), ("Region", REGION), ("AccountId", ACCOUNT)):
        pattern = pattern.replace(f"${{AWS::{variable}}}", value)
    expression = re.compile(re.escape(pattern).replace(r"\*", ".*"))
    names = [one["Properties"]["AlarmName"] for one in resources.values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    assert all(expression.fullmatch(alarm + name) for name in names)
    assert not expression.fullmatch(f"{alarm}{STACK}-two: failures")  # of another stack


def test_the_message_about_a_queue_uses_each_of_its_paths(resources: dict[str, Any]) -> None:
    (target,) = resources["QueueBlocked"]["Properties"]["Targets"]
    transformer = target["InputTransformer"]
    template, variables = transformer["InputTemplate"]["Fn::Sub"]
    assert set(re.findall("<([a-z]+)>", template)) == set(transformer["InputPathsMap"])
    assert re.findall(r"\$\{(\w+)}", template) == list(variables) == ["Console"]
    for line in template.splitlines():
        assert json.loads(line)  # one quoted text a line
    assert len(template) < 8192


def test_queries_read_the_members_of_the_lines_of_tasks() -> None:
    members = {"Run", "Item", *metrics.DIMENSIONS, *emf.UNITS}
    aliases = {"Failures", "Items", "LatestRun", "Tasks", "Jobs"}
    for query in QUERIES.values():
        assert set(re.findall(r"\b[A-Z][A-Za-z]+\b", query)) - aliases - {"SAMPLE", "MiB"} <= members


def test_moto_creates_everything_where_it_is_on(clients: Clients, plan: StackTemplate) -> None:
    import boto3

    deploy(plan, ON, clients, StandInUser())
    cloudwatch, sns, events = (boto3.client(name) for name in ("cloudwatch", "sns", "events"))
    assert len(cloudwatch.describe_alarms()["MetricAlarms"]) == 4 + len(plan.machines)
    (stall,) = cloudwatch.describe_alarms(AlarmNames=[f"{STACK}: no progress"])["MetricAlarms"]
    assert stall["EvaluationPeriods"] == 3
    body = cloudwatch.get_dashboard(DashboardName=STACK)["DashboardBody"]
    assert "${AWS" not in body
    assert json.loads(body)["widgets"][0]["properties"]["region"] == "us-east-1"
    (rule,) = (one["Name"] for one in events.list_rules()["Rules"] if "run" in one["Description"])
    (blocked,) = (one["Name"] for one in events.list_rules()["Rules"] if "queue" in one["Description"])
    (target,) = events.list_targets_by_rule(Rule=blocked)["Targets"]
    assert "https://console.aws.amazon.com/batch/home?region=<region>" in target["InputTransformer"]["InputTemplate"]
    report = "arn:aws:states:us-east-1:000000000000:stateMachine:"
    (target,) = events.list_targets_by_rule(Rule=rule)["Targets"]
    assert target["Arn"].startswith(report)
    machines = [f"{report}{STACK}-{pipeline}" for pipeline in usual_pipelines()]
    assert target["Arn"] not in state_machines(STACK, clients) == machines
    (topic,) = sns.list_topics()["Topics"]
    (subscription,) = sns.list_subscriptions()["Subscriptions"]
    assert (subscription["TopicArn"], subscription["Endpoint"]) == (topic["TopicArn"], ON["AlarmEmail"])
    (budget,) = boto3.client("budgets").describe_budgets(AccountId="000000000000")["Budgets"]
    assert budget["CostFilters"] == {"TagKeyValue": [f"user:genomics-pipeline${STACK}"]}


def test_nothing_is_created_where_it_is_off(clients: Clients, plan: StackTemplate) -> None:
    import boto3

    deploy(plan, {}, clients, StandInUser())
    cloudwatch, sns, events = (boto3.client(name) for name in ("cloudwatch", "sns", "events"))
    assert cloudwatch.describe_alarms()["MetricAlarms"] == cloudwatch.list_dashboards()["DashboardEntries"] == []
    assert sns.list_topics()["Topics"] == events.list_rules()["Rules"] == []
