"""Behaviour of CloudFormation that moto lacks, implemented with moto's own classes.

moto's server runs in the process of the tests, so its resource classes are patched here; boto3 and the package are not.
Every function names what moto omits.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import boto3
import pytest
from moto.batch.models import ComputeEnvironment, JobDefinition, JobQueue, batch_backends
from moto.batch.utils import lowercase_first_key
from moto.cloudformation import parsing
from moto.cloudformation.models import ChangeSet, Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.common_models import CloudFormationModel
from moto.ec2.models.route_tables import RouteTable
from moto.s3.models import FakeBucket
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.responses import StepFunctionResponse

from tests.aws.monitoring_models import MODELS
from tests.fakes.step_functions.service import validation

SERVICE_LINKED_ROLE = "AWSServiceRoleForbatch"  # as moto spells it


def _client(service: str) -> Any:
    return _client_of(service, os.environ["AWS_ENDPOINT_URL"])


@cache
def _client_of(service: str, endpoint: str) -> Any:
    """Return a client that all tests share, because reading EC2's model takes half a second."""
    client: Callable[..., Any] = boto3.client
    return client(service, endpoint_url=endpoint)


def _service_linked_role() -> str:
    """Create the service-linked role, as Batch does if it is missing; moto demands a role by name."""
    iam = _client("iam")
    try:
        answer = iam.get_role(RoleName=SERVICE_LINKED_ROLE)
    except iam.exceptions.NoSuchEntityException:
        answer = iam.create_service_linked_role(AWSServiceName="batch.amazonaws.com")
    return str(answer["Role"]["Arn"])


def _create_environment(create: Callable[..., Any], name: str, document: Any, *rest: Any, **more: Any) -> Any:
    document["Properties"].setdefault("ServiceRole", _service_linked_role())
    resources = document["Properties"]["ComputeResources"]
    if isinstance(resources["InstanceTypes"], str):  # moto splits a list that is passed, but not the default
        resources["InstanceTypes"] = resources["InstanceTypes"].split(",")
    return create(name, document, *rest, **more)


def _create_machine(create: Callable[..., Any], name: str, document: Any, *rest: Any, **more: Any) -> Any:
    """Create a state machine from DefinitionS3Location; moto supports DefinitionString only."""
    properties = document["Properties"]
    if "DefinitionString" in properties:
        return create(name, document, *rest, **more)
    place = properties["DefinitionS3Location"]
    body = _client("s3").get_object(Bucket=place["Bucket"], Key=place["Key"])["Body"].read()
    return create(name, {**document, "Properties": {**properties, "DefinitionString": body.decode()}}, *rest, **more)


def _update_machine(update: Callable[..., Any], *, cloudformation_json: Any, **more: Any) -> Any:
    return _create_machine(
        lambda name, document: update(cloudformation_json=document, new_resource_name=name, **more),
        more.pop("new_resource_name"),
        cloudformation_json,
    )


def _create_definition(_create: Any, name: str, document: Any, account: str, region: str, **_: Any) -> Any:
    """Register a job definition with Timeout, PlatformCapabilities and PropagateTags, which moto omits."""
    properties = lowercase_first_key(document["Properties"])
    return batch_backends[account][region].register_job_definition(
        def_name=name,
        parameters={},
        _type=properties["type"],
        tags={},
        retry_strategy=properties["retryStrategy"],
        container_properties=properties["containerProperties"],
        node_properties=None,
        eks_properties=None,
        timeout=properties["timeout"],
        platform_capabilities=properties["platformCapabilities"],
        propagate_tags=properties["propagateTags"],
    )


def _update_definition(
    _: Any, *, original_resource: JobDefinition, cloudformation_json: Any, account_id: str, region_name: str, **__: Any
) -> Any:
    """Register a new revision, and deregister the previous one unless the template says not to; moto does nothing."""
    new = _create_definition(None, original_resource.name, cloudformation_json, account_id, region_name)
    policy = cloudformation_json["Properties"].get("ResourceRetentionPolicy", {})
    if str(policy.get("SkipDeregisterOnUpdate", False)).lower() != "true":
        original_resource.deregister()
    return new


def _deletion_of(kind: str) -> Callable[..., None]:
    """Return a function that deletes a resource, for types that moto's CloudFormation does not delete."""

    def queue(name: str) -> None:
        _client("batch").update_job_queue(jobQueue=name, state="DISABLED")
        _client("batch").delete_job_queue(jobQueue=name)

    def environment(name: str) -> None:
        _client("batch").update_compute_environment(computeEnvironment=name, state="DISABLED")
        _client("batch").delete_compute_environment(computeEnvironment=name)

    def routes(name: str) -> None:
        (table,) = _client("ec2").describe_route_tables(RouteTableIds=[name])["RouteTables"]
        for association in table["Associations"]:
            _client("ec2").disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
        _client("ec2").delete_route_table(RouteTableId=name)

    delete = {
        "JobQueue": queue,
        "ComputeEnvironment": environment,
        "JobDefinition": lambda name: _client("batch").deregister_job_definition(jobDefinition=name),
        "RouteTable": routes,
    }[kind]
    return lambda _, name, *__: delete(name)


def _create_bucket(create: Callable[..., Any], name: str, document: Any, *rest: Any, **more: Any) -> Any:
    """Set all properties of a bucket; moto sets encryption and tags only."""
    bucket = create(name, document, *rest, **more)
    s3, properties = _client("s3"), document["Properties"]
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=properties["VersioningConfiguration"])
    s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=properties["OwnershipControls"])
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=properties["PublicAccessBlockConfiguration"])
    rules = [_lifecycle_rule(rule) for rule in properties["LifecycleConfiguration"]["Rules"]]
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
    return bucket


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """Return a lifecycle rule of CloudFormation with the names of S3's API."""
    api_rule = {"ID": rule["Id"], "Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "ObjectSizeGreaterThan" in rule:
        api_rule["Filter"] = {
            "And": {**api_rule["Filter"], "ObjectSizeGreaterThan": int(rule["ObjectSizeGreaterThan"])}
        }
    if "Transitions" in rule:
        api_rule["Transitions"] = [
            {"StorageClass": one["StorageClass"], "Days": one["TransitionInDays"]} for one in rule["Transitions"]
        ]
    if "TagFilters" in rule:
        (api_rule["Filter"],) = ({"Tag": tag} for tag in rule["TagFilters"])
    if "ExpirationInDays" in rule:
        api_rule["Expiration"] = {"Days": rule["ExpirationInDays"]}
    if "ExpiredObjectDeleteMarker" in rule:
        api_rule["Expiration"] = {"ExpiredObjectDeleteMarker": rule["ExpiredObjectDeleteMarker"]}
    for name in ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration"):
        if name in rule:
            api_rule[name] = rule[name]
    return api_rule


def _apply_change_set(apply: Callable[..., None], change_set: ChangeSet) -> None:
    """Keep outputs and parameters of a stack that a change set created, which moto loses."""
    apply(change_set)
    stack = change_set.stack
    stack.template = change_set.template
    stack._parse_template()
    stack.parameters = stack.resource_map.input_parameters = stack.stack_parameters
    stack.output_map = stack._create_output_map()


def _parameter_values(stack: Stack) -> dict[str, str]:
    """Return the parameters as texts, as in the API; moto returns parsed values, which it does not accept."""
    resolved = stack.resource_map.resolved_parameters.items()
    return {key: ",".join(value) if isinstance(value, list) else str(value) for key, value in resolved}


def _parameter_list(stack: Stack) -> list[dict[str, str]]:
    """Return the parameters as DescribeStacks lists them; moto writes lists as Python does."""
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in _parameter_values(stack).items()]


def _resources(stack: Stack) -> list[Any]:
    """Return the resources of a stack; moto lists an empty one for each whose condition does not hold."""
    return [one for one in stack.resource_map.values() if one is not None]


def _clean(clean: Callable[..., Any], value: Any, resources: Any) -> Any:
    """Remove AWS::NoValue from lists; moto leaves None in its place."""
    cleaned = clean(value, resources)
    return [one for one in cleaned if one is not None] if isinstance(value, list) else cleaned


class BucketPolicy(CloudFormationModel):
    """A bucket policy, which moto lacks.

    It is not set on the bucket, because moto would then refuse every request: its server has no TLS.
    """

    def __init__(self, bucket: str, document: dict[str, Any]) -> None:
        self.bucket = bucket
        self.document = document

    @property
    def physical_resource_id(self) -> str:
        return self.bucket

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::S3::BucketPolicy"

    @classmethod
    def create_from_cloudformation_json(cls, name: str, document: Any, *_: Any, **__: Any) -> BucketPolicy:  # type: ignore[override]
        properties = document["Properties"]
        return cls(properties["Bucket"], properties["PolicyDocument"])


@contextmanager
def patch_cloudformation() -> Iterator[None]:
    """Add the missing behaviour, and the missing `MODELS`, to moto's CloudFormation."""
    assert MODELS  # moto finds them once they are defined
    for cached in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        cached.cache_clear()  # they may be older than BucketPolicy
    with pytest.MonkeyPatch.context() as patch:
        _replace_method(patch, ComputeEnvironment, "create_from_cloudformation_json", _create_environment)
        _replace_method(patch, StateMachine, "create_from_cloudformation_json", _create_machine)
        _replace_method(patch, StateMachine, "update_from_cloudformation_json", _update_machine)
        _replace_method(patch, JobDefinition, "create_from_cloudformation_json", _create_definition)
        _replace_method(patch, JobDefinition, "update_from_cloudformation_json", _update_definition)
        _replace_method(patch, FakeBucket, "create_from_cloudformation_json", _create_bucket)
        for model in (JobQueue, ComputeEnvironment, JobDefinition, RouteTable):
            _replace_method(patch, model, "delete_from_cloudformation_json", _deletion_of(model.__name__))
        _replace_method(patch, ChangeSet, "apply", _apply_change_set)
        patch.setattr(parsing, "clean_json", partial(_clean, parsing.clean_json))
        patch.setattr(Stack, "stack_parameters", property(_parameter_values))
        patch.setattr(Stack, "parameter_list", property(_parameter_list))
        patch.setattr(Stack, "stack_resources", property(_resources))
        # AWS creates a change set without changes, and reports that in its status; so does moto without this check.
        patch.setattr(CloudFormationResponse, "_validate_different_update", lambda *_: None)
        patch.setattr(StepFunctionResponse, "validate_state_machine_definition", _validate, raising=False)
        yield


def _validate(response: StepFunctionResponse) -> str:
    """Check a definition with the validator of the package; moto does not have the operation."""
    return json.dumps(validation(**json.loads(response.body)))


def _replace_method(patch: pytest.MonkeyPatch, model: Any, method: str, complete: Callable[..., Any]) -> None:
    original = getattr(model, method)
    whole: Any = partial(complete, original)
    patch.setattr(model, method, staticmethod(whole) if method.endswith("_json") else lambda *args: whole(*args))
