"""The path of every file of a run: below the run's folder or prefix, and of the run below the bucket.

Keys are strings with ``/`` between their parts; a prefix ends in ``/``. Import the module, not its names, as in
``run_layout.DEFINITION``.
"""

from __future__ import annotations

# Below the run.
RECORD = "run.json"
MANIFEST = "manifest.jsonl"
INTERVALS = "intervals.jsonl"
GVCFS = "gvcfs.jsonl"  # of samples that start at joint calling
EARLIER = "earlier.jsonl"  # packed gVCFs of earlier runs
# Those of a sample sheet, and below it those of a rerun with their numbers in the run beside them, a line for each.
RECORDS = "records.jsonl"
DEFINITION = "definition.json"
INPUT = "input.json"
FAILURES = "failures.tsv"
MISSING = "missing.json"  # counts of the records without a result, on AWS
PLAN = "plan.json"
VERIFICATION = "verification.json"  # the verdict of the newest `verify`
RESULTS = "results/"
PIPELINE_INFO = f"{RESULTS}pipeline_info/"
REPORT = f"{RESULTS}reports/report.html"
SCRATCH = ".scratch"
ENGINE = ".engine"
LOCK = f"{ENGINE}/lock"
HOLDER = f"{ENGINE}/holder.json"
VERIFIED = f"{ENGINE}/verified"
INJECTED_FAULTS = f"{ENGINE}/faults.jsonl"
SLURM = f"{ENGINE}/slurm"  # arrays of jobs on a cluster: tasks, starts, ends and output
SLURM_CHECKS = f"{SLURM}/checks"  # of nodes, before the first job
SLURM_HEAD = f"{SLURM}/head"  # the head, where it is a job itself: its command, its ID and its output

_MAP_RUNS = "map-runs"
_RERUNS = "reruns"
_PARTS = "parts"  # of a manifest that several Map Runs read
STEPS = "steps/"
RIGHTS = f"{STEPS}rights.json"  # the report of `submit --check-rights`
ITEMS = "items"  # those that are too large for a job's overrides
FOLDERS = (ENGINE, SCRATCH, RESULTS, ITEMS, STEPS, _MAP_RUNS, _RERUNS, _PARTS)  # of a run in a folder
FIXED = (
    DEFINITION,
    INPUT,
    MANIFEST,
    INTERVALS,
    GVCFS,
    EARLIER,
    RECORDS,
    ITEMS,
    _MAP_RUNS,
    _RERUNS,
    _PARTS,
)  # that no task may change

NUMBERS = "numbers.txt"
IMAGES = f"{ENGINE}/images.json"
ITEM_FILES = {"sample": MANIFEST, "interval": INTERVALS}  # by scope: what the Distributed Map reads
WRITTEN_BY_TASKS = (RESULTS, STEPS)
_ITEM_FOLDERS = {"sample": ITEMS, "interval": f"{ITEMS}/intervals"}

_COMPLETION_RECORD = "step.json"
_FAILURE_RECORD = "failure.json"
_JOB_RECORD = "job.json"
# As patterns of an IAM policy, in which ``*`` matches ``/`` too.
RECORDS_OF_ANY_STEP = (f"{STEPS}*/{_COMPLETION_RECORD}", f"{STEPS}*/{_FAILURE_RECORD}")

# In a task's scratch folder, and in a journal's folder.
TASK = "task.json"
TOOL_VERSIONS = "versions.json"
PROGRESS = "progress.txt"
LEFT_OUT = "left-out.txt"
LOG = "log.txt"
EXECUTION_JOURNAL = "execution.jsonl"

# Written by ResultWriter: Step Functions developer guide, "ResultWriter (Map)".
RESULT_MANIFEST = "manifest.json"
REDRIVE = "Redrive-"

# Below the bucket.
RUNS = "runs/"
REFERENCES = "references/"
INDEXED = "indexed/"  # copies of references, plain, with the indexes that `index` built
DEFINITIONS = "definitions/"
TEMPLATES = "templates/"


def run_prefix(run: str) -> str:
    """Return the prefix of a run below the bucket.

    >>> run_prefix("cohort-3f2a91c0d5e7")
    'runs/cohort-3f2a91c0d5e7/'
    """
    return f"{RUNS}{run}/"


def step_folder(stage: str, item: str) -> str:
    """Return the folder of the files of a stage's newest task over an item.

    >>> step_folder("alignment", "HG002")
    'steps/alignment/HG002'
    """
    return f"{STEPS}{stage}/{item}"


def completion_record(stage: str, item: str) -> str:
    """Return the key of a completion record.

    >>> completion_record("alignment", "HG002")
    'steps/alignment/HG002/step.json'
    """
    return f"{step_folder(stage, item)}/{_COMPLETION_RECORD}"


def failure_record(stage: str, item: str) -> str:
    """Return the key of a failure record."""
    return f"{step_folder(stage, item)}/{_FAILURE_RECORD}"


def gathered_outputs(stage: str, output: str, digest: str) -> str:
    """Return the key of the list of a stage's outputs that later jobs gather.

    Args:
        stage: The stage.
        output: The output.
        digest: The digest of the Map Runs that made them.

    >>> gathered_outputs("variant_calling", "gvcf", "3f2a91c0d5e7")
    'steps/variant_calling.gvcf-3f2a91c0d5e7.jsonl'
    """
    return f"{STEPS}{stage}.{output}-{digest}.jsonl"


def log(stage: str, item: str) -> str:
    """Return the key of the log of a stage over an item."""
    return f"{step_folder(stage, item)}/{LOG}"


def function_log(step: str) -> str:
    """Return the key of the log of a step on Lambda, in a run on this machine.

    >>> function_log("detect")
    'steps/detect/log.txt'
    """
    return f"{STEPS}{step}/{LOG}"


def batch_folder(stage: str, digest: str) -> str:
    """Return the folder of the files that a stage over records wrote of a batch.

    Args:
        stage: The stage.
        digest: The digest of the batch.

    >>> batch_folder("annotate", "44136fa355b3")
    'steps/annotate/batches/44136fa355b3'
    """
    return f"{batches_folder(stage)}/{digest}"


def batches_folder(stage: str) -> str:
    """Return the folder of the files that a stage over records wrote."""
    return f"{STEPS}{stage}/batches"


def record_results(stage: str) -> str:
    """Return the key of the results of a stage over records: JSON Lines.

    >>> record_results("detect")
    'results/detect.jsonl'
    """
    return f"{RESULTS}{stage}.jsonl"


def job_record(stage: str, item: str) -> str:
    """Return the key of the record of the Batch job that a stage over an item runs in."""
    return f"{step_folder(stage, item)}/{_JOB_RECORD}"


def map_runs(label: str) -> str:
    """Return the folder of ResultWriter's files of every Map Run with a Label.

    >>> map_runs("Sample")
    'map-runs/Sample'
    """
    return f"{_MAP_RUNS}/{label}"


def result_manifest(label: str, uuid: str) -> str:
    """Return the key of ResultWriter's manifest of a Map Run that was never redriven.

    >>> result_manifest("Sample", "c24b")
    'map-runs/Sample/c24b/manifest.json'
    """
    return f"{map_runs(label)}/{uuid}/{RESULT_MANIFEST}"


def redrive_folder(uuid: str, redrives: int) -> str:
    """Return the folder of a Map Run's files below its Label: one for each redrive that wrote any.

    >>> redrive_folder("c24b", 0), redrive_folder("c24b", 2)
    ('c24b', 'c24b/Redrive-2')
    """
    return f"{uuid}/{REDRIVE}{redrives}" if redrives else uuid


def rerun_file(number: int, name: str) -> str:
    """Return the key of a file of a rerun, counted from 1.

    >>> rerun_file(2, MANIFEST)
    'reruns/2/manifest.jsonl'
    """
    return f"{_RERUNS}/{number}/{name}"


def manifest_parts(manifest: str, parts: int) -> list[str]:
    """Return the keys of the files that the Map Runs over a manifest read: itself where there is one part.

    Args:
        manifest: The key of the manifest.
        parts: The number of the Map Runs.

    >>> manifest_parts(MANIFEST, 1), manifest_parts(MANIFEST, 2)
    (['manifest.jsonl'], ['parts/1/manifest.jsonl', 'parts/2/manifest.jsonl'])
    """
    return [manifest] if parts == 1 else [f"{_PARTS}/{number}/{manifest}" for number in range(1, parts + 1)]


def item_file(scope: str, item: str) -> str:
    """Return the key of an item that is too large for a job's overrides.

    >>> item_file("interval", "00003")
    'items/intervals/00003.json'
    """
    return f"{_ITEM_FOLDERS[scope]}/{item}.json"


def journal(execution: str) -> str:
    """Return the folder of an execution's journal.

    >>> journal("cohort-1")
    '.engine/cohort-1'
    """
    return f"{ENGINE}/{execution}"


def map_run_journal(uuid: str) -> str:
    """Return the name of a Map Run's journal in its execution's folder."""
    return f"{uuid}.jsonl"


def map_run_rows(uuid: str, redrive: int) -> str:
    """Return the name of the file beside a Map Run's journal that has the rows of children that succeeded.

    Args:
        uuid: The Map Run's UUID.
        redrive: The number of its redrive; 0 before the first one.
    """
    return f"{uuid}.{redrive}.rows"


def definition_object(pipeline: str, digest: str) -> str:
    """Return the key of a deployed state machine document below the bucket.

    >>> definition_object("germline", "44136fa355b3")
    'definitions/germline-44136fa355b3.json'
    """
    return f"{DEFINITIONS}{pipeline}-{digest}.json"


def template_object(digest: str) -> str:
    """Return the key of a CloudFormation template that is too long for a request, below the bucket."""
    return f"{TEMPLATES}{digest}.json"
