"""A deployed stack in moto, with the few resources that commands use."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.aws.account import SERVICE_ROLES
from genomics_pipeline.aws.template.states import machine_id
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.resource_names import DEFAULT_STACK, ResourceNames
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.containers.images import tag
from tests.fakes.moto_clients import moto_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from tests.fakes.aws import FakeAws

ACCOUNT = "000000000000"
REGISTRY = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"


@dataclass(frozen=True)
class Deployed:
    """A stack in moto.

    Attributes:
        names: The names of its resources.
        bucket: Its bucket.
        s3: A client of S3.
    """

    names: ResourceNames
    bucket: str
    s3: S3Client

    def put(self, key: str, data: bytes | str = b"@r\nA\n+\nF\n", bucket: str = "") -> str:
        """Put an object and return its URI."""
        self.s3.put_object(Bucket=bucket or self.bucket, Key=key, Body=data)
        return f"s3://{bucket or self.bucket}/{key}"

    def keys(self, prefix: str = "") -> list[str]:
        """Return the keys below a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]

    def read(self, key: str) -> Any:
        """Return the JSON value in an object."""
        return json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def add_functions(self, pipeline: str, services: FakeAws) -> None:
        """Let the fake of Lambda run the steps of a pipeline."""
        for step in load_pipeline(pipeline)[1].values():
            services.functions.steps[self.names.function(step.spec.name)] = step

    def sheet(self, path: Path, *samples: str) -> Path:
        """Write a sample sheet, and a pair of FASTQ files for each sample below ``reads/``."""
        rows = ["sample,fastq_1,fastq_2"]
        for sample in samples:
            pair = (self.put(f"reads/{sample}_R{number}.fastq") for number in (1, 2))
            rows.append(",".join([sample, *pair]))
        path.write_text("\n".join(rows) + "\n")
        return path


def put_image(repository: str, content: str, moto: str) -> None:
    """Put an image without layers into a repository of ECR.

    Args:
        repository: The name of the repository.
        content: The tag.
        moto: The URL of moto.
    """
    media = "application/vnd.docker.distribution.manifest.v2+json"
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 1, "digest": "sha256:0"}
    manifest = {"schemaVersion": 2, "mediaType": media, "config": config, "layers": []}
    ecr = moto_client("ecr", moto)
    ecr.put_image(repositoryName=repository, imageTag=content, imageManifest=json.dumps(manifest))


def _function_role(step: str, moto: str) -> str:
    """Create a role that Lambda may assume, and return its ARN."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    made = moto_client("iam", moto).create_role(RoleName=f"{step}-function", AssumeRolePolicyDocument=policy)
    return str(made["Role"]["Arn"])


@contextmanager
def deployed(
    moto: str,
    pipelines: Sequence[str] = ("germline",),
    stack: str = DEFAULT_STACK,
    architecture: Architecture = Architecture.X86_64,
) -> Iterator[Deployed]:
    """Create the resources of a stack; reset moto at the end."""
    names = ResourceNames(stack)
    bucket = f"{stack}-bucket"
    loaded = [load_pipeline(pipeline) for pipeline in pipelines]
    steps = {name: folder for _, folders in loaded for name, folder in folders.items()}
    template = {
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": bucket}},
            **{
                machine_id(declared.name): {
                    "Type": "AWS::StepFunctions::StateMachine",
                    "Properties": {
                        "StateMachineName": names.state_machine(declared.name),
                        "DefinitionString": canonical_json(generate(declared, names)),
                        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/states",
                    },
                }
                for declared, _ in loaded
            },
        },
        "Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}, "Architecture": {"Value": str(architecture)}},
    }
    moto_client("cloudformation", moto).create_stack(StackName=stack, TemplateBody=json.dumps(template))
    for role in SERVICE_ROLES:  # by their own names, which moto does not give to those that it makes for services
        moto_client("iam", moto).create_role(
            Path=f"/aws-service-role/{role.service}/", RoleName=role.name, AssumeRolePolicyDocument="{}"
        )
    batch, ecr = moto_client("batch", moto), moto_client("ecr", moto)
    for step in steps.values():
        repository, content = names.repository(step.spec.name), tag(step, architecture)
        if step.spec.is_function:
            ecr.create_repository(repositoryName=repository)
            put_image(repository, content, moto)
            moto_client("lambda", moto).create_function(
                FunctionName=names.function(step.spec.name),
                PackageType="Image",
                Code={"ImageUri": f"{REGISTRY}/{repository}:{content}"},
                Role=_function_role(step.spec.name, moto),
            )
            continue
        batch.register_job_definition(
            jobDefinitionName=names.job_definition(step.spec.name),
            type="container",
            containerProperties={"image": f"{REGISTRY}/{repository}:{content}", "vcpus": 1, "memory": 256},
        )
        ecr.create_repository(repositoryName=repository)
        put_image(repository, content, moto)
        if step.spec.name == "alignment":
            batch.register_job_definition(
                jobDefinitionName=names.index_job,
                type="container",
                containerProperties={"image": f"{REGISTRY}/{repository}:{content}", "vcpus": 1, "memory": 256},
            )
    try:
        yield Deployed(names, bucket, moto_client("s3", moto))
    finally:
        urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/reset", method="POST")).close()


@contextmanager
def deployed_with_functions(moto: str, pipeline: str, services: FakeAws) -> Iterator[Deployed]:
    """Create a stack whose steps are functions, too; wait for its executions at the end."""
    with deployed(moto, (pipeline,)) as made:
        made.add_functions(pipeline, services)
        yield made
        for execution in services.states.executions.values():
            execution.wait()
