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
from typing import Any

import pytest

from genomics_pipeline.report.open_metrics import open_metrics_lines
from genomics_pipeline.report.run_state import MapRunState, RunState
from genomics_pipeline.report.task_trace import TaskTrace

pytestmark = pytest.mark.validators

PARSE = """
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
found = {}
for one in text_string_to_metric_families(sys.stdin.read()):
    found[one.name] = [one.type, one.unit, [[s.name, s.labels, s.value] for s in one.samples]]
print(json.dumps(found))
"""


@pytest.fixture
def parse(missing: Callable[[str], None]) -> Callable[[str], dict[str, Any]]:
    """Return `parse(text)`, which returns the metric families that Prometheus's parser finds."""
    program = shutil.which(os.environ.get("FORMATS", "nowhere"))
    if program is None:
        missing("Prometheus's parser: make test-validators installs it")

    def call(text: str) -> dict[str, Any]:
        ended = subprocess.run(
            [str(program), "-c", PARSE], input=text, capture_output=True, text=True, check=False, timeout=60
        )
        assert ended.returncode == 0, ended.stderr
        found: dict[str, Any] = json.loads(ended.stdout)
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


def test_prometheus_refuses_planted_errors(parse: Callable[[str], dict[str, Any]]) -> None:
    text = metrics_text()
    for planted in (text.replace("# EOF\n", ""), text.replace("_total{", "{"), text.replace("} 2\n", "} two\n")):
        assert planted != text
        with pytest.raises(AssertionError):
            parse(planted)
