"""A run as a Workflow Run RO-Crate: its definition, tasks, parameters and files in JSON-LD.

Source: Provenance Run Crate 0.5, https://w3id.org/ro/wfrun/provenance/0.5, which extends Workflow Run Crate, Process
Run Crate and Workflow RO-Crate 1.0. The root of the crate is the folder of the run. Lists that grow with the samples
are in files meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import IO, Any
from urllib.parse import quote

from genomics_pipeline import __version__
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.json_text import dumps
from genomics_pipeline.records.completion import CompletionRecord, FileRecord
from genomics_pipeline.records.failure import FailureRecord

FILE = "ro-crate-metadata.json"
CONTEXT = ("https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context")
WORKFLOW_PROFILE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    WORKFLOW_PROFILE: "Workflow RO-Crate",
}
LANGUAGE = "https://states-language.net/"
ENGINE, RUN, ORCHESTRATION = "#engine", "#run", "#orchestration"
FORMATS = {
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/plain",
    ".vcf.gz": "https://www.iana.org/assignments/media-types/application/gzip",
    ".bam": "http://edamontology.org/format_2572",
    ".cram": "http://edamontology.org/format_3462",
}
_Entity = dict[str, Any]
_COMPLETED, _FAILED = "http://schema.org/CompletedActionStatus", "http://schema.org/FailedActionStatus"


@dataclass(frozen=True, slots=True)
class CrateRun:
    """A run, as a crate describes it.

    Attributes:
        name: The name of the run.
        pipeline: The name of its pipeline.
        stages: Its stages, in the order of the definition.
        inputs: The keys of the files that it read below its folder.
        started: The start of its newest execution, ISO 8601 in UTC.
        succeeded: Whether that succeeded.
        licence: The licence of its results: a URI, or words.
    """

    name: str
    pipeline: str
    stages: Sequence[str]
    inputs: Sequence[str]
    started: str
    succeeded: bool
    licence: str


@dataclass(slots=True)
class RunCrate:
    """The text of a crate, to which tasks are added one at a time.

    Args:
        run: The run.
        files: A file for the list of files.
        controls: A file for the list of tasks.
    """

    run: CrateRun
    files: IO[str]
    controls: IO[str]
    _tools: dict[str, dict[str, _Entity]] = field(default_factory=dict)
    _parameters: dict[str, _Entity] = field(default_factory=dict)
    _ended: str = ""

    def head(self) -> Iterator[str]:
        """Yield the beginning of the file."""
        yield f'{{"@context": {dumps(list(CONTEXT)).decode()},\n"@graph": [\n'
        about = {"@id": FILE, "@type": "CreativeWork", "about": _to("./")}
        yield dumps({**about, "conformsTo": [_to("https://w3id.org/ro/crate/1.1"), _to(WORKFLOW_PROFILE)]}).decode()
        for uri, name in PROFILES.items():
            version = uri.rpartition("/")[2]
            yield _line({"@id": uri, "@type": "CreativeWork", "name": name, "version": version})
        yield _line({"@id": LANGUAGE, "@type": "ComputerLanguage", "name": "Amazon States Language", "url": LANGUAGE})
        software = {"name": "genomics-pipeline", "softwareVersion": __version__}
        yield _line({"@id": ENGINE, "@type": "SoftwareApplication", **software})
        for key in self.run.inputs:
            yield self._file({"@id": quote(key), "@type": "File", "name": key, **_format(key)})

    def item(self, item: str, records: Mapping[str, CompletionRecord | FailureRecord]) -> Iterator[str]:
        """Yield the entities of the tasks of an item.

        Args:
            item: The item.
            records: The record of each of its stages that ended.
        """
        for stage, record in records.items():
            task, control = (f"#{kind}/{quote(stage)}/{quote(item, safe='')}" for kind in ("task", "control"))
            tool = self._tool(stage, record)
            action: _Entity = {
                "@id": task,
                "@type": "CreateAction",
                "name": f"{stage} of {item}",
                "instrument": _to(tool),
            }
            if isinstance(record, CompletionRecord):
                yield from self._outputs(record)
                action |= self._completed(record, records)
            else:
                action |= {"actionStatus": _FAILED, "error": record.message, **_times(record)}
            self._ended = max(self._ended, str(action.get("endTime", "")))
            yield _line(action)
            step = {"instrument": _to(f"#stage/{quote(stage)}"), "object": _to(task)}
            yield _line({"@id": control, "@type": "ControlAction", "name": f"{stage} of {item}", **step})
            _note(self.controls, control)

    def _completed(self, record: CompletionRecord, records: Mapping[str, CompletionRecord | FailureRecord]) -> _Entity:
        """Return what an action has that succeeded."""
        used = [self._parameter(record.stage, name, value) for name, value in _values(record)]
        for source in record.sources:
            stage, _, output = source.partition(".")
            made = records.get(stage)
            if isinstance(made, CompletionRecord) and output in made.outputs:
                used.append(quote(made.outputs[output].key))
        results = [quote(one.key) for one in _all_files(record)]
        lists = {name: _one_or_all(uris) for name, uris in (("object", used), ("result", results)) if uris}
        return {**lists, "actionStatus": _COMPLETED, **_times(record)}

    def _outputs(self, record: CompletionRecord) -> Iterator[str]:
        for one in _all_files(record):
            facts = {"contentSize": str(one.size_bytes), "sha256": one.sha256, **_format(one.key)}
            yield self._file({"@id": quote(one.key), "@type": "File", "name": one.key.rpartition("/")[2], **facts})

    def _file(self, entity: _Entity) -> str:
        _note(self.files, entity["@id"])
        return _line(entity)

    def _tool(self, stage: str, record: CompletionRecord | FailureRecord) -> str:
        version = record.provenance.version if isinstance(record, CompletionRecord) else record.version
        uri = f"#step/{quote(record.step)}/{quote(version, safe='')}"
        facts = {"name": record.step, "softwareVersion": version}
        self._tools.setdefault(stage, {})[uri] = {"@id": uri, "@type": "SoftwareApplication", **facts}
        return uri

    def _parameter(self, stage: str, name: str, value: Any) -> str:
        text = dumps(value).decode()
        uri = f"#parameter/{quote(stage)}/{quote(name)}/{quote(text, safe='')}"
        given = {"name": f"{stage}.{name}", "value": value}
        self._parameters[uri] = {"@id": uri, "@type": "PropertyValue", **given}
        return uri

    def tail(self) -> Iterator[str]:
        """Yield the tools, the definition, the run and the root of the crate."""
        tools = {uri: tool for found in self._tools.values() for uri, tool in found.items()}
        yield from map(_line, (*tools.values(), *self._parameters.values()))
        shown = [stage for stage in self.run.stages if stage in self._tools]
        for position, stage in enumerate(shown, 1):
            step = {"@id": f"#stage/{quote(stage)}", "@type": "HowToStep", "name": stage, "position": str(position)}
            yield _line({**step, "workExample": _one_or_all(self._tools[stage])})
        yield _line(
            {
                "@id": run_layout.DEFINITION,
                "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
                "name": f"State machine of the pipeline {self.run.pipeline}",
                "programmingLanguage": _to(LANGUAGE),
                "hasPart": _one_or_all(tools),
                "step": _one_or_all(f"#stage/{quote(stage)}" for stage in shown),
                **_format(run_layout.DEFINITION),
            }
        )
        yield from self._lists()
        yield "\n]}\n"

    def _lists(self) -> Iterator[str]:
        """Yield the entities with lists of all tasks or files."""
        status = {"actionStatus": _COMPLETED if self.run.succeeded else _FAILED}
        times = {"startTime": self.run.started, **({"endTime": self._ended} if self._ended else {})}
        inputs = [_to(quote(key)) for key in self.run.inputs]
        run = {"@id": RUN, "@type": "CreateAction", "name": self.run.name, "instrument": _to(run_layout.DEFINITION)}
        yield from _with_list({**run, **status, **times, "object": inputs}, "result", self.files)
        organize = {"@id": ORCHESTRATION, "@type": "OrganizeAction", "name": f"Orchestration of {self.run.name}"}
        yield from _with_list({**organize, "instrument": _to(ENGINE), "result": _to(RUN)}, "object", self.controls)
        root = {
            "@id": "./",
            "@type": "Dataset",
            "name": self.run.name,
            "description": f"Results of a run of the pipeline {self.run.pipeline}, with the provenance of each file",
            "datePublished": self._ended or self.run.started,
            "license": self.run.licence,
            "conformsTo": [_to(uri) for uri in PROFILES],
            "mainEntity": _to(run_layout.DEFINITION),
            "mentions": [_to(RUN), _to(ORCHESTRATION)],
        }
        _note(self.files, run_layout.DEFINITION)
        yield from _with_list(root, "hasPart", self.files)


def _with_list(entity: _Entity, name: str, uris: IO[str]) -> Iterator[str]:
    """Yield an entity with a list of references, which a file has, one a line."""
    yield f"{_line(entity)[:-1]},{dumps(name).decode()}:["
    uris.seek(0)
    for number, uri in enumerate(uris):
        yield ("," if number else "") + dumps(_to(uri.rstrip("\n"))).decode()
    yield "]}"


def _note(uris: IO[str], uri: str) -> None:
    uris.write(f"{uri}\n")


def _line(entity: _Entity) -> str:
    return f",\n{dumps(entity).decode()}"


def _one_or_all(uris: Iterable[str]) -> dict[str, str] | list[dict[str, str]]:
    """Return references; a single one is no array, as RO-Crate recommends."""
    found = [_to(uri) for uri in uris]
    return found[0] if len(found) == 1 else found


def _to(uri: str) -> dict[str, str]:
    return {"@id": uri}


def _all_files(record: CompletionRecord) -> Iterator[FileRecord]:
    return (file for output in record.outputs.values() for file in output.files)


def _values(record: CompletionRecord) -> Iterator[tuple[str, Any]]:
    """Yield the parameters that have values."""
    return ((name, value) for name, value in record.provenance.parameters.items() if value is not None)


def _times(record: CompletionRecord | FailureRecord) -> dict[str, str]:
    if not record.started:
        return {}
    start = datetime.fromisoformat(record.started).astimezone(UTC)
    end = start + timedelta(seconds=max(0.0, record.seconds))
    return {"startTime": start.isoformat(timespec="seconds"), "endTime": end.isoformat(timespec="seconds")}


def _format(key: str) -> dict[str, str]:
    return next(({"encodingFormat": kind} for ending, kind in FORMATS.items() if key.endswith(ending)), {})
