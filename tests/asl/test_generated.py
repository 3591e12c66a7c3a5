"""Documents of random pipelines: valid, with payloads that the worker can parse, and executed as declared."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.asl.limits import check_limits
from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.engine.api import execute
from genomics_pipeline.engine.distributed_map.item_batcher import ItemBatcher
from genomics_pipeline.engine.distributed_map.item_chunk import ItemChunk
from genomics_pipeline.engine.tasks.batch import BatchTasks
from genomics_pipeline.engine.tasks.handlers import Handlers
from genomics_pipeline.engine.tasks.job import Job, JobDefinition, JobEnd
from genomics_pipeline.engine.tasks.machine_jobs import MachineJobs
from genomics_pipeline.language.jsonata.expressions import evaluate
from genomics_pipeline.language.validation.validate import diagnose
from genomics_pipeline.language.walker import walk_machines, walk_states
from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.task import (
    MEMORY_VARIABLE,
    PAYLOAD_VARIABLE,
    SUBMITTED_VARIABLE,
    TRIED_VARIABLE,
    VCPUS_VARIABLE,
    RunPlace,
    TaskPayload,
)
from tests.language.host import HOST

SUBMIT_JOB = "arn:aws:states:::batch:submitJob.sync"
QUICK = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)
RUN = {"name": "r", "bucket": "bucket", "prefix": "runs/r/"}
State = Mapping[str, Any]


def document_of(pipeline: Pipeline) -> dict[str, Any]:
    """Return the document of a pipeline; discard the example if its batches are too large for a job, or too small."""
    try:
        return generate(pipeline)
    except DataError as error:
        if not all(problem.message.startswith("maps.") for problem in error.problems):
            raise
        return {}


@QUICK
@given(data=st.data())
def test_the_document_is_valid_and_complete(pipelines: st.SearchStrategy[Pipeline], data: st.DataObject) -> None:
    pipeline = data.draw(pipelines)
    document = document_of(pipeline)
    if not document:
        return
    assert canonical_json(generate(pipeline)) == canonical_json(document)
    assert json.loads(canonical_json(document)) == document
    check_limits(document)
    assert diagnose(document) == []
    names: list[str] = []
    tasks: list[str] = []
    for machine in walk_machines(document):
        states = machine.nodes
        names += states
        reached, waiting = set(), [machine.node["StartAt"]]
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                state = states[name]
                waiting += [state["Next"]] if "Next" in state else []
                waiting += [rule["Next"] for kind in ("Catch", "Choices") for rule in state.get(kind, ())]
                waiting += [state["Default"]] if "Default" in state else []
        assert reached == set(states)
        for name, state in states.items():
            assert ("Next" in state) + ("End" in state) == (state["Type"] not in ("Fail", "Choice", "Succeed"))
            if state["Type"] != "Task":
                continue
            tasks.append(name)
            assert state["Arguments"]["Timeout"]["AttemptDurationSeconds"]
            assert state["Retry"]
            assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"]
            for entries in (state["Retry"], state["Catch"][:-1]):
                assert "States.ALL" not in [error for entry in entries for error in entry["ErrorEquals"]]
    assert len(names) == len(set(names))
    assert sorted(tasks) == sorted(stage.name for stage in pipeline.stages)
    labels = [state.node["Label"] for state in walk_states(document) if "Label" in state.node]
    assert len(labels) == len(set(labels))


def input_of(pipeline: Pipeline, place: RunPlace, overrides: Any, reference: str = "r.fa") -> dict[str, Any]:
    """Return the input of an execution."""
    return ExecutionInput(place, reference, overrides, pipeline.maps["sample"].tolerance()).to_json()


def details(label: str) -> dict[str, str]:
    return {"Bucket": "bucket", "Key": f"runs/r/map-runs/{label}/uuid/manifest.json"}


def payload_of(state: State, state_input: Any, variables: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """Return the payload of a Task and the size of its SubmitJob, as the engine evaluates them."""
    bindings = {**variables, "states": {"input": state_input}}
    arguments = evaluate(state["Arguments"], bindings, "Arguments", HOST)
    entry, memory, vcpus, submitted, tried = arguments["ContainerOverrides"]["Environment"]
    assert (entry["Name"], memory) == (PAYLOAD_VARIABLE, {"Name": MEMORY_VARIABLE, "Value": "2048"})
    assert vcpus == {"Name": VCPUS_VARIABLE, "Value": "1"}
    assert submitted["Name"] == SUBMITTED_VARIABLE
    assert tried == {"Name": TRIED_VARIABLE, "Value": "[]"}
    assert isinstance(arguments["Timeout"]["AttemptDurationSeconds"], int)
    payload: dict[str, Any] = json.loads(entry["Value"])
    return payload, len(json.dumps(arguments, ensure_ascii=False).encode())


def children(state: State, state_input: Any, variables: Mapping[str, Any], items: list[Any]) -> list[Any]:
    """Return the inputs of the children of a Map."""

    def select(item: Any) -> Any:
        states = {"input": state_input, "context": {"Map": {"Item": {"Value": item}}}}
        return evaluate(state["ItemSelector"], {**variables, "states": states}, "ItemSelector")

    selected = [select(item) for item in items]
    if "ItemBatcher" not in state:
        return selected
    batching = evaluate(state["ItemBatcher"], {**variables, "states": {"input": state_input}}, "ItemBatcher")
    batcher = ItemBatcher(batching.get("MaxItemsPerBatch"), batching["MaxInputBytesPerBatch"], batching["BatchInput"])
    return [batch.value for batch, _ in batcher.batches([ItemChunk.of(selected)])]


UNUSUAL_TEXT = st.text('"\\\n é', min_size=1, max_size=150)


@QUICK
@given(data=st.data())
def test_the_worker_parses_every_payload(pipelines: st.SearchStrategy[Pipeline], data: st.DataObject) -> None:
    pipeline = data.draw(pipelines)
    document = document_of(pipeline)
    if not document:
        return
    names = [stage.name for stage in pipeline.stages]
    overrides = data.draw(
        st.dictionaries(
            st.sampled_from(names),
            st.dictionaries(st.sampled_from("abc"), UNUSUAL_TEXT | st.integers(-9, 9) | st.booleans(), max_size=2),
            max_size=2,
        )
    )
    execution_input = input_of(pipeline, RunPlace(**RUN), overrides, reference="s3://é/ref.fa")
    items = [{"sample": f"S{number}", "odd": data.draw(UNUSUAL_TEXT)} for number in range(12)]
    labels: dict[str, str] = {}
    variables: dict[str, Any] = {}
    name = document["StartAt"]
    stages = []
    while name:
        state = document["States"][name]
        name = state.get("Next")
        if state["Type"] == "Map":
            inputs = children(state, execution_input, variables, items)
            tasks = [task for task in state["ItemProcessor"]["States"].values() if task["Type"] == "Task"]
        else:
            inputs, tasks = [execution_input], [state]
        for task in tasks:
            items_of_jobs: list[Any] = []
            for child in inputs:
                payload_json, size = payload_of(task, child, variables if state["Type"] == "Task" else {})
                payload = TaskPayload.from_json(payload_json)
                assert payload.to_json() == payload_json
                items_of_jobs += payload.items
                stage = pipeline.stages[names.index(payload.stage)]
                assert (payload.step, payload.scope) == (stage.step.name, stage.scope)
                assert payload.run.uri("x") == "s3://bucket/runs/r/x"
                assert payload.reference == "s3://é/ref.fa"
                declared = pipeline.parameters.get(stage.name, {})
                assert payload.parameters == {**declared, **overrides.get(stage.name, {})}
                assert payload.inputs == stage.inputs
                assert payload.publish == stage.publish
                assert payload.upstream == {
                    source: [details(labels[source])] for source in pipeline.gather_sources(stage)
                }
                if len(payload.items) > 1:
                    assert size < quotas.SUBMIT_JOB.value
            assert items_of_jobs == (items if state["Type"] == "Map" else [{"cohort": "cohort"}])
            stages.append(payload.stage)
        if state["Type"] == "Map":
            labels |= {stage: state["Label"] for stage in stages if stage not in labels}
            result = {"ResultWriterDetails": details(state["Label"])}
            variables |= evaluate(state["Assign"], {**variables, "states": {"result": result}}, "Assign")
    assert stages == names


class FakeJobs:
    """A fake of Batch that records its jobs in order."""

    def __init__(self, failing: set[tuple[str, str]]) -> None:
        self.failing = failing
        self.tasks: list[tuple[str, tuple[str, ...]]] = []
        self._lock = threading.Lock()

    def job(self, job: Job) -> JobEnd:
        payload = TaskPayload.from_json(json.loads(job.environment[PAYLOAD_VARIABLE]))
        items = tuple(str(next(iter(item.values()))) for item in payload.items)
        with self._lock:
            self.tasks.append((payload.stage, items))
        bad = [item for item in items if (payload.stage, item) in self.failing]
        return JobEnd(65, f"{payload.stage} of {bad[0]}") if bad else JobEnd(0)


def stage_groups(pipeline: Pipeline) -> Iterator[tuple[str, list[str]]]:
    """Yield (scope, stages) in order: adjacent stages of one scope together, each cohort stage alone."""
    last = None
    for stage in pipeline.stages:
        if last and last[0] == stage.scope != "cohort":
            last[1].append(stage.name)
        else:
            if last:
                yield last
            last = (stage.scope, [stage.name])
    if last:
        yield last


@settings(QUICK, max_examples=30)
@given(data=st.data())
def test_the_engine_runs_each_stage_once_per_item_and_honours_tolerated_failures(
    pipelines: st.SearchStrategy[Pipeline], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    pipeline = data.draw(pipelines)
    document = document_of(pipeline)
    if not document:
        return
    folder = tmp_path_factory.mktemp("run")
    names = {"sample": [f"S{n}" for n in range(4)], "interval": ["00000", "00001", "00002"], "cohort": ["cohort"]}
    for scope, file in (("sample", "manifest"), ("interval", "intervals")):
        (folder / f"{file}.jsonl").write_text("".join(json.dumps({scope: name}) + "\n" for name in names[scope]))
    tasks = [(stage.name, name) for stage in pipeline.stages for name in names[stage.scope]]
    jobs = FakeJobs(set(data.draw(st.lists(st.sampled_from(tasks), max_size=3))))
    definitions = {f"genomics-pipeline-{stage.step.name}": JobDefinition(1, 1) for stage in pipeline.stages}
    result = execute(
        document,
        input_of(pipeline, RunPlace("r", "b", ""), {}),
        name="r-1",
        state_machine=pipeline.name,
        store=object_store().with_buckets({"b": folder}),
        tasks=Handlers(BatchTasks(MachineJobs(definitions, jobs.job, cores=3, memory_mib=64)).handlers()),
        journal=folder / "journal",
    )
    done = Counter((stage, item) for stage, items in jobs.tasks for item in items)
    assert set(done.values()) <= {1}
    stopped = False
    reached: list[str] = []
    for scope, stages in stage_groups(pipeline):
        if stopped:
            assert not [stage for stage, _ in jobs.tasks if stage in stages]
            continue
        reached += stages
        batches = [items for stage, items in jobs.tasks if stage == stages[0]]
        failed = 0
        for items in batches:
            ran_stages = [stage for stage, ran_items in jobs.tasks if ran_items == items and stage in stages]
            bad = [stage for stage in stages if any((stage, item) in jobs.failing for item in items)]
            expected_stages = stages[: stages.index(bad[0]) + 1] if bad else stages
            assert ran_stages == expected_stages[: len(ran_stages)]
            failed += len(items) if bad and ran_stages == expected_stages else 0
        total = len(names[scope])
        setting = pipeline.maps.get(scope)
        if setting is None:
            stopped = failed > 0
        else:
            count, percentage = setting.tolerated_failure_count, setting.tolerated_failure_percentage
            over = failed * 100 > Fraction(str(percentage)) * total and (count is None or percentage > 0)
            stopped = over or (count is not None and failed > count)
        if not stopped:
            assert sorted(item for items in batches for item in items) == names[scope]
    assert [stage for stage in dict.fromkeys(stage for stage, _ in jobs.tasks) if stage not in reached] == []
    assert result.status == ("FAILED" if stopped else "SUCCEEDED")
    if stopped and result.error != "States.ExceedToleratedFailureThreshold":
        failure = json.loads(result.cause or "")
        assert (result.error, failure["error"]) == ("States.TaskFailed", "States.TaskFailed")
        assert json.loads(failure["cause"])["Container"]["Reason"] == f"{failure['stage']} of cohort"
        assert "Environment" not in json.loads(failure["cause"])["Container"]


def test_a_truncated_cause_is_passed_on_unchanged(pipeline: Any) -> None:
    # A truncated cause cannot be parsed, and a Catch that fails would lose the failure.
    document = generate(pipeline("p", [("gather", "cohort", {"reference": "reference"})]))
    (catcher,) = document["States"]["gather"]["Catch"]

    def cause_after_catch(cause: str) -> Any:
        states = {"errorOutput": {"Error": "States.TaskFailed", "Cause": cause}, "input": {"memory_mib": {}}}
        return evaluate(catcher["Assign"], {"states": states}, "Assign")["failure"]["cause"]

    detail = {"JobId": "j", "Container": {"Reason": "why", "Environment": [{"Name": "A", "Value": "x"}]}}
    assert json.loads(cause_after_catch(json.dumps(detail))) == {"JobId": "j", "Container": {"Reason": "why"}}
    truncated = json.dumps({**detail, "Long": "x" * 40_000})[:32_768]
    for cause in (truncated, "plain words", "", '{"Status":"FAILED"}'):
        assert cause_after_catch(cause) == cause
