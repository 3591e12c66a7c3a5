"""Links to AWS's console, in each partition."""

from __future__ import annotations

import pytest

from genomics_pipeline.aws.console import execution_link, job_link, log_group_link, log_stream_link


@pytest.mark.parametrize(
    ("partition", "region", "domain"),
    [
        ("aws", "eu-central-1", "console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "console.amazonaws.cn"),
        ("aws-us-gov", "us-gov-west-1", "console.amazonaws-us-gov.com"),
    ],
)
def test_a_link_is_of_the_partition_and_region(partition: str, region: str, domain: str) -> None:
    arn = f"arn:{partition}:states:{region}:123456789012:execution:genomics-pipeline-germline:cohort-3f"
    assert execution_link(arn) == f"https://{domain}/states/home?region={region}#/v2/executions/details/{arn}"
    assert log_group_link("/a/tasks", partition, region) == (
        f"https://{domain}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/$252Fa$252Ftasks"
    )
    assert job_link("0f", partition, region) == f"https://{domain}/batch/home?region={region}#jobs/detail/0f"
    assert log_stream_link("/a/tasks", "a-alignment/default/0f", partition, region) == (
        f"https://{domain}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/$252Fa$252Ftasks"
        "/log-events/a-alignment$252Fdefault$252F0f"
    )
