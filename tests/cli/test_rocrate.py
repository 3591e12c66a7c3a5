"""`rocrate`: every file, task and parameter of a run is in its crate, and every reference leads to an entity."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from genomics_pipeline import __version__
from tests.cli.conftest import Ended
from tests.runs.test_follow_on_aws import BUCKET, RUN, ended_run, started_run
from tests.small_project import TORN, SmallProject, stage_toml

__all__ = ["ended_run", "started_run"]
Cli = Callable[..., Ended]


def entities(ended: Ended) -> dict[str, dict[str, Any]]:
    assert ended.code == 0, ended.err
    graph = json.loads(ended.out)["@graph"]
    found = {one["@id"]: one for one in graph}
    assert len(found) == len(graph)
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if value.keys() == {"@id"}:
            yield value["@id"]
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


def test_each_output_task_and_parameter_is_described(small: SmallProject, cli: Cli) -> None:
    assert cli(*small.arguments("--param", f"ending.program={TORN}")).code == 1
    found = entities(cli("rocrate", small.run, "--license", "https://spdx.org/licenses/CC0-1.0"))
    outside = {one for one in references(list(found.values())) if one not in found}
    assert outside == {"https://w3id.org/ro/crate/1.1"}
    root = found["./"]
    assert (root["name"], root["license"]) == ("run", "https://spdx.org/licenses/CC0-1.0")
    assert root["mainEntity"] == {"@id": "definition.json"}
    parts = {one["@id"] for one in root["hasPart"]}
    assert parts == {name for name, one in found.items() if "File" in one["@type"]}
    output = "results/copies/A.txt"
    content = (small.run / output).read_bytes()
    assert found[output]["contentSize"] == str(len(content))
    assert found[output]["sha256"] == hashlib.sha256(content).hexdigest()
    assert all((small.run / unquote(name)).is_file() for name in parts)
    done, failed = found["#task/copying/A"], found["#task/ending/B"]
    assert done["actionStatus"] == "http://schema.org/CompletedActionStatus"
    assert {"@id": output} in done["result"]
    assert done["startTime"] <= done["endTime"]
    assert (failed["actionStatus"], "it is torn" in failed["error"]) == ("http://schema.org/FailedActionStatus", True)
    assert found["#step/copy/1"]["softwareVersion"] == "1"
    assert found["#engine"]["softwareVersion"] == __version__
    given = {one["name"]: one["value"] for one in found.values() if one["@type"] == "PropertyValue"}
    assert given == {"copying.ending": "txt", "copying.program": "pass", "ending.ending": "txt", "ending.program": TORN}
    assert [found[f"#stage/{name}"]["position"] for name in ("copying", "ending")] == ["1", "2"]
    controls = {one["@id"] for one in found["#orchestration"]["object"]}
    assert controls == {f"#control/{stage}/{item}" for stage in ("copying", "ending") for item in "AB"}


def test_an_output_of_an_earlier_stage_is_the_object_of_the_next(small: SmallProject, cli: Cli) -> None:
    small.pipeline(
        stage_toml("copying", "./copy", "copies", {"reads": "sample.reads"}),
        stage_toml("passing", "./passing", "passed", {"copy": "copying.copy"}),
    )
    program = "import json, sys\nopen(json.load(open(sys.argv[1]))['outputs']['text'], 'w').write('x')\n"
    declarations = '[inputs.copy]\ntype = "file"\n[outputs.text]\npath = "{sample}.text"\n'
    small.step("passing", program, declarations)
    assert cli(*small.arguments()).code == 0
    found = entities(cli("rocrate", small.run))
    assert found["#task/passing/A"]["object"] == {"@id": "results/copies/A.txt"}
    assert found["#task/passing/A"]["result"] == {"@id": "results/passed/A.text"}


@pytest.mark.usefixtures("ended_run")
def test_a_run_on_aws(cli: Cli) -> None:
    found = entities(cli("rocrate", f"s3://{BUCKET}/runs/{RUN}/"))
    assert found["./"]["license"] == "not stated"
    assert found["#run"]["instrument"] == {"@id": "definition.json"}
    assert found["#task/alignment/a"]["actionStatus"] == "http://schema.org/CompletedActionStatus"


def test_a_run_that_is_not_there(cli: Cli, tmp_path: Path) -> None:
    ended = cli("rocrate", tmp_path / "nowhere")
    assert (ended.code, ended.out) == (1, "")
    assert "nowhere: expected a run's folder, found nothing there" in ended.err
