"""Lambda functions, one for each step that runs on Lambda: its image, role, log group and limits.

Sources: CloudFormation's reference of AWS::Lambda::Function; Lambda developer guide, "Create a Lambda function using a
container image" (permissions of ECR), and "Lambda execution role".
"""

from __future__ import annotations

from typing import Any

from genomics_pipeline.aws.template.functions import TemplateResources, arn, attribute, logical_id, ref, sub, when
from genomics_pipeline.aws.template.logs import log_group
from genomics_pipeline.aws.template.parameters import FUNCTION_CONCURRENCY, HAS_FUNCTION_CONCURRENCY
from genomics_pipeline.aws.template.registry import repository, repository_id
from genomics_pipeline.aws.template.roles import BUCKET_ARN, SAME_ACCOUNT, objects, optional_policies
from genomics_pipeline.aws.template.statement import UPLOAD, Statement, role
from genomics_pipeline.aws.template.tasks import StepImage
from genomics_pipeline.model import quotas, run_layout
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.step import StepSpec

FUNCTION = "AWS::Lambda::Function"
_WRITE_FILES = Statement(
    "WriteRuns",
    "the handler writes the step's outputs and results, in parts; which run is only known when it runs; "
    "what the run is, and what its maps read and write, is no function's to change",
    ["s3:PutObjectTagging", *UPLOAD],  # outputs of batches expire by their tag
    [objects(f"{run_layout.run_prefix('*')}{folder}") for folder in run_layout.WRITTEN_BY_TASKS],
)


def function_id(step: str) -> str:
    """Return the logical id of a step's function."""
    return logical_id(step, "Function")


def function_repository(step: StepSpec, names: ResourceNames) -> TemplateResources:
    """Return the repository of a function's image, from which Lambda may pull it for this function."""
    resources = repository(step.name, names)
    pull = {
        "Sid": "PullByLambda",
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "Condition": {"ArnLike": {"aws:SourceArn": arn("lambda", f"function:{names.function(step.name)}")}},
    }
    policy = {"Version": "2012-10-17", "Statement": [pull]}
    resources[repository_id(step.name)]["Properties"]["RepositoryPolicyText"] = policy
    return resources


def function_resources(image: StepImage, names: ResourceNames) -> list[TemplateResources]:
    """Return the function of a step, its log group, and its role.

    Raises:
        DataError: for a name that is too long.
    """
    step = image.step
    name = names.function(step.name)
    if len(name) > quotas.FUNCTION_NAME.value:
        raise DataError(
            f"function {name}: AWS allows {quotas.FUNCTION_NAME}, found {len(name)}; "
            "shorten the stack's or the step's name"
        )
    log, own_role = logical_id(step.name, "FunctionLog"), logical_id(step.name, "FunctionRole")
    reads = step.reads_files or any(one.type == "file" for one in step.parameters.values())
    statements = [*_statements(log, reads), *([_WRITE_FILES] if step.writes_files else [])]
    function = {
        "Type": FUNCTION,
        "Properties": {
            "FunctionName": name,
            "Description": step.summary,
            "PackageType": "Image",
            "Code": {"ImageUri": sub(f"${{{repository_id(step.name)}.RepositoryUri}}:{image.tag}-${{Architecture}}")},
            "Architectures": [ref("Architecture")],
            "Role": attribute(own_role, "Arn"),
            "MemorySize": step.resources.memory_mib,
            "Timeout": step.resources.timeout_s,
            "EphemeralStorage": {"Size": step.resources.ephemeral_storage_mib},
            "ReservedConcurrentExecutions": when(HAS_FUNCTION_CONCURRENCY, ref(FUNCTION_CONCURRENCY), *_own(step)),
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": ref(log)},
        },
    }
    return [
        {log: log_group(names.function_log(step.name))},
        {own_role: role("lambda.amazonaws.com", statements, SAME_ACCOUNT)},
        *([optional_policies(own_role)] if reads or step.writes_files else []),
        {function_id(step.name): function},
    ]


def _own(step: StepSpec) -> list[Any]:
    return [] if step.resources.reserved_concurrency is None else [step.resources.reserved_concurrency]


def _statements(log: str, reads: bool) -> list[Statement]:
    """Return the statements of a function's role.

    Args:
        log: The logical id of its log group.
        reads: A parameter of it is a file, or it reads files that records name.
    """
    group = f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:${{{log}}}:*"
    write = Statement(
        "WriteLogs",
        "Lambda writes the log of the function; a stream's name is made as an environment starts",
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        [sub(group)],
    )
    read = [
        Statement(
            "ReadObjects",
            "the handler reads files that parameters or records name; which they are is only known when a run starts",
            ["s3:GetObject"],
            [objects()],
        ),
        Statement(
            "FindObjects",
            "without it S3 says 403, not 404, of a file that is not there",
            ["s3:ListBucket"],
            [BUCKET_ARN],
        ),
    ]
    return [write, *(read if reads else [])]
