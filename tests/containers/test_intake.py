"""The image of `deploy --intake`: a container with the properties of its job definition starts each sheet once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genomics_pipeline.cli.intake import arriving_sheets
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.runs.containers import images as step_images
from genomics_pipeline.runs.containers.container_engine import ContainerEngine
from genomics_pipeline.runs.containers.intake_image import intake_step
from genomics_pipeline.runs.stack.template import stack_template
from tests.aws.template import policies
from tests.cli.conftest import reference, stack
from tests.conftest import AWS_ENVIRONMENT
from tests.containers.conftest import USER_CACHE

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws
    from tests.fakes.deployed import Deployed

__all__ = ["reference", "stack"]
LARGEST_MIB = 750
STACK = "genomics-pipeline"


@pytest.fixture(scope="module")
def image(engine: ContainerEngine) -> str:
    """Build the image of the intake, and return its name."""
    made = step_images.image(intake_step(), ResourceNames(STACK), step_images.this_architecture())
    step_images.build(made, engine, USER_CACHE)
    return made.name


@pytest.fixture
def properties(reference: str, stack: Deployed) -> dict[str, Any]:
    """Return the properties of the containers of the job, as the template has them, for the stack's bucket."""
    sheets = arriving_sheets("intake/", ["submit", "--reference", reference], STACK)
    resources = stack_template(["germline"], STACK, sheets).document()["Resources"]
    declared: dict[str, Any] = resources["SheetIntakeJob"]["Properties"]["ContainerProperties"]
    found = {name: declared[name] for name in ("User", "ReadonlyRootFilesystem", "MountPoints", "ResourceRequirements")}
    command = policies.resolve(declared["Command"], resources)
    environment = [one for one in declared["Environment"] if isinstance(one["Value"], str)]  # else the region
    return {
        **found,
        "Command": [word.replace(policies.BUCKET, stack.bucket) for word in command],
        "Environment": environment,
    }


@pytest.fixture
def arguments(
    properties: dict[str, Any], step_functions: FakeAws, aws: str, image: str, tmp_path: Path
) -> Callable[..., list[str]]:
    """Return `arguments(job)`, which returns those of `docker run` for an attempt of a job of the definition."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    scratch.chmod(0o1777)  # as the instances of the template make it

    def call(job: str) -> list[str]:
        endpoints = {"AWS_ENDPOINT_URL": aws, **step_functions.environment, "AWS_BATCH_JOB_ID": job}
        given = {one["Name"]: one["Value"] for one in properties["Environment"]}
        (mount,) = properties["MountPoints"]
        needs = {one["Type"]: one["Value"] for one in properties["ResourceRequirements"]}
        return [
            *("run", "--rm", "--network=host", f"--user={properties['User']}"),
            *(f"--cpus={needs['VCPU']}", f"--memory={needs['MEMORY']}m"),
            *(["--read-only"] if properties["ReadonlyRootFilesystem"] else []),
            f"--volume={scratch}:{mount['ContainerPath']}{':ro' if mount['ReadOnly'] else ''}",
            *(f"--env={name}={value}" for name, value in {**AWS_ENVIRONMENT, **given, **endpoints}.items()),
            *(image, *properties["Command"]),
        ]

    return call


def test_its_container_starts_each_sheet_that_arrives_once(
    arguments: Callable[..., list[str]],
    engine: ContainerEngine,
    stack: Deployed,
    step_functions: FakeAws,
    tmp_path: Path,
) -> None:
    stack.put("intake/cohort.csv", stack.sheet(tmp_path / "cohort.csv", "a", "b").read_bytes())
    engine.run(*arguments("first"))
    (execution,) = step_functions.states.executions.values()
    assert execution.name.startswith("cohort-")
    execution.wait()
    engine.run(*arguments("second"))
    assert [one.name for one in step_functions.states.executions.values()] == [execution.name]
    (key,) = (key for key in stack.keys("intake/.started/") if key.endswith(".ended.json"))
    ended = stack.read(key)
    assert (ended["exit_code"], "errors" in ended) == (0, False)


def test_a_bad_sheet_ends_its_container_with_an_error(
    arguments: Callable[..., list[str]], engine: ContainerEngine, stack: Deployed, step_functions: FakeAws
) -> None:
    stack.put("intake/bad.csv", "sample,fastq_1,fastq_2\na,s3://reads/none_1.fq,s3://reads/none_2.fq\n")
    with pytest.raises(RunError, match=r"s3://reads/none_1\.fq"):
        engine.run(*arguments("first"))
    assert not step_functions.states.executions


def test_it_runs_without_privileges_and_writes_only_to_its_scratch_folder(
    image: str, properties: dict[str, Any], engine: ContainerEngine
) -> None:
    description = engine.inspect(image)
    assert (properties["User"], properties["ReadonlyRootFilesystem"]) == (description["Config"]["User"], True)
    assert description["Size"] >> 20 <= LARGEST_MIB
    program = (
        "import os, pathlib, sys\n"
        "refused = []\n"
        "for folder in ('/', '/opt/genomics-pipeline', '/usr', '/tmp', '/scratch'):\n"
        "    try:\n"
        "        pathlib.Path(folder, 'written').write_text('x')\n"
        "    except OSError:\n"
        "        refused.append(folder)\n"
        "print(os.getuid(), *refused)\n"
    )
    words = ("--entrypoint=/opt/genomics-pipeline/bin/python", image, "-c", program)
    found = engine.run("run", "--rm", "--network=none", "--read-only", f"--user={properties['User']}", *words)
    assert found == "10001 / /opt/genomics-pipeline /usr /tmp\n"
    version = engine.run("run", "--rm", "--network=none", "--read-only", image, "--version")
    assert version.startswith("genomics-pipeline")
