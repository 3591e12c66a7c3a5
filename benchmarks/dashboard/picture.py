"""A picture of the stack's dashboard: its widgets, drawn from the numbers of a recorded run.

It is not drawn by CloudWatch. Places, sizes, titles, metrics and statistics are those of the template; a period is
shorter than the dashboard's five minutes, because the recorded run is short.

    python -m benchmarks.dashboard.picture
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.dashboard import svg
from benchmarks.dashboard.logs import query_table
from benchmarks.dashboard.query import graph_lines
from benchmarks.dashboard.recording import FILE, Recording, read_recording
from genomics_pipeline.model.resource_names import DEFAULT_STACK
from genomics_pipeline.runs.stack.template import stack_template

PICTURE = FILE.with_suffix(".svg")
COLUMN, ROW, GAP, TITLE = 52, 44, 10, 34  # pixels: of a unit of the grid, between widgets, above a widget's content
FOOT = 34
PSEUDO_PARAMETERS = {
    "${AWS::Partition}": "aws",
    "${AWS::Region}": "us-east-1",
    "${AWS::AccountId}": "000000000000",
}


def dashboard_widgets() -> list[dict[str, Any]]:
    """Return the widgets of the dashboard in the template of a stack with the germline pipeline."""
    document = stack_template(["germline"], DEFAULT_STACK).document()
    body: str = document["Resources"]["MonitoringDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    for parameter, value in PSEUDO_PARAMETERS.items():
        body = body.replace(parameter, value)
    widgets: list[dict[str, Any]] = json.loads(body)["widgets"]
    return widgets


def picture(widgets: list[dict[str, Any]], recording: Recording) -> str:
    """Return the picture as SVG."""
    width = COLUMN * max(one["x"] + one["width"] for one in widgets) + GAP
    height = ROW * max(one["y"] + one["height"] for one in widgets) + FOOT
    caption = (
        "Drawn by benchmarks/dashboard from a run on the project's fakes of AWS, not by CloudWatch. Minutes since the "
        f"run began; a point is {recording.period_s} s. What the fakes do not count has no data."
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="Helvetica, Arial, sans-serif">',
            f'<rect width="{width}" height="{height}" fill="#f2f3f3"/>',
            *(_widget(one, recording) for one in widgets),
            svg.text(GAP + 4, height - 12, caption, 12),
            "</svg>\n",
        ]
    )


def _widget(widget: dict[str, Any], recording: Recording) -> str:
    box = svg.Box(
        widget["x"] * COLUMN + GAP,
        widget["y"] * ROW + GAP,
        widget["width"] * COLUMN - GAP,
        widget["height"] * ROW - GAP,
    )
    properties = widget["properties"]
    content = box.inner(0, TITLE, 0, 0)
    if widget["type"] == "log":
        table = query_table(properties["query"], recording.log)
        drawn = svg.table(content, table.columns, table.shares, table.rows)
    elif lines := graph_lines(properties, recording):
        drawn = svg.graph(content, lines, recording.period_s, stacked=properties.get("stacked", False))
    else:
        drawn = svg.no_data(content)
    return svg.card(box, properties["title"]) + drawn


def write(file: Path = PICTURE) -> None:
    """Draw the recorded run into a file."""
    file.write_text(picture(dashboard_widgets(), read_recording()), "utf-8")


if __name__ == "__main__":
    write()
    print(f"drawn: {PICTURE.relative_to(Path.cwd())}")
