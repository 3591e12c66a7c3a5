"""Payloads of functions over records, and their answers: the interface of definitions, of Lambda and of local runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.json_text import compact, dumps
from genomics_pipeline.model.task import RunPlace


def batch_digest(items: Sequence[Any]) -> str:
    """Return the sha256 of records as JSON without spaces, with sorted keys: it names a batch, whoever processes it.

    >>> batch_digest([{"b": 1, "a": 2}]) == batch_digest([{"a": 2, "b": 1}])
    True
    """
    return hashlib.sha256(dumps(list(items), sort_keys=True)).hexdigest()


@dataclass(frozen=True, slots=True)
class RecordPayload:
    """A stage over the records of a batch, or over one record.

    Attributes:
        stage: The stage's name in the pipeline.
        step: The step's name.
        run: The location of the run.
        parameters: The parameters that differ from the step's defaults.
        items: The records.
        upstream: The results of earlier stages over the same records, by the name of the input that takes each.
    """

    stage: str
    step: str
    run: RunPlace
    parameters: Mapping[str, Any]
    items: tuple[Any, ...]
    upstream: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that `from_json` reads."""
        return {
            "stage": self.stage,
            "step": self.step,
            "run": self.run.to_json(),
            "parameters": dict(self.parameters),
            "items": list(self.items),
            **({"upstream": dict(self.upstream)} if self.upstream else {}),
        }

    @staticmethod
    def from_json(data: Any) -> RecordPayload:
        """Return the payload of a JSON value.

        Raises:
            DataError: for any other JSON value.
        """
        texts, objects = _misfits(data, str, "stage", "step"), _misfits(data, dict, "run", "parameters")
        if wrong := [*texts, *objects, *_misfits(data, list, "items")]:
            raise DataError(f"expected the payload of a function over records, found one without {', '.join(wrong)}")
        place, upstream = _run_place(data["run"]), data.get("upstream", {})
        if not isinstance(upstream, dict):
            raise DataError(f"expected results by input in upstream, found {compact(upstream)[:80]}")
        return RecordPayload(data["stage"], data["step"], place, data["parameters"], tuple(data["items"]), upstream)


@dataclass(frozen=True, slots=True)
class GatherPayload:
    """A stage over the results of all records.

    Attributes:
        stage: The stage's name in the pipeline.
        step: The step's name.
        run: The location of the run.
        parameters: The parameters that differ from the step's defaults.
        results: ResultWriterDetails of the Map Runs of this execution.
        earlier: Likewise of earlier executions of the run.
        left_out: The number of records without a result that this execution left out.
        publish: The folder below ``results/`` of each output.
    """

    stage: str
    step: str
    run: RunPlace
    parameters: Mapping[str, Any]
    results: tuple[Mapping[str, str], ...]
    earlier: tuple[Mapping[str, str], ...] = ()
    left_out: int = 0
    publish: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that `from_json` reads."""
        return {
            "stage": self.stage,
            "step": self.step,
            "run": self.run.to_json(),
            "parameters": dict(self.parameters),
            "results": [dict(one) for one in self.results],
            "earlier": [dict(one) for one in self.earlier],
            "left_out": self.left_out,
            "publish": dict(self.publish),
        }

    @staticmethod
    def from_json(data: Any) -> GatherPayload:
        """Return the payload of a JSON value.

        Raises:
            DataError: for any other JSON value.
        """
        wrong = [*_misfits(data, str, "stage", "step"), *_misfits(data, dict, "run", "parameters", "publish")]
        wrong += [*_misfits(data, list, "results", "earlier"), *_misfits(data, int, "left_out")]
        if wrong:
            raise DataError(f"expected the payload of a function over results, found one without {', '.join(wrong)}")
        for one in (*data["results"], *data["earlier"]):
            if missing := _misfits(one, str, "Bucket", "Key"):
                raise DataError(f"expected ResultWriterDetails in results, found some without {', '.join(missing)}")
        return GatherPayload(
            data["stage"],
            data["step"],
            _run_place(data["run"]),
            data["parameters"],
            tuple(data["results"]),
            tuple(data["earlier"]),
            data["left_out"],
            data["publish"],
        )


def _run_place(run: Any) -> RunPlace:
    if wrong := _misfits(run, str, "name", "bucket", "prefix"):
        raise DataError(f"expected the run of a payload over records, found one without {', '.join(wrong)}")
    return RunPlace(run["name"], run["bucket"], run["prefix"])


@dataclass(frozen=True, slots=True)
class RecordFailure:
    """A record that a function reported as failed.

    Attributes:
        index: Its 0-based place in the batch.
        message: The reason, in words.
    """

    index: int
    message: str


@dataclass(frozen=True, slots=True)
class RecordAnswer:
    """The answer of a function over records.

    Attributes:
        stage: The stage's name in the pipeline.
        records: The number of records.
        digest: `batch_digest` of the records.
        result: The JSON value that ``handle`` returned.
        failures: The records that failed, in order; the others have their part in the result.
        files: The URIs of the files that the program wrote, by output.
    """

    stage: str
    records: int
    digest: str
    result: Any
    failures: tuple[RecordFailure, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that `from_json` reads."""
        return {
            "stage": self.stage,
            "records": self.records,
            "digest": self.digest,
            "result": self.result,
            "failures": [{"index": one.index, "message": one.message} for one in self.failures],
            **({"files": dict(self.files)} if self.files else {}),
        }

    @staticmethod
    def from_json(data: Any) -> RecordAnswer:
        """Return the answer of a JSON value.

        Raises:
            DataError: for any other JSON value, and for failures of records that the batch does not have.
        """
        wrong = [*_misfits(data, str, "stage", "digest"), *_misfits(data, int, "records")]
        wrong += _misfits(data, list, "failures")
        if "files" in (data if isinstance(data, dict) else {}):
            wrong += _misfits(data, dict, "files") or _misfits(data["files"], str, *data["files"])
        if wrong or "result" not in data:
            missing = ", ".join(wrong or ["result"])
            raise DataError(f"expected the answer of a function over records, found one without {missing}")
        return RecordAnswer(
            data["stage"],
            data["records"],
            data["digest"],
            data["result"],
            tuple(_failure(one, data["records"]) for one in data["failures"]),
            data.get("files", {}),
        )


def _failure(data: Any, records: int) -> RecordFailure:
    if _misfits(data, int, "index") or _misfits(data, str, "message"):
        raise DataError(f"expected a failure with index and message in an answer, found {compact(data)[:80]}")
    if not 0 <= data["index"] < records:
        raise DataError(f"expected the index of one of {records} records in an answer, found {data['index']}")
    return RecordFailure(data["index"], data["message"])


def _misfits(data: Any, kind: type, *names: str) -> list[str]:
    """Return the members that an object lacks, or has of another type."""
    members = data if isinstance(data, dict) else {}
    return [name for name in names if not isinstance(members.get(name), kind) or isinstance(members[name], bool)]
