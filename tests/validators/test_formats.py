"""Files for other tools, read by their own parsers.

The parsers are in an environment of their own, never an import. Without it the tests are skipped; in continuous
integration they fail.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.report.open_metrics import open_metrics_lines
from genomics_pipeline.report.run_crate import FILE
from genomics_pipeline.report.run_state import MapRunState, RunState
from genomics_pipeline.report.task_trace import TaskTrace
from tests.cli.conftest import Ended, cli
from tests.patience import PATIENCE_S
from tests.small_project import COPY, COPY_DECLARATIONS, SmallProject, stage_toml

__all__ = ["cli"]
Cli = Callable[..., Ended]

pytestmark = pytest.mark.validators

PARSE = """
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
found = {}
for one in text_string_to_metric_families(sys.stdin.read()):
    found[one.name] = [one.type, one.unit, [[s.name, s.labels, s.value] for s in one.samples]]
print(json.dumps(found))
"""


VALIDATE = """
import json, sys
from pathlib import Path
from rocrate_validator import models, services
# The terms of the crate in place of the contexts that it names, so that nothing is asked for in the network.
schema = "http://schema.org/"
terms = {"@vocab": schema, "File": schema + "MediaObject", "conformsTo": "http://purl.org/dc/terms/conformsTo"}
terms["ComputationalWorkflow"] = "https://bioschemas.org/ComputationalWorkflow"
file = Path(sys.argv[1], "ro-crate-metadata.json")
file.write_text(json.dumps({**json.loads(file.read_bytes()), "@context": terms}))
settings = services.ValidationSettings(
    rocrate_uri=sys.argv[1], profile_identifier="provenance-run-crate-0.5", offline=True,
    requirement_severity=models.Severity.REQUIRED, skip_checks=["ro-crate-1.1_3.1", "ro-crate-1.1_3.2"],
)
result = services.validate(settings)
print(json.dumps([len(result.executed_checks), sorted(one.check.identifier for one in result.get_issues())]))
"""


@pytest.fixture
def python(missing: Callable[[str], None]) -> Callable[..., str]:
    """Return `python(program, *arguments, text=…)`, which runs a program in the environment of the parsers."""
    found = shutil.which(os.environ.get("FORMATS", "nowhere"))
    if found is None:
        missing("parsers of other tools' formats: make test-validators installs them")

    def call(program: str, *arguments: str, text: str = "") -> str:
        ended = subprocess.run(
            [str(found), "-c", program, *arguments],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    return call


@pytest.fixture
def parse(python: Callable[..., str]) -> Callable[[str], dict[str, Any]]:
    """Return `parse(text)`, which returns the metric families that Prometheus's parser finds."""

    def call(text: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(python(PARSE, text=text))
        return found

    return call


def metrics_text() -> str:
    one = TaskTrace(
        stage='a"\\\nb',
        item="s1",
        scope="sample",
        exit_code=0,
        submitted=1.0,
        started=3.0,
        ended=5.5,
        seconds=2.5,
        peak_memory_bytes=1 << 20,
        processor_seconds=3.5,
        read_bytes=7,
    )
    traces = [one, replace(one, item="s2")]
    runs = [MapRunState("Sample", "SUCCEEDED", 2, 2, 0, 0, 1.0, 6.0)]
    state = RunState("r", "/r", "germline", "SUCCEEDED", 1.0, 6.0, runs, [], [])
    return "".join(open_metrics_lines(state, traces))


def test_prometheus_reads_the_metrics_of_a_run(parse: Callable[[str], dict[str, Any]]) -> None:
    found = parse(metrics_text())
    assert {name: one[0] for name, one in found.items()} == {
        "genomics_pipeline_run": "info",
        "genomics_pipeline_items": "gauge",
        "genomics_pipeline_tasks": "gauge",
        "genomics_pipeline_attempts": "counter",
        "genomics_pipeline_task_duration_seconds": "summary",
        "genomics_pipeline_task_wait_seconds": "summary",
        "genomics_pipeline_task_peak_memory_bytes": "summary",
        "genomics_pipeline_task_processor_seconds": "counter",
        "genomics_pipeline_task_read_bytes": "counter",
        "genomics_pipeline_task_written_bytes": "counter",
    }
    _, unit, samples = found["genomics_pipeline_task_wait_seconds"]
    assert unit == "seconds"
    labels = {"run": "r", "stage": 'a"\\\nb'}
    assert ["genomics_pipeline_task_wait_seconds", {**labels, "quantile": "0.5"}, 2.0] in samples
    assert ["genomics_pipeline_task_wait_seconds_sum", labels, 4.0] in samples
    assert found["genomics_pipeline_task_processor_seconds"][2][0][2] == 7
    attempts = ["genomics_pipeline_attempts_total", {**labels, "end": "succeeded"}, 2.0]
    assert found["genomics_pipeline_attempts"][2] == [attempts]


def test_prometheus_refuses_planted_errors(parse: Callable[[str], dict[str, Any]]) -> None:
    text = metrics_text()
    for planted in (text.replace("# EOF\n", ""), text.replace("_total{", "{"), text.replace("} 2\n", "} two\n")):
        assert planted != text
        with pytest.raises(AssertionError):
            parse(planted)


@pytest.fixture
def crate(project: SmallProject, cli: Cli) -> Path:
    """Return the folder of a run that is a crate; one of its samples failed."""
    project.step("copy", COPY, COPY_DECLARATIONS)
    project.pipeline(
        stage_toml("copying", "./copy", "copies", {"reads": "sample.reads"}),
        stage_toml("ending", "./copy", "ends", {"reads": "sample.reads"}),
    )
    project.samples({"A": "@a\nACGT\n+\nIIII\n", "B": "@torn\nACGT\n+\nIIII\n"})
    torn = "if 'torn' in text: raise SystemExit('it is torn')"
    assert cli(*project.arguments("--param", f"ending.program={torn}")).code == 1
    (project.run / FILE).write_text(cli("rocrate", project.run).out)
    return project.run


def test_the_validator_of_crates_finds_nothing(crate: Path, python: Callable[..., str]) -> None:
    checks, problems = json.loads(python(VALIDATE, str(crate)))
    assert problems == []
    assert checks > 80


def test_the_validator_of_crates_finds_planted_errors(crate: Path, python: Callable[..., str]) -> None:
    content = json.loads((crate / FILE).read_bytes())
    for entity in content["@graph"]:
        if entity["@type"] == "ControlAction":
            del entity["instrument"]
        if entity["@type"] == "HowToStep":
            del entity["workExample"]
        if entity["@id"] == "./":
            del entity["license"]
    (crate / FILE).write_text(json.dumps(content))
    _, problems = json.loads(python(VALIDATE, str(crate)))
    assert {name.rpartition("_")[0] for name in problems} == {
        "provenance-run-crate-0.5",
        "ro-crate-1.1",
        "workflow-ro-crate-1.0",
    }
