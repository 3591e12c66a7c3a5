"""ECR repositories, one for each step; an image's tag is a digest of its contents."""

from __future__ import annotations

import json

from genomics_pipeline.aws.template.functions import TemplateResources, logical_id
from genomics_pipeline.model.resource_names import ResourceNames

UNTAGGED_DAYS = 7
_LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "what an interrupted push left",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": UNTAGGED_DAYS,
            },
            "action": {"type": "expire"},
        }
    ]
}


def repository_id(step: str) -> str:
    """Return the logical id of a step's repository."""
    return logical_id(step, "Repository")


def repository(step: str, names: ResourceNames) -> TemplateResources:
    """Return the repository of a step; tags are immutable, because they are digests."""
    return {
        repository_id(step): {
            "Type": "AWS::ECR::Repository",
            "Properties": {
                "RepositoryName": names.repository(step),
                "ImageTagMutability": "IMMUTABLE",
                "ImageScanningConfiguration": {"ScanOnPush": True},
                "LifecyclePolicy": {"LifecyclePolicyText": json.dumps(_LIFECYCLE, separators=(",", ":"))},
                "EmptyOnDelete": True,  # images can be built again from the steps; `destroy` needs no second pass
            },
        }
    }
