"""The inputs of every plan: the checked request, the items of the run, and the model of its steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from genomics_pipeline.model.errors import CollectedProblems
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.planning.calibration import Calibration, read_calibration
from genomics_pipeline.planning.history.learned_model import LearnedModel
from genomics_pipeline.planning.human_genome import GRCH38
from genomics_pipeline.planning.workload import PlannedCohort
from genomics_pipeline.records.machine_tasks import MachineTask
from genomics_pipeline.reference.fai import Contig, read_contigs
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.find_run import find_run
from genomics_pipeline.runs.history import learn
from genomics_pipeline.runs.machine_tasks import tasks_like
from genomics_pipeline.runs.plan import RunInputs, plan
from genomics_pipeline.runs.plan_request import PlanRequest, check_size, run_request, with_map_runs
from genomics_pipeline.runs.planned_cohort import planned_cohort, sample_sizes
from genomics_pipeline.runs.run_files import RunFiles

BAM = "bam"


@dataclass(frozen=True, slots=True)
class CheckedRequest:
    """A request whose arguments are valid.

    Attributes:
        planned: The run.
        calibration: The rates of steps.
    """

    planned: RunInputs
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """The inputs of a plan.

    Attributes:
        planned: The run.
        calibration: The rates of steps.
        model: What is learned from earlier runs, with these rates for other steps.
        unlearned: The steps that the earlier runs tell nothing of.
        history: The files of the earlier runs.
        cohort: The items of the run.
        reference: The prepared FASTA file; None for a human genome that no file was given of.
        contigs: Its contigs.
        genome: The reference, for people.
        here: The tasks of earlier runs on this machine that correct the rates, or stand for them.
    """

    planned: RunInputs
    calibration: Calibration
    model: LearnedModel
    unlearned: Sequence[StepSpec]
    history: Sequence[RunFiles]
    cohort: PlannedCohort
    reference: Path | None
    contigs: Sequence[Contig]
    genome: str
    here: Sequence[MachineTask] = ()

    def execution_input(self, request: PlanRequest) -> ExecutionInput:
        """Return the input of the execution; the place of the run does not matter."""
        return ExecutionInput(
            RunPlace("plan", "bucket", "plan/"),
            request.reference or "s3://bucket/GRCh38.fa",
            self.planned.overrides,
            request.most_failures or self.planned.pipeline.maps["sample"].tolerance(len(self.cohort.sample_bytes)),
            optional=self.planned.optional,
            max_concurrency=request.max_concurrency,
            parts=self.planned.pipeline.maps["sample"].parts(len(self.cohort.sample_bytes)),
        )


def check_request(request: PlanRequest) -> CheckedRequest:
    """Check the arguments that every plan has.

    Raises:
        UsageError: for arguments that do not fit together.
        DataError: for a sheet, a pipeline or rates that cannot be used; with all problems.
    """
    collected = CollectedProblems()
    planned: RunInputs | None = None
    calibration: Calibration | None = None
    with collected.check():
        check_size(request)
    with collected.check():
        calibration = read_calibration(request.calibration)
    with collected.check():
        planned = with_map_runs(plan(run_request(request)), request.map_runs)
    collected.refuse()
    assert planned is not None
    assert calibration is not None
    return CheckedRequest(planned, calibration)


def read_inputs(
    request: PlanRequest,
    checked: CheckedRequest,
    adapters: Adapters,
    note: Callable[[str], None],
    *,
    on_this_machine: bool = False,
    on_aws: bool = True,
) -> PlanInputs:
    """Read the files that a plan needs.

    Args:
        request: The arguments.
        checked: The checked arguments.
        adapters: The store that reads files, and the cache for references.
        note: Shows a line of progress.
        on_this_machine: Whether the plan is of a run here, so that it rests on the tasks of earlier ones unless the
            request says on what.
        on_aws: Whether it is of a run on AWS.

    Raises:
        DataError: for files that cannot be used, with all problems.
    """
    planned, calibration, store = checked.planned, checked.calibration, adapters.store
    steps = [stage.step for stage in planned.stages_that_run.stages]
    runs = [find_run(text, request.stack, adapters).files for text in request.history]
    is_given = bool(request.history) or request.calibration is not None
    here = tasks_like(planned, adapters.cache) if on_this_machine and adapters.keeps_tasks and not is_given else []
    learned = learn(runs, steps, calibration, here=here)
    unlearned = [step for step in steps if step.name not in learned.steps]
    calibration.check(unlearned, strictly=request.calibration is not None)
    sizes = sample_sizes(request, planned, store)
    contigs: Sequence[Contig] = GRCH38
    reference, genome = None, "a human genome: the chromosomes of GRCh38"
    if request.reference is not None:
        reference = prepare(request.reference, (), store, adapters.cache, note)
        contigs, genome = tuple(read_contigs(reference)), without_secrets(request.reference)
    learned.genome_bases = sum(contig.length_bp for contig in contigs)
    cohort = planned_cohort(request, planned, sizes, contigs, calibration, store, runs, on_aws=on_aws)
    return PlanInputs(planned, calibration, learned, unlearned, runs, cohort, reference, contigs, genome, here)


def bam_factor(calibration: Calibration) -> float:
    """Return the size of BAM files, in that of the calibrated format: by the rates, else by the shipped ones."""
    formats = calibration.formats if BAM in calibration.formats else read_calibration().formats
    return formats[BAM]


def sources(request: PlanRequest, found: PlanInputs) -> Iterator[str]:
    """Yield the warnings of the request, its reference, and what seconds, memory and sizes rest on."""
    yield from found.planned.warnings
    yield f"reference: {found.genome}"
    if request.history:
        yield f"seconds, memory and sizes: records of {', '.join(request.history)}, as of the same reference"
    if found.unlearned:
        names = f" of {', '.join(step.name for step in found.unlearned)}" if request.history else ""
        model = found.calibration
        yield (
            f"seconds, memory and sizes{names}: {model.file}, measured on {model.date} on {model.machine}, by step; "
            "a pilot of your own data tells more: `run --subsample`, then --history"
        )
    if found.here:
        steps = dict.fromkeys(one.step for one in found.here)
        yield f"earlier runs on this machine: {quantity(len(found.here), 'task', ',')} of {', '.join(steps)}"


def input_notes(request: PlanRequest, found: PlanInputs) -> Iterator[str]:
    """Yield which rates are of other versions, and which sizes are assumed."""
    rates = found.calibration.steps
    if older := [step.name for step in found.unlearned if rates[step.name].version != step.version]:
        yield f"measured with other versions of these steps: {', '.join(older)}"
    if request.gigabytes is not None:
        yield f"{request.gigabytes:g} GB for every sample"
