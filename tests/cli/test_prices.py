"""`prices` lists the prices of a Region with their dates and sources; a Region without prices is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.prices.load import shipped_prices

Cli = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the user's folder of prices, which does not exist."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("AWS_REGION", raising=False)
    return tmp_path / "data/genomics-pipeline/prices"


def listed(cli: Cli, *arguments: str) -> list[dict[str, Any]]:
    ended = cli("prices", "--json", *arguments)
    assert (ended.code, ended.err) == (0, "")
    return [json.loads(line) for line in ended.out.splitlines()]


def test_each_price_has_a_source_and_its_age(cli: Cli, folder: Path) -> None:
    rows = listed(cli)
    found = shipped_prices()
    spot = sum(host.spot is not None for host in found.hosts.values())
    assert len(rows) == len(found.hosts) + spot + sum(len(rate.tiers) for rate in found.rates.values())
    assert all(row["source"] for row in rows)
    (one,) = [row for row in rows if row["item"] == "EC2/c6id.4xlarge"]
    assert (one["value"], one["unit"], one["date"], one["verified"]) == (0.8064, "hour", "2026-07-20", True)
    assert one["age_days"] > 0


def test_what_is_not_verified_is_marked(cli: Cli, folder: Path) -> None:
    ended = cli("prices")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0] == (
        "us-east-1: 145 instance types, 117 of them with a Spot price, 109 items of services, from the package"
    )
    assert [line.split()[0] for line in lines if "not verified: unverified (memory)" in line] == [
        "S3/lifecycle-transition-into-glacier-instant-retrieval",
        "S3/batch-operations-objects",
        "SNS/delivery-to-sqs-or-lambda",
    ]


def test_the_tables_of_the_user_come_first(cli: Cli, folder: Path) -> None:
    (folder / "us-east-1").mkdir(parents=True)
    table = "instance_type,usd_per_hour_median,low_factor,high_factor,zones,date,source,verified\n"
    (folder / "us-east-1/spot.csv").write_text(f"{table}c6id.4xlarge,0.5,0.9,1.1,3,2026-11-28,EC2,yes\n")
    rows = {row["item"]: row for row in listed(cli) if row["item"].startswith("EC2/")}
    assert [name for name in rows if name.endswith("/spot")] == ["EC2/c6id.4xlarge/spot"]
    assert rows["EC2/c6id.4xlarge/spot"]["value"] == 0.5
    assert rows["EC2/c6id.4xlarge"]["value"] == 0.8064


@pytest.mark.parametrize(
    ("region", "code", "message"),
    [
        (
            "eu-west-1",
            1,
            "error: expected prices of the Region eu-west-1, found those of us-east-1; "
            "`genomics-pipeline prices update --region eu-west-1` reads AWS's\n",
        ),
        ("../us-east-1", 2, "error: --region: expected a Region such as us-east-1, found '../us-east-1'\n"),
    ],
)
def test_a_region_without_prices_is_refused(cli: Cli, folder: Path, region: str, code: int, message: str) -> None:
    ended = cli("prices", "--region", region)
    assert (ended.code, ended.out, ended.err) == (code, "", message)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("spot.csv", "a,b\n", ":1: expected the columns instance_type,"),
        (
            "services.csv",
            "item,from,per,unit,usd,date,source,verified\nS3/x,0,1,GB,-1,,,yes\n",
            ":2: expected a price, found a row that is none (-1 is no amount); delete the file",
        ),
        (
            "services.csv",
            "item,from,per,unit,usd,date,source,verified\nS3/x,5,1,GB,1,,,yes\n",
            ": S3/x: expected tiers from 0 on, by increasing start, found [5.0]",
        ),
        (
            "instance_types.csv",
            "instance_type,vcpus,memory_mib,instance_store_gb,arch,usd_per_hour,date,source,verified\nc5.large,2\n",
            ":2: expected a price, found a row that is none",
        ),
    ],
)
def test_a_damaged_table_is_named(cli: Cli, folder: Path, name: str, text: str, message: str) -> None:
    (folder / "us-east-1").mkdir(parents=True)
    (folder / "us-east-1" / name).write_text(text)
    ended = cli("prices")
    assert (ended.code, ended.out) == (1, "")
    assert f"error: {folder}/us-east-1/{name}{message}" in ended.err
