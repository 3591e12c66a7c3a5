"""Steps on Lambda and pipelines over records: what their files may say, and what is refused."""

from __future__ import annotations

import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.pipeline_file import parse_pipeline
from genomics_pipeline.model.record_source import RecordSource
from genomics_pipeline.model.step import InputSpec, Resources, StepSpec
from genomics_pipeline.model.step_file import parse_step

SCORE = """name = "score"
version = "1"
summary = "Scores of records"
program = "score.py"

[inputs.records]
type = "records"

[resources]
runtime = "lambda"
memory_mib = 1769
timeout_s = 30
ephemeral_storage_mib = 1024
reserved_concurrency = 50
"""
WARN = """name = "warn"
version = "1"
summary = "Alerts of scores"
program = "warn.py"
inputs.records = { type = "records", as = "arrow" }
inputs.scores.type = "result"
resources.runtime = "lambda"
"""
COUNT = """name = "count"
version = "1"
summary = "Counts"
command = ["count", "{inputs.reads}"]
inputs.reads.type = "reads"
outputs.table.path = "{sample}.tsv"
"""
PIPELINE = """name = "watch"
summary = "Alerts"

[maps.record]
items_per_batch = 1000

[maps.record.source]
format = "CSV"
delimiter = "TAB"
header = ["account", "amount"]

[[stages]]
name = "score"
step = "score"
scope = "record"
inputs = { records = "records" }

[[stages]]
name = "warn"
step = "warn"
scope = "record"
inputs = { records = "records", scores = "score.result" }
"""
JOIN = """name = "join"
version = "1"
summary = "All alerts"
program = "join.py"
inputs.alerts = { type = "results", missing = true }
outputs.table.path = "alerts.tsv"
resources.runtime = "lambda"
"""
GATHERS = """
[[stages]]
name = "join"
step = "join"
scope = "gather"
inputs = { alerts = "warn.result" }
publish = "alerts"
"""
READS = """
[[stages]]
name = "count"
step = "count"
scope = "sample"
inputs = { reads = "sample.reads" }
publish = "counts/{sample}/"
"""


def pipeline_of(text: str) -> Pipeline:
    steps = {"score": SCORE, "warn": WARN, "count": COUNT, "join": JOIN}
    return parse_pipeline(text, file="p.toml", load_step=lambda name: parse_step(steps[name], file=f"{name}/step.toml"))


def step_of(text: str) -> StepSpec:
    return parse_step(text, file="step.toml")


def test_a_step_on_lambda() -> None:
    step = step_of(SCORE)
    assert (step.is_function, step.program, step.command, step.outputs) == (True, "score.py", (), {})
    assert step.resources == Resources(1, (1769,), 20, 30, "lambda", 1024, 50)
    table = step_of(WARN)
    assert table.inputs["records"] == InputSpec("records", "records", as_="arrow")
    assert table.resources.timeout_s == 60


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("timeout_s = 30", "timeout_s = 901", "resources.timeout_s: expected 1 to 900, which Lambda allows; found 901"),
        ("1769", "10241", "resources.memory_mib: expected 128 to 10,240, which Lambda allows; found 10,241"),
        ("1769", "[128, 256]", "memory_mib: expected one number, since the memory of a function is the same for all"),
        ("1024", "10241", "ephemeral_storage_mib: expected 512 to 10,240, which Lambda allows; found 10,241"),
        ("1024", "511", "ephemeral_storage_mib: expected a number >= 512, found 511"),
        ("timeout_s", "vcpus = 2\ntimeout_s", "resources.vcpus: expected no vcpus of a step on Lambda: Lambda gives"),
        ('program = "score.py"\n', "", "expected the key 'program', the file that defines handle(batch); found none"),
        ("program", 'command = ["score"]\nprogram', "command: expected no command of a step on Lambda: its program"),
        ('"score.py"', '"../score.py"', "program: expected a Python file of the step's folder such as"),
        ('"records"', '"reads"', 'inputs.records.type: expected an input of type "records" or "result"'),
        ('"records"', '"result"', 'inputs: expected one input of type "records", found none'),
        (
            '"records"',
            '"records"\nindexes = ["bai"]',
            "inputs.records.indexes: expected no indexes of an input of type",
        ),
        ('"records"', '"records"\nas = "table"', "inputs.records.as: expected one of rows, arrow, found 'table'"),
        ('"lambda"', '"batch"', 'program: expected runtime = "lambda" in [resources], since only a step on Lambda has'),
    ],
)
def test_what_a_step_on_lambda_cannot_have(old: str, new: str, message: str) -> None:
    assert old in SCORE
    with pytest.raises(DataError) as error:
        step_of(SCORE.replace(old, new, 1))
    assert message in str(error.value)


def test_a_pipeline_over_records() -> None:
    pipeline = pipeline_of(PIPELINE)
    assert pipeline.over_records
    assert pipeline.maps["record"].items_per_batch == 1000
    assert pipeline.maps["record"].source == RecordSource("CSV", header=("account", "amount"), delimiter="TAB")
    assert pipeline.stages[1].inputs == {"records": "records", "scores": "score.result"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('scope = "record"', 'scope = "sample"', 'stages.0.scope: expected scope = "record" of a step on Lambda'),
        ('step = "score"', 'step = "count"', 'stages.0.step: expected a step with runtime = "lambda" in a stage over'),
        ('scores = "score.result"', 'scores = "records"', "scores: expected the result of an earlier stage, found"),
        ('scores = "score.result"', 'scores = "warn.result"', "scores: expected the result of an earlier stage, found"),
        ('{ records = "records", s', '{ records = "sample.reads", s', 'records: expected "records", found'),
        (
            'format = "CSV"',
            'format = "JSONL"',
            'source.delimiter: expected format = "CSV", which alone has a delimiter',
        ),
        ('"CSV"\n', '"CSV"\npointer = "/a"\n', 'source.pointer: expected format = "JSON", which alone has a pointer'),
        ('"CSV"\n', '"CSV"\npointer = "a"\n', "source.pointer: expected a JSON Pointer such as"),
        (
            "items_per_batch = 1000",
            "map_runs = 2",
            "record.map_runs: expected prefix = true, whose folders are divided",
        ),
        (
            'format = "CSV"',
            'format = "MANIFEST"\nprefix = true',
            "source.prefix: expected one of JSONL, CSV, JSON, PARQ",
        ),
        ('"account", "amount"', '"a", "a"', "source.header: expected items that differ"),
        (
            'inputs = { records = "records" }',
            'inputs = { records = "records" }\npublish = "x"',
            "expected no publish of",
        ),
        ("[[stages]]", f"{READS}\n[[stages]]", "scope: expected all stages over records, found one of scope 'sample'"),
    ],
)
def test_what_a_pipeline_over_records_cannot_have(old: str, new: str, message: str) -> None:
    assert old in PIPELINE
    with pytest.raises(DataError) as error:
        pipeline_of(PIPELINE.replace(old, new, 1))
    assert message in str(error.value)


def test_a_pipeline_over_records_needs_its_source_and_other_pipelines_have_none() -> None:
    head, _, stages = PIPELINE.partition("[maps.record]")
    with pytest.raises(DataError, match=r"expected \[maps.record\] with a source, the form of the records; found none"):
        pipeline_of(head + stages[stages.index("[[stages]]") :])
    with pytest.raises(DataError, match=r"maps.record: expected a stage of scope record, found none"):
        pipeline_of(PIPELINE[: PIPELINE.index("[[stages]]")] + READS)
    with pytest.raises(DataError, match="expected the key 'publish', found none"):
        pipeline_of('name = "p"\nsummary = "P"\n' + READS.replace('publish = "counts/{sample}/"\n', ""))


@pytest.mark.parametrize(
    ("source", "key", "misfit"),
    [
        (RecordSource("CSV"), "day/a.csv", None),
        (RecordSource("CSV"), "day/", "expected an object, found the prefix 'day/'"),
        (RecordSource("OBJECTS"), "", None),
        (RecordSource("CSV", prefix=True), "day", "expected a prefix that ends in '/', without which it would match"),
    ],
)
def test_a_place_of_records_fits_the_source(source: RecordSource, key: str, misfit: str | None) -> None:
    found = source.place_misfit(key)
    assert found is None if misfit is None else (found or "").startswith(misfit)


def test_a_stage_that_gathers() -> None:
    pipeline = pipeline_of(PIPELINE + GATHERS)
    assert [stage.name for stage in pipeline.record_stages] == ["score", "warn"]
    assert pipeline.gather_stage is not None
    step = pipeline.gather_stage.step
    assert (step.gathers, step.reads_files, step.writes_files) == (True, True, True)
    assert pipeline.gather_stage.publish == {"table": "alerts"}
    assert pipeline_of(PIPELINE).gather_stage is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"warn.result"', '"score.result"', 'alerts: expected "warn.result", the result of the last stage over'),
        ('"warn.result"', '"warn.table"', 'alerts: expected "warn.result", the result of the last stage over'),
        ('"gather"', '"record"', 'scope: expected scope = "gather" of a step that takes the results of all records'),
        ('"gather"', '"cohort"', "expected all stages over records, found one of scope 'cohort'"),
        ('step = "join"', 'step = "count"', 'expected a step with runtime = "lambda" in a stage over records'),
        ('publish = "alerts"', "", "expected the key 'publish', found none"),
        ('publish = "alerts"', 'publish = "../x"', "expected a folder below results/, found '../x'"),
        ('publish = "alerts"', 'publish = "a"\nintermediate = true', "expected no intermediate of a stage of scope"),
    ],
)
def test_what_a_stage_that_gathers_cannot_have(old: str, new: str, message: str) -> None:
    assert old in GATHERS
    with pytest.raises(DataError) as error:
        pipeline_of(PIPELINE + GATHERS.replace(old, new, 1))
    assert message in str(error.value)


def test_a_stage_that_gathers_is_the_last() -> None:
    with pytest.raises(DataError, match="expected the stage that gathers as the last one, after those over records"):
        pipeline_of(PIPELINE + GATHERS + GATHERS.replace('"join"', '"again"', 1))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"alerts.tsv"', '"{run}.tsv"', "outputs.table.path: expected a path without placeholders of a step on Lambda"),
        ("outputs", 'inputs.records.type = "records"\noutputs', "inputs: expected one input, the results of all"),
        ("missing = true", 'as = "rows"', "inputs.alerts.as: expected no as of an input of type 'results'"),
        (
            "outputs",
            'parameters.known = { type = "file", summary = "K", indexes = ["tbi"] }\noutputs',
            "parameters.known.indexes: expected no indexes of a step on Lambda: it fetches the whole file",
        ),
    ],
)
def test_what_a_step_that_gathers_cannot_have(old: str, new: str, message: str) -> None:
    assert old in JOIN
    with pytest.raises(DataError) as error:
        step_of(JOIN.replace(old, new, 1))
    assert message in str(error.value)


def test_a_ranged_parameter_of_a_function_may_have_an_index() -> None:
    ranged = 'parameters.known = { type = "file", summary = "K", ranged = true, indexes = ["tbi"] }\noutputs'
    assert step_of(JOIN.replace("outputs", ranged, 1)).parameters["known"].ranged
