"""`plan`: what a run will do, need and cost, for a sample sheet or for a number of samples, before it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from genomics_pipeline.asl.generate import generate
from genomics_pipeline.aws.template.parameters import PARAMETERS
from genomics_pipeline.model import quotas, run_layout
from genomics_pipeline.model.errors import CollectedProblems, UsageError
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.planning.account import AccountLimits
from genomics_pipeline.planning.calibration import Calibration, read_calibration
from genomics_pipeline.planning.draws import FailureRates
from genomics_pipeline.planning.history.learned_model import LearnedModel
from genomics_pipeline.planning.human_genome import GRCH38
from genomics_pipeline.planning.plan import Plan, make_plan
from genomics_pipeline.planning.planned_run import PlannedRun
from genomics_pipeline.planning.workload import Workload, workload
from genomics_pipeline.prices.load import load_prices, user_folder
from genomics_pipeline.reference.fai import read_contigs
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.report.output import json_text
from genomics_pipeline.report.plan_table import plan_json
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.find_run import find_run
from genomics_pipeline.runs.history import learn
from genomics_pipeline.runs.plan import RunPlan, plan
from genomics_pipeline.runs.plan_request import QUOTAS, RATES, PlanRequest, check_size, numbers, run_request, switches
from genomics_pipeline.runs.planned_cohort import planned_cohort, sample_sizes
from genomics_pipeline.runs.run_files import RunFiles

HOST_VCPUS = 16  # an assumption: two jobs of alignment
HOST_START_S = 180  # to start a host, join the cluster and fetch the image: an assumption
JOB_START_S = 15  # of a job on a host that runs: an assumption


def estimate(request: PlanRequest, adapters: Adapters, note: Callable[[str], None]) -> Plan:
    """Return the plan of a run.

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
    planned: RunPlan | None = None
    model: Calibration | None = None
    with collected.check():
        check_size(request)
    with collected.check():
        given = numbers("--quota", request.quotas, QUOTAS)
    with collected.check():
        rates = numbers("--rate", request.rates, RATES)
    with collected.check():
        choices = switches(request.what_if)
    with collected.check():
        model = read_calibration(request.calibration)
    with collected.check():
        planned = plan(run_request(request))
    with collected.check():
        prices = load_prices(request.region, user_folder(adapters.environment, adapters.home))
    collected.refuse()
    assert planned is not None
    assert model is not None
    pipeline = planned.stages_that_run
    account = _account(request, given, planned)
    steps = [stage.step for stage in pipeline.stages]
    runs = [find_run(text, request.stack, adapters).files for text in request.history]
    learned = learn(runs, steps, model)
    unlearned = [step for step in steps if step.name not in learned.steps]
    model.check(unlearned, strictly=request.calibration is not None)
    store = adapters.store
    sizes = sample_sizes(request, planned, store)
    contigs, genome = GRCH38, "a human genome: the chromosomes of GRCh38"
    if request.reference is not None:
        path = prepare(request.reference, (), store, adapters.cache, note)
        contigs, genome = tuple(read_contigs(path)), without_secrets(request.reference)
    cohort = planned_cohort(request, planned, sizes, contigs, model, store)
    execution_input = ExecutionInput(
        RunPlace("plan", "bucket", "plan/"),
        request.reference or "s3://bucket/GRCh38.fa",
        planned.overrides,
        planned.tolerated,
        optional=planned.optional,
    )
    failures = replace(FailureRates(), **rates)
    volume_gib = int(PARAMETERS["VolumeGiB"]["Default"])
    document = generate(planned.pipeline)
    notes = (
        *planned.warnings,
        *_notes(request, account, failures, genome, model, unlearned),
        *(_memory_notes(workload(pipeline, document, cohort, learned), learned) if learned.steps else ()),
    )
    return make_plan(
        PlannedRun(pipeline, document, execution_input, cohort, learned, failures, account, volume_gib, prices, notes),
        choices,
    )


def save_plan(made: Plan, files: RunFiles) -> None:
    """Save a plan as ``plan.json`` of a run, in place of an earlier one."""
    files.store.write(files.place.uri(run_layout.PLAN), json_text(plan_json(made)).encode())


def _account(request: PlanRequest, given: Mapping[str, float], planned: RunPlan) -> AccountLimits:
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
    )


def _notes(
    request: PlanRequest,
    account: AccountLimits,
    failures: FailureRates,
    genome: str,
    model: Calibration,
    unlearned: Sequence[StepSpec],
) -> list[str]:
    """Return what a plan rests on, for people."""
    older = [step.name for step in unlearned if model.steps[step.name].version != step.version]
    notes = [
        f"reference: {genome}",
        *_sources(request, model, unlearned),
        f"hosts of {HOST_VCPUS} vCPUs that take {HOST_START_S} s to start, and {JOB_START_S} s for a job: not measured",
        f"{failures.host_lost:g} losses of a Spot host in an hour and {failures.tool_error:.2%} failing tasks: "
        "assumed; --rate host_lost=…, --rate tool_error=…",
        f"{account.vcpus[0]} vCPUs of Spot and {account.vcpus[1]} of On-Demand hosts: MaxVcpus of the stack; the "
        f"account's quota is taken to allow them (a new account has {quotas.SPOT_VCPUS.value}); --quota spot_vcpus=…",
        "quotas: those of us-east-1, us-west-2 and eu-west-1, as documented or recorded; prices before discounts",
    ]
    if older:
        notes.append(f"measured with other versions of these steps: {', '.join(older)}")
    if request.gigabytes is not None:
        notes.append(f"{request.gigabytes:g} GB for every sample")
    return notes


def _memory_notes(work: Workload, learned: LearnedModel) -> Iterator[str]:
    """Yield the memory that nearly all jobs of a stage need at most, of steps that earlier runs tell of."""
    for one in work.stages:
        step = one.stage.step
        if step.name in learned.steps and one.groups:
            largest = max(group.features.input_bytes for group in one.groups)
            needed = learned.first_memory_mib(step.name, largest)
            yield (
                f"{one.stage.name}: 99 of 100 jobs need at most {needed:,} MiB, where the first attempt has "
                f"{step.resources.memory_mib:,} MiB (memory_ladder of {step.name}'s step.toml)"
            )


def _sources(request: PlanRequest, model: Calibration, unlearned: Sequence[StepSpec]) -> Iterator[str]:
    """Yield what seconds, memory and sizes rest on."""
    if request.history:
        yield f"seconds, memory and sizes: records of {', '.join(request.history)}, as of the same reference"
    if unlearned:
        names = f" of {', '.join(step.name for step in unlearned)}" if request.history else ""
        yield (
            f"seconds, memory and sizes{names}: {model.file}, measured on {model.date} on {model.machine}, by step; "
            "a pilot of your own data tells more: `run --subsample`, then --history"
        )
