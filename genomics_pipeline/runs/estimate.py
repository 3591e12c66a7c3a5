"""`plan`: what a run on AWS will do, need and cost, for a sample sheet or for a number of samples, before it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from genomics_pipeline.asl.generate import generate
from genomics_pipeline.aws.template.parameters import PARAMETERS
from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import CollectedProblems, UsageError
from genomics_pipeline.planning.account import AccountLimits
from genomics_pipeline.planning.draws import FailureRates
from genomics_pipeline.planning.history.first_attempts import stage_attempts
from genomics_pipeline.planning.plan import Plan, make_plan
from genomics_pipeline.planning.planned_run import PlannedRun
from genomics_pipeline.planning.workload import workload
from genomics_pipeline.prices.load import load_prices, user_folder
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.aws.submission_checks import architecture_problems
from genomics_pipeline.runs.plan import RunInputs
from genomics_pipeline.runs.plan_alternatives import alternatives
from genomics_pipeline.runs.plan_inputs import (
    CheckedRequest,
    bam_factor,
    check_request,
    input_notes,
    read_inputs,
    sources,
)
from genomics_pipeline.runs.plan_request import QUOTAS, RATES, PlanRequest, arrival_s, numbers, planned_faults, switches

HOST_VCPUS = 16  # an assumption: two jobs of alignment
HOST_START_S = 180  # to start a host, join the cluster and fetch the image: an assumption
JOB_START_S = 15  # of a job on a host that runs: an assumption


def estimate(request: PlanRequest, adapters: Adapters, note: Callable[[str], None]) -> Plan:
    """Return the plan of a run on AWS.

    Args:
        request: The arguments.
        adapters: The store that reads files, and the cache for references.
        note: Shows a line of progress.

    Raises:
        UsageError: for arguments that do not fit together.
        DataError: for files that cannot be used, with all problems, and for what cannot be planned.
    """
    collected = CollectedProblems()
    given, rates = dict[str, float](), dict[str, float]()
    checked: CheckedRequest | None = None
    with collected.check():
        given = numbers("--quota", request.quotas, QUOTAS)
    with collected.check():
        rates = numbers("--rate", request.rates, RATES)
    with collected.check():
        choices = switches(request.what_if)
    with collected.check():
        checked = check_request(request)
    with collected.check():
        if checked is not None:
            collected.add(architecture_problems(checked.planned, request.architecture))
    with collected.check():
        prices = load_prices(request.region, user_folder(adapters.environment, adapters.home))
    collected.refuse()
    assert checked is not None
    account = _account(request, given, checked.planned)
    found = read_inputs(request, checked, adapters, note)
    failures = FailureRates(**rates, faults=planned_faults(request, checked.planned))
    run = PlannedRun(
        pipeline=found.planned.stages_that_run,
        document=generate(found.planned.pipeline),
        execution_input=found.execution_input(request),
        cohort=found.cohort,
        model=found.model,
        rates=failures,
        account=account,
        volume_gib=int(PARAMETERS["VolumeGiB"]["Default"]),
        prices=prices,
        bam_factor=bam_factor(found.calibration),
        arrival_s=arrival_s(request, checked.planned),
        alternatives=alternatives(request, found, request.architecture, adapters.store),
    )
    work = workload(run.pipeline, run.document, run.cohort, run.model, run.execution_input.parts)
    notes = (
        *sources(request, found),
        *_notes(account, failures),
        *input_notes(request, found),
        *(map(str, stage_attempts(run.pipeline, run.cohort, found.model)) if found.model.steps else ()),
    )
    return make_plan(replace(run, notes=notes), work, choices)


def _account(request: PlanRequest, given: Mapping[str, float], planned: RunInputs) -> AccountLimits:
    """Return the limits of the account and of the stack.

    Raises:
        UsageError: for vCPUs that a job does not fit in.
    """
    most = request.max_vcpus or int(PARAMETERS["MaxVcpus"]["Default"])
    vcpus = tuple(int(min(most, given.get(name, most))) for name in ("spot_vcpus", "on_demand_vcpus"))
    largest = max(planned.stages_that_run.stages, key=lambda stage: stage.step.resources.vcpus)
    needed = largest.step.resources.vcpus
    if max(vcpus) < needed:
        found = f"{vcpus[0]} of Spot hosts and {vcpus[1]} of On-Demand hosts"
        raise UsageError(
            f"--max-vcpus, --quota: expected {needed} vCPUs or more for a job of {largest.name}, found {found}; its "
            "jobs would never start"
        )
    rate = quotas.RUN_INSTANCES
    submits = given.get("submit_job", quotas.SUBMIT_JOB_RATE.value)
    return AccountLimits(
        given.get("child_starts", quotas.CHILD_STARTS.value),
        submits,
        max(1.0, submits),
        (vcpus[0], vcpus[1]),
        HOST_VCPUS,
        HOST_START_S,
        rate.value,
        rate.burst,
        JOB_START_S,
        request.architecture,
    )


def _notes(account: AccountLimits, failures: FailureRates) -> list[str]:
    """Return what a plan of a run on AWS assumes, for people."""
    return [
        f"hosts of {HOST_VCPUS} vCPUs that take {HOST_START_S} s to start, and {JOB_START_S} s for a job: not measured",
        f"{failures.host_lost:g} losses of a Spot host in an hour and {failures.tool_error:.2%} failing tasks: "
        "assumed; --rate host_lost=…, --rate tool_error=…",
        f"{account.vcpus[0]} vCPUs of Spot and {account.vcpus[1]} of On-Demand hosts: MaxVcpus of the stack; the "
        f"account's quota is taken to allow them (a new account has {quotas.SPOT_VCPUS.value}); --quota spot_vcpus=…",
        "quotas: those of us-east-1, us-west-2 and eu-west-1, as documented or recorded; prices before discounts",
        *(map(str.strip, str(failures.faults).splitlines()) if failures.faults else ()),
    ]
