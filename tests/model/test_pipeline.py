from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.pipeline import DEFAULT_OF_SAMPLES, MapSettings, Pipeline
from genomics_pipeline.model.pipeline_file import parse_pipeline
from genomics_pipeline.model.step import InputSpec, OutputSpec, Resources, StepSpec
from genomics_pipeline.model.tolerance import tolerated_samples
from genomics_pipeline.runs.catalog import load_pipeline

STEP = StepSpec(
    name="count",
    version="1",
    summary="Counts",
    command=("count",),
    inputs={"reads": InputSpec("reads", "reads")},
    outputs={"table": OutputSpec("table", "{sample}.tsv")},
    parameters={},
    resources=Resources(),
    exit_codes={},
    retry={},
)
JOIN = replace(
    STEP,
    name="join",
    inputs={"tables": InputSpec("tables", "files")},
    outputs={"table": OutputSpec("table", "all.tsv")},
)
USE = replace(
    STEP,
    name="use",
    inputs={"table": InputSpec("table", "file"), "others": InputSpec("others", "files")},
    outputs={"report": OutputSpec("report", "{sample}.html")},
)
STEPS = {"count": STEP, "join": JOIN, "use": USE}
HEAD = 'name = "tiny"\nsummary = "Counts"\n'


def stage(name: str, step: str, scope: str, inputs: str, publish: str) -> str:
    return (
        f'[[stages]]\nname = "{name}"\nstep = "{step}"\nscope = "{scope}"\ninputs = {inputs}\npublish = "{publish}"\n'
    )


COUNT = stage("count", "count", "sample", '{ reads = "sample.reads" }', "counts")
JOINED = stage("join", "join", "cohort", '{ tables = "count.table" }', "joined")
USED = stage("use", "use", "sample", '{ table = "join.table", others = "count.table" }', "reports/{sample}/")


def parse(text: str, file: str = "/p/tiny.toml") -> Pipeline:
    def load(name: str) -> StepSpec:
        if name not in STEPS:
            raise DataError(f"no step {name}")
        return STEPS[name]

    return parse_pipeline(text, file=file, load_step=load)


def test_the_shipped_pipeline() -> None:
    pipeline, folders = load_pipeline("germline")
    assert pipeline.name == "germline"
    assert [(each.name, each.step.name, each.scope) for each in pipeline.stages] == [
        ("alignment", "alignment", "sample"),
        ("variant_calling", "variant_calling", "sample"),
        ("aggregation", "aggregation", "interval"),
        ("gather", "gather", "cohort"),
        ("annotation", "annotation", "cohort"),
    ]
    assert [pipeline.gather_sources(each) for each in pipeline.stages] == [
        (),
        (),
        ("variant_calling",),
        ("aggregation",),
        (),
    ]
    assert pipeline.maps == {
        "sample": DEFAULT_OF_SAMPLES,
        "interval": MapSettings(max_concurrency=1000, tolerated_failure_percentage=10, interval_size_bp=5_000_000),
    }
    # A single folder applies to every output.
    folder = "variant_calling/joint/intervals"
    assert pipeline.stages[2].publish == {"vcf": folder, "packed": folder}
    assert pipeline.parameters == {}
    assert sorted(folders) == ["aggregation", "alignment", "annotation", "gather", "variant_calling"]


def test_omitted_settings_have_their_defaults() -> None:
    pipeline = parse(HEAD + COUNT)
    assert pipeline.maps == {"sample": DEFAULT_OF_SAMPLES, "interval": MapSettings()}
    assert pipeline.stages[0].publish == {"table": "counts"}
    of_batches = parse(HEAD + "[maps.sample]\nitems_per_batch = 4\n" + COUNT).maps["sample"]
    assert of_batches == replace(DEFAULT_OF_SAMPLES, items_per_batch=4)
    own = parse(HEAD + "[maps.sample]\ntolerated_failure_percentage = 5\n" + COUNT).maps["sample"]
    assert own == MapSettings(tolerated_failure_percentage=5)  # and no number of them


@pytest.mark.parametrize(
    ("items", "tolerated"),
    [(1, 0), (3, 1), (200, 100), (201, 100), (10_000, 100), (10_099, 100), (10_100, 101), (167_000, 1_670)],
)
def test_few_samples_may_fail_by_half_and_many_by_a_hundredth(items: int, tolerated: int) -> None:
    assert tolerated_samples(DEFAULT_OF_SAMPLES.tolerance(items), items) == tolerated


def test_a_stage_that_may_be_left_out() -> None:
    optional = JOINED + 'when = ["x"]\n'
    with pytest.raises(DataError) as error:
        parse(HEAD + COUNT.replace("publish =", 'when = ["x"]\npublish =') + optional + USED)
    assert [one.message for one in error.value.problems] == [
        "expected a stage of scope cohort, which alone may be left out; found sample",
        "unknown parameter 'x' of step count; known: none",
        "tables: expected an output of a stage of every run, found 'count.table', whose stage may be left out",
        "unknown parameter 'x' of step join; known: none",
        "table: expected an output of a stage of every run, found 'join.table', whose stage may be left out",
        "others: expected an output of a stage of every run, found 'count.table', whose stage may be left out",
    ]


def test_stages_of_another_scope_are_gathered() -> None:
    pipeline = parse(HEAD + COUNT + JOINED + USED)
    # Neither the cohort's single output nor an item's own output is gathered.
    assert [pipeline.gather_sources(each) for each in pipeline.stages] == [(), ("count",), ()]


def test_a_ranged_input_is_one_of_intervals_with_an_index() -> None:
    ranged = InputSpec("tables", "files", ("tbi",), ranged=True)
    whole = dict(STEPS)
    STEPS["join"] = replace(JOIN, inputs={"tables": ranged})
    try:
        with pytest.raises(DataError, match=r"tables: expected a stage of scope interval, .+ found scope cohort"):
            parse(HEAD + COUNT + JOINED)
        at_intervals = HEAD + COUNT + JOINED.replace("cohort", "interval").replace("joined", "{interval}")
        with pytest.raises(DataError, match=r"expected an output with indexes of tbi or csi, .+ with none"):
            parse(at_intervals)
        STEPS["count"] = replace(STEP, outputs={"table": OutputSpec("table", "{sample}.tsv", ("tbi",))})
        assert parse(at_intervals).stages[1].step.inputs["tables"].ranged
    finally:
        STEPS.update(whole)


def test_files_of_parameters_are_relative_to_the_pipeline(tmp_path: Path) -> None:
    text = load_text("germline") + '\n[parameters.variant_calling]\nregions = "panel.bed"\nploidy = 1\n'
    file = tmp_path / "mine.toml"
    file.write_text(text)
    parameters = load_pipeline(str(file))[0].parameters
    assert parameters == {"variant_calling": {"regions": f"{tmp_path}/panel.bed", "ploidy": 1}}


def load_text(name: str) -> str:
    return (Path(__file__).parents[2] / "pipelines" / f"{name}.toml").read_text("utf-8")


def test_only_the_stage_of_an_unknown_step_is_reported() -> None:
    with pytest.raises(DataError) as error:
        parse(HEAD + COUNT.replace('step = "count"', 'step = "cuont"') + JOINED + USED)
    assert str(error.value) == "/p/tiny.toml:5:stages.0.step: no step cuont"


def test_problems_of_step_files_are_reported_by_file_and_once(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "step.toml").write_text('name = "x"\nversion = 1\n')
    publish = '{ reads = "sample.reads" }', "x/{sample}"
    (tmp_path / "p.toml").write_text(
        'name = "P"\n'
        + HEAD.split("\n", 1)[1]
        + "".join(stage(n, f"./{n[0]}", "sample", *publish) for n in ("b", "a", "b2"))
    )
    with pytest.raises(DataError) as error:
        load_pipeline(str(tmp_path / "p.toml"))
    assert {problem.file for problem in error.value.problems} == {f"{tmp_path}/p.toml"}, "its own schema comes first"
    (tmp_path / "p.toml").write_text((tmp_path / "p.toml").read_text().replace('"P"', '"p"'))
    with pytest.raises(DataError) as error:
        load_pipeline(str(tmp_path / "p.toml"))
    places = [(str(problem.file).removeprefix(f"{tmp_path}/"), problem.line) for problem in error.value.problems]
    assert places == sorted(places, key=lambda place: (place[0], place[1]))
    assert {file for file, _ in places} == {"a/step.toml", "b/step.toml"}
    assert len(error.value.problems) == len(set(error.value.problems))


def test_outputs_that_parameters_distinguish_may_share_a_folder() -> None:
    STEPS["count"] = replace(STEP, outputs={"table": OutputSpec("table", "{sample}.{format}")})
    try:
        parse(HEAD + COUNT + COUNT.replace('name = "count"', 'name = "again"'))
    finally:
        STEPS["count"] = STEP
