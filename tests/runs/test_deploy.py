"""`deploy` and `destroy` against moto's CloudFormation and the services behind it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.deployment import find_deployment
from genomics_pipeline.aws.registry import has_repository
from genomics_pipeline.aws.stack import ChangeSet, StackEvent, describe, parameter_values
from genomics_pipeline.aws.template.states import machine_id
from genomics_pipeline.cli.adapters import aws_clients
from genomics_pipeline.language.walker import walk_states
from genomics_pipeline.model import quotas
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import DataError, RunError, UsageError
from genomics_pipeline.runs.catalog import shipped_folder, usual_pipelines
from genomics_pipeline.runs.stack.deploy import deploy, parse_parameters
from genomics_pipeline.runs.stack.destroy import DestroyOutcome, destroy
from genomics_pipeline.runs.stack.template import StackTemplate, stack_template
from genomics_pipeline.worker.dollars import task_dollars
from genomics_pipeline.worker.step_folder import StepFolder

STACK = "genomics-pipeline"
HOST = {"instance_type": "m6id.2xlarge", "market": "on-demand"}


class StandInUser:
    """A user who answers at once, and keeps what is asked and said."""

    def __init__(self, answer: bool = True) -> None:
        self.answer = answer
        self.changes: list[list[tuple[str, str]]] = []
        self.following: list[dict[str, int]] = []
        self.questions: list[str] = []
        self.events: list[StackEvent] = []
        self.lines: list[str] = []

    def show(self, change_set: ChangeSet, following: Mapping[str, int]) -> None:
        self.changes.append(sorted((change.action, change.resource) for change in change_set.changes))
        self.following.append(dict(following))

    def confirm(self, question: str) -> bool:
        self.questions.append(question)
        return self.answer

    def note(self, line: str) -> None:
        self.lines.append(line)

    def report(self, event: StackEvent) -> None:
        self.events.append(event)

    def sleep(self, seconds: float) -> None:
        raise AssertionError("moto is done at once")


@pytest.fixture
def clients(cloudformation: str) -> Clients:
    return aws_clients()


@pytest.fixture(scope="module")
def plan() -> StackTemplate:
    return stack_template([], STACK)


@pytest.fixture
def own(tmp_path: Path) -> Callable[[], StackTemplate]:
    """Return `own()`, which loads a user's pipeline of one step again after changes."""
    step = tmp_path / "count_reads"
    shutil.copytree(shipped_folder("steps") / "gather", step)
    shutil.copytree(
        shipped_folder("steps") / "common", step.parent / "common", ignore=shutil.ignore_patterns("__pycache__")
    )
    text = (step / "step.toml").read_text("utf-8").replace('name = "gather"', 'name = "count_reads"')
    text = re.sub(r'type = "files"(\n(indexes|missing) = .*)*', 'type = "reference"', text)
    (step / "step.toml").write_text(text, "utf-8")
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\nsummary = "one step"\n[[stages]]\nname = "count_reads"\nstep = "./count_reads"\n'
        'scope = "cohort"\ninputs = { vcfs = "reference", reference = "reference" }\npublish = "counts"\n',
        "utf-8",
    )
    return lambda: stack_template(["germline", str(tmp_path / "mine.toml")], STACK)


def test_the_first_deployment_is_two_change_sets_and_one_question(clients: Clients, plan: StackTemplate) -> None:
    user = StandInUser()
    outputs = deploy(plan, {}, clients, user)
    assert outputs is not None
    first, second = user.changes
    assert first == [("Add", "Bucket"), ("Add", "BucketPolicy")]
    assert ("Add", "AmpliconStateMachine") in second
    assert ("Add", "GermlineStateMachine") in second
    assert {action for action, _ in second} == {"Add"}
    assert not set(first) & set(second)
    foretold, nothing = user.following
    assert (nothing, user.questions) == ({}, ["Execute?"])
    assert foretold["AWS::StepFunctions::StateMachine"] == len(plan.machines) + 1  # the report of a run's end
    assert foretold["AWS::Batch::JobDefinition"] == len(plan.images) + 1  # the job that builds indexes
    assert sum(foretold.values()) >= len(second)
    assert {event.status for event in user.events if event.resource == STACK} == {
        "CREATE_IN_PROGRESS",
        "CREATE_COMPLETE",
        "UPDATE_IN_PROGRESS",
        "UPDATE_COMPLETE",
    }
    machines = [machine_id(name) for name in usual_pipelines()]
    assert sorted(outputs) == sorted([*machines, "Architecture", "Bucket", "JobQueue", "OnDemandQueue"])


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_a_region_without_prices_in_the_images_is_named(
    cloudformation: str, plan: StackTemplate, monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    user = StandInUser(answer=False)
    deploy(plan, {}, aws_clients(), user)
    notes = [line for line in user.lines if "dollars" in line]
    expected = (
        f"tasks report no dollars (metric Cost) in {region}: the images have prices of us-east-1; "
        f"`genomics-pipeline prices update --region {region}` lets plan, cost and budgets use AWS's"
    )
    assert notes == [] if region == "us-east-1" else [expected]
    assert (task_dollars(HOST | {"zone": f"{region}a"}, 3600, 2, 4096) is None) == bool(notes)


def test_the_resources_are_what_the_code_expects(clients: Clients, plan: StackTemplate) -> None:
    deploy(plan, {}, clients, StandInUser())
    deployment = find_deployment(STACK, clients)
    machine = clients.states.describe_state_machine(stateMachineArn=deployment.state_machine_arn("germline"))
    (germline,) = (one for one in plan.machines if one.pipeline == "germline")
    assert machine["definition"] == germline.definition
    assert (machine["name"], machine["type"]) == ("genomics-pipeline-germline", "STANDARD")
    body = clients.s3.get_object(Bucket=deployment.bucket, Key=germline.key)["Body"].read()
    assert body.decode() == germline.definition
    queues = clients.batch.describe_job_queues(jobQueues=[deployment.names.job_queue, deployment.names.on_demand_queue])
    assert [len(queue["computeEnvironmentOrder"]) for queue in queues["jobQueues"]] == [2, 1]
    _job_definitions_are_those_of_the_states(clients, plan)
    _check_bucket(clients, deployment.bucket)


def test_the_size_of_a_definition_is_checked_on_the_text_that_is_uploaded(
    plan: StackTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = max(len(machine.definition.encode()) for machine in plan.machines)
    monkeypatch.setattr(quotas, "DEFINITION", replace(quotas.DEFINITION, value=size))
    assert stack_template([], STACK) == plan
    monkeypatch.setattr(quotas, "DEFINITION", replace(quotas.DEFINITION, value=size - 1))
    with pytest.raises(DataError, match=f"the definition: AWS allows at most {size - 1} bytes, found {size}"):
        stack_template([], STACK)


def _job_definitions_are_those_of_the_states(clients: Clients, plan: StackTemplate) -> None:
    registered = {
        definition["jobDefinitionName"]: definition
        for definition in clients.batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    }
    named = set()
    states = (state for machine in plan.machines for state in walk_states(json.loads(machine.definition)))
    for state in states:
        if state.kind == "Task":
            named.update(re.findall(':"([a-z_-]+)"', state.node["Arguments"]["JobDefinition"]))
            queues = re.findall('"([a-z-]+)"', state.node["Arguments"]["JobQueue"].partition("?")[2])
            assert queues == [plan.names.on_demand_queue, plan.names.job_queue]
    assert named | {plan.names.index_job} == set(registered)
    for image in plan.images:
        definition = registered[plan.names.job_definition(image.step.name)]
        repository = f"000000000000.dkr.ecr.us-east-1.amazonaws.com/{plan.names.repository(image.step.name)}"
        assert definition["containerProperties"]["image"] == f"{repository}:{image.tag}-x86_64"
        assert definition["timeout"] == {"attemptDurationSeconds": image.step.resources.timeout_s}
        assert definition["retryStrategy"]["evaluateOnExit"][-1] == {"onReason": "*", "action": "exit"}
        assert definition["containerProperties"]["logConfiguration"]["options"]["awslogs-group"] == plan.names.log_group
        assert clients.ecr.describe_repositories(repositoryNames=[plan.names.repository(image.step.name)])


def _check_bucket(clients: Clients, bucket: str) -> None:
    s3 = clients.s3
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(blocked.values()) == {True}
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    (owner,) = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert owner == {"ObjectOwnership": "BucketOwnerEnforced"}
    rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert [rule["ID"] for rule in rules] == [
        "Intermediates",
        "Results",
        "IncompleteUploads",
        "NoncurrentVersions",
        "Templates",
    ]


def test_a_second_deployment_has_nothing_to_do(clients: Clients, plan: StackTemplate) -> None:
    outputs = deploy(plan, {}, clients, StandInUser())
    user = StandInUser()
    assert deploy(plan, {}, clients, user) == outputs
    assert (user.changes, user.questions, user.events) == ([[]], [], [])
    assert clients.cloudformation.list_change_sets(StackName=STACK)["Summaries"]  # those that were executed


def test_a_changed_step_is_a_new_revision_of_its_job_definition_alone(
    clients: Clients, own: Callable[[], StackTemplate], tmp_path: Path
) -> None:
    deploy(own(), {}, clients, StandInUser())
    (tmp_path / "count_reads" / "gather.py").write_text("print('another program')\n", "utf-8")
    user, changed = StandInUser(), own()
    deploy(changed, {}, clients, user)
    assert user.changes == [[("Modify", "CountReadsJobDefinition")]]
    old, found = clients.batch.describe_job_definitions(jobDefinitionName=f"{STACK}-count_reads", status="ACTIVE")[
        "jobDefinitions"
    ]
    assert old["revision"] == 1  # which stays for the runs that name it
    (tag,) = (image.tag for image in changed.images if image.step.name == "count_reads")
    assert found["revision"] == 2
    assert found["containerProperties"]["image"].endswith(f"/{STACK}/count_reads:{tag}-x86_64")


def test_a_changed_pipeline_is_another_definition_of_its_state_machine_alone(
    clients: Clients, own: Callable[[], StackTemplate], tmp_path: Path
) -> None:
    deploy(own(), {}, clients, StandInUser())
    file = tmp_path / "mine.toml"
    file.write_text(file.read_text("utf-8").replace('publish = "counts"', 'publish = "reports"'), "utf-8")
    user, changed = StandInUser(), own()
    deploy(changed, {}, clients, user)
    assert user.changes == [[("Modify", "MineStateMachine")]]
    arn = find_deployment(STACK, clients).state_machine_arn("mine")
    assert clients.states.describe_state_machine(stateMachineArn=arn)["definition"] == changed.machines[1].definition


def test_no_leaves_nothing_behind(clients: Clients, plan: StackTemplate) -> None:
    user = StandInUser(answer=False)
    assert deploy(plan, {}, clients, user) is None
    assert user.questions == ["Execute?"]
    assert clients.cloudformation.describe_stacks()["Stacks"] == []


def test_no_to_a_change_leaves_the_stack_as_it_was(
    clients: Clients, plan: StackTemplate, own: Callable[[], StackTemplate]
) -> None:
    deploy(plan, {}, clients, StandInUser())
    assert deploy(own(), {}, clients, StandInUser(answer=False)) is None
    states = [
        change_set["ExecutionStatus"]
        for change_set in clients.cloudformation.list_change_sets(StackName=STACK)["Summaries"]
    ]
    assert states == ["EXECUTE_COMPLETE", "EXECUTE_COMPLETE"]
    with pytest.raises(clients.states.exceptions.StateMachineDoesNotExist):
        clients.states.describe_state_machine(stateMachineArn=find_deployment(STACK, clients).state_machine_arn("mine"))


def test_destroy_keeps_the_data(clients: Clients, plan: StackTemplate) -> None:
    outputs = deploy(plan, {}, clients, StandInUser())
    assert outputs is not None
    bucket = outputs["Bucket"]
    user = StandInUser()
    assert destroy(STACK, False, clients, user, _no_deletion) == DestroyOutcome(bucket)
    assert user.questions == [f"Delete the stack {STACK}: state machines, queues, images and logs; keep s3://{bucket}?"]
    assert clients.s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1 + len(
        plan.machines
    )  # the template and the definitions
    assert clients.cloudformation.describe_stacks()["Stacks"] == []
    assert clients.batch.describe_job_queues()["jobQueues"] == []
    assert clients.batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"] == []
    assert clients.ecr.describe_repositories()["repositories"] == []
    assert clients.states.list_state_machines()["stateMachines"] == []
    assert clients.logs.describe_log_groups()["logGroups"] == []


def test_a_stack_can_be_deployed_again(clients: Clients, plan: StackTemplate) -> None:
    first = deploy(plan, {}, clients, StandInUser())
    destroy(STACK, False, clients, StandInUser(), _no_deletion)
    second = deploy(plan, {}, clients, StandInUser())
    assert first is not None
    assert second is not None
    assert first["Bucket"] != second["Bucket"]


def test_destroy_deletes_every_version_where_that_is_wanted(clients: Clients, plan: StackTemplate) -> None:
    outputs = deploy(plan, {}, clients, StandInUser())
    assert outputs is not None
    bucket = outputs["Bucket"]
    for text in (b"one", b"two"):
        clients.s3.put_object(Bucket=bucket, Key="runs/r/run.json", Body=text)
    clients.s3.delete_object(Bucket=bucket, Key="runs/r/run.json")
    user = StandInUser()
    counts: list[int] = []
    assert destroy(STACK, True, clients, user, counts.append) == DestroyOutcome(None)
    assert user.questions == [
        f"Delete the stack {STACK}: state machines, queues, images and logs, "
        f"and s3://{bucket} with all runs and results in all versions, permanently?"
    ]
    assert counts == [4 + len(plan.machines)]  # the template, two versions, the delete marker; the definitions
    assert clients.s3.list_buckets()["Buckets"] == []


def test_destroy_needs_a_yes(clients: Clients, plan: StackTemplate) -> None:
    deploy(plan, {}, clients, StandInUser())
    assert destroy(STACK, True, clients, StandInUser(answer=False), _no_deletion) is None
    assert find_deployment(STACK, clients).bucket


def test_destroy_does_not_pull_the_ground_from_under_a_run(clients: Clients, plan: StackTemplate) -> None:
    deploy(plan, {}, clients, StandInUser())
    arn = find_deployment(STACK, clients).state_machine_arn("germline")
    clients.states.start_execution(stateMachineArn=arn, name="cohort-0123456789ab", input="{}")
    with pytest.raises(RunError, match="expected no running run, found 1, such as cohort-0123456789ab; cancel it"):
        destroy(STACK, False, clients, StandInUser(), _no_deletion)


def test_a_deployment_during_a_run_leaves_the_run_as_it_is(
    clients: Clients, plan: StackTemplate, own: Callable[[], StackTemplate]
) -> None:
    deploy(plan, {}, clients, StandInUser())
    arn = find_deployment(STACK, clients).state_machine_arn("germline")
    clients.states.start_execution(stateMachineArn=arn, name="cohort-0123456789ab", input="{}")
    user = StandInUser()
    deploy(plan, {"MaxVcpus": "512"}, clients, user)
    words = "which go on with the definition and the job definitions that they were started with"
    assert f"1 run in progress, {words}: cohort-0123456789ab" in user.lines
    only_mine = own()
    only_mine = replace(only_mine, machines=tuple(one for one in only_mine.machines if one.pipeline == "mine"))
    with pytest.raises(RunError, match="no running run of a pipeline that is removed, found 1, such as cohort-0123"):
        deploy(only_mine, {}, clients, StandInUser())


def test_nothing_to_destroy(clients: Clients) -> None:
    with pytest.raises(RunError, match=r"^stack nowhere: expected a deployed stack, found none; is the region right"):
        destroy("nowhere", False, clients, StandInUser(), _no_deletion)


def _no_deletion(count: int) -> None:
    raise AssertionError(count)


def test_parameters() -> None:
    assert parse_parameters(["MaxVcpus=512", "VpcId=vpc-1", "SubnetIds=subnet-1,subnet-2"]) == {
        "MaxVcpus": "512",
        "VpcId": "vpc-1",
        "SubnetIds": "subnet-1,subnet-2",
    }
    assert parse_parameters(["InputBuckets="]) == {"InputBuckets": ""}


def test_all_wrong_parameters_are_reported_at_once() -> None:
    with pytest.raises(UsageError) as error:
        parse_parameters(["MaxVCPUs=1", "512", "HostTypes=c6id.large", "VpcId=vpc-1", "InputBuckets=reads"])
    assert [str(problem) for problem in error.value.problems] == [
        "--parameter MaxVCPUs=1: unknown parameter 'MaxVCPUs'; did you mean 'MaxVcpus'?",
        "--parameter 512: expected Key=Value, such as MaxVcpus=512",
        "--parameter HostTypes=c6id.large: `deploy` chooses them; name types by InstanceTypes",
        "--parameter: expected VpcId and SubnetIds together, found one of them",
        "--parameter InputBuckets: expected ARNs, such as arn:aws:s3:::reads, found 'reads'",
    ]


RECORDS = Path(__file__).parents[1] / "golden/records.toml"


class StandInRegistry:
    """A push of images that keeps what is asked, and which functions and repositories there are then."""

    def __init__(self, clients: Clients, refused: int = 0) -> None:
        self._clients, self._refused = clients, refused
        self.pushed: list[list[str]] = []

    def push(self, steps: Sequence[StepFolder], architecture: Architecture) -> None:
        names = [step.spec.name for step in steps]
        assert all(has_repository(f"{STACK}/{name}", self._clients) for name in names)
        self.pushed.append(names)
        if names and self._refused:
            self._refused -= 1
            raise RunError("no engine")


def function_names(clients: Clients) -> list[str]:
    (stack,) = clients.cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    pages = clients.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack["StackName"])
    kinds = [one for page in pages for one in page["StackResourceSummaries"]]
    return [one["LogicalResourceId"] for one in kinds if one["ResourceType"] == "AWS::Lambda::Function"]


def test_a_function_follows_its_image_and_a_deployment_can_be_repeated(clients: Clients) -> None:
    plan, user, registry = stack_template([str(RECORDS)], STACK), StandInUser(), StandInRegistry(clients, refused=1)
    with pytest.raises(RunError, match="no engine"):
        deploy(plan, {"FunctionConcurrency": "5"}, clients, user, registry.push)
    assert function_names(clients) == []
    deploy(plan, {"FunctionConcurrency": "5"}, clients, user, registry.push)
    assert function_names(clients) == ["ScoreFunction"]
    assert registry.pushed[-1] == ["score"]
    deploy(plan, {}, clients, user, registry.push)
    assert function_names(clients) == ["ScoreFunction"]
    values = parameter_values(describe(STACK, clients))
    assert values["FunctionConcurrency"] == "5"


def test_a_first_deployment_needs_one_confirmation_for_the_function_too(clients: Clients) -> None:
    plan, user, registry = stack_template([str(RECORDS)], STACK), StandInUser(), StandInRegistry(clients)
    deploy(plan, {}, clients, user, registry.push)
    assert function_names(clients) == ["ScoreFunction"]
    assert user.questions == ["Execute?"]
    assert registry.pushed == [[], ["score"]]
