"""The size of batches of records: what AWS's limit of a payload leaves beside the other parts of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from genomics_pipeline.model import quotas, run_layout
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.model.pipeline import MapSettings, Pipeline
from genomics_pipeline.model.record_task import RecordPayload
from genomics_pipeline.model.step import RECORD, RESULT
from genomics_pipeline.model.task import RunPlace

# For the parameters, the run, and the results of earlier stages.
ROOM_BYTES = 32_000
_NAME = "r" * quotas.EXECUTION_NAME.value
_LONGEST = RunPlace(_NAME, "b" * 63, run_layout.run_prefix(_NAME))
_UUID = "0" * 36
# The output of a Map Run, of the greatest length; the execution's output is the list of them. The Label is longer than
# ours, which leaves room for the folder of a redrive.
_RESULTS = {
    "Bucket": _LONGEST.bucket,
    "Key": f"{_LONGEST.prefix}{run_layout.result_manifest('L' * quotas.LABEL.value, _UUID)}",
}
MOST_FOLDERS = (quotas.PAYLOAD.value - 1) // (len(compact(_RESULTS)) + 1)


def batch_bytes(settings: MapSettings) -> int:
    """Return the most bytes of a batch in a child's input: the pipeline's, or what is left beside `ROOM_BYTES`."""
    return settings.max_input_bytes_per_batch or quotas.PAYLOAD.value - ROOM_BYTES


def check_record_budget(pipeline: Pipeline, parameters: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    """Refuse batches that, with the rest of a payload, exceed AWS's limit.

    Args:
        pipeline: The pipeline.
        parameters: The parameters of a run, by stage; none to check the pipeline alone.

    Raises:
        DataError: with a problem for each stage whose payload may be too large.
    """
    settings = pipeline.maps[RECORD]
    most = batch_bytes(settings) if settings.is_batched else 0
    problems = []
    for stage in pipeline.record_stages:
        values = {**pipeline.parameters.get(stage.name, {}), **(parameters or {}).get(stage.name, {})}
        results = {name: None for name, spec in stage.step.inputs.items() if spec.type == RESULT}
        payload = RecordPayload(stage.name, stage.step.name, _LONGEST, values, (), results)
        rest = len(compact(payload.to_json()).encode())
        if most + rest > quotas.PAYLOAD.value:
            problems.append(
                Problem(
                    f"stage {stage.name}: AWS allows {quotas.PAYLOAD} in a payload, found batches of at most {most:,} "
                    f"and {rest:,} beside them; give a smaller max_input_bytes_per_batch in [maps.record], at most "
                    f"{max(0, quotas.PAYLOAD.value - rest):,}"
                )
            )
    if problems:
        raise DataError(problems)


def check_folders(shown: str, prefixes: Sequence[str]) -> None:
    """Refuse more folders, each of which a Map Run reads, than an execution's input and its output can name.

    Args:
        shown: The place of the records, for messages.
        prefixes: The prefixes of the folders.

    Raises:
        DataError: for too many of them.
    """
    advice = "submit some of the folders in a run of their own"
    if len(prefixes) > MOST_FOLDERS:
        expected = f"expected at most {MOST_FOLDERS:,} folders, since AWS allows {quotas.PAYLOAD} in an output"
        raise DataError(f"{shown}: {expected}, found {len(prefixes):,}; {advice}")
    if (size := len(compact(list(prefixes)).encode())) > quotas.PAYLOAD.value - ROOM_BYTES:
        expected = f"expected names of folders of at most {quotas.PAYLOAD.value - ROOM_BYTES:,} bytes together"
        raise DataError(f"{shown}: {expected}, since AWS allows {quotas.PAYLOAD} in an input, found {size:,}; {advice}")
