"""The job that builds the indexes of references (`index --stack`): its definition, and the role that it alone has."""

from __future__ import annotations

from collections.abc import Sequence

from genomics_pipeline.aws.deployment import JOB_DEFINITION
from genomics_pipeline.aws.template.functions import TemplateResources, sub
from genomics_pipeline.aws.template.roles import BUCKET_ARN, SAME_ACCOUNT, objects
from genomics_pipeline.aws.template.statement import UPLOAD, Statement, role
from genomics_pipeline.aws.template.storage import BUCKET
from genomics_pipeline.aws.template.tasks import StepImage, container
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.batch_retry import STACK_RETRY_STRATEGY
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.reference.index_kinds import INDEX_KINDS

INDEX_ROLE = "ReferenceIndexRole"
TIMEOUT_S = 86_400


def index_job(images: Sequence[StepImage], names: ResourceNames) -> TemplateResources:
    """Return the job definition and its role.

    Args:
        images: The images of the steps, of which one is used: all have the worker and the libraries.
        names: The names of the resources.
    """
    return {
        INDEX_ROLE: role("ecs-tasks.amazonaws.com", _statements(), SAME_ACCOUNT),
        "ReferenceIndexJob": {
            "Type": JOB_DEFINITION,
            "Properties": {
                "Type": "container",
                "JobDefinitionName": names.index_job,
                "PlatformCapabilities": ["EC2"],
                "PropagateTags": True,
                "RetryStrategy": STACK_RETRY_STRATEGY.to_json(),
                "Timeout": {"AttemptDurationSeconds": TIMEOUT_S},
                "ContainerProperties": container(_image(images), INDEX_ROLE),
            },
        },
    }


def _image(images: Sequence[StepImage]) -> StepImage:
    """Return the image of the first step that reads an index of an aligner; of the first step, if none does."""
    return next((image for image in images if _reads_index(image.step)), images[0])


def _reads_index(step: StepSpec) -> bool:
    return any(set(one.indexes) - {"fai", "dict"} for one in step.inputs.values() if one.type == "reference")


def _statements() -> list[Statement]:
    endings = [f".{suffix.removeprefix('.')}" for kind in INDEX_KINDS.values() for suffix in kind.suffixes]
    return [
        Statement(
            "ReadObjects",
            "the worker reads references and indexes, which may be anywhere in the bucket",
            ["s3:GetObject"],
            [objects()],
        ),
        Statement(
            "FindObjects",
            "without it S3 says 403, not 404, of an index that is not there; a prefix would bring that back",
            ["s3:ListBucket"],
            [BUCKET_ARN],
        ),
        Statement(
            "WriteIndexes",
            "the worker uploads indexes beside any reference of the bucket: files with the endings of indexes",
            UPLOAD,
            [sub(f"${{{BUCKET}.Arn}}/*{ending}") for ending in endings],
        ),
        Statement(
            "WriteReferences",
            "the worker uploads copies of references that are compressed or elsewhere, with their indexes",
            UPLOAD,
            [objects(run_layout.INDEXED)],
        ),
    ]
