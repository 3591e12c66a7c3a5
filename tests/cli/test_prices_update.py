"""`prices update` reads AWS's offer files and Spot prices; after a failure the old prices are still there.

The files have the shape of AWS's, of which a few rows are kept: five lines about the file, the header, prices.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.spot_prices import spot_prices
from genomics_pipeline.model import budgets
from genomics_pipeline.prices.load import load_prices
from genomics_pipeline.prices.offers import offer_items
from tests.fakes.web_files import WebFiles

Cli = Callable[..., Any]
HEADER = [
    *("SKU", "OfferTermCode", "TermType", "PriceDescription", "EffectiveDate", "StartingRange", "EndingRange", "Unit"),
    *("PricePerUnit", "Currency", "Product Family", "serviceCode", "Location", "Instance Type", "vCPU"),
    *("Physical Processor", "Memory", "Storage", "Tenancy", "Operating System", "License Model", "usageType"),
    *("operation", "CapacityStatus", "Pre Installed S/W", "Region Code"),
]
REGION = "eu-central-1"


def offer(code: str, *rows: dict[str, str]) -> bytes:
    """Return an offer file with these rows, whose other columns have the values of an On-Demand price."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["FormatVersion", "v1.0"])
    writer.writerow(["Disclaimer", "This pricing list is for informational purposes only."])
    writer.writerows([["Publication Date", "2026-11-20T18:32:21Z"], ["Version", "20261120183221"], ["OfferCode", code]])
    writer.writerow(HEADER)
    usual = {"TermType": "OnDemand", "StartingRange": "0", "EndingRange": "Inf", "Currency": "USD", "SKU": "A"}
    writer.writerows([{**usual, **row}.get(name, "") for name in HEADER] for row in rows)
    return text.getvalue().encode()


def linux(instance_type: str, price: str, **others: str) -> dict[str, str]:
    return {
        "Product Family": "Compute Instance",
        "Tenancy": "Shared",
        "Operating System": "Linux",
        "Pre Installed S/W": "NA",
        "CapacityStatus": "Used",
        "Unit": "Hrs",
        "Instance Type": instance_type,
        "PricePerUnit": price,
        "vCPU": "16",
        "Memory": "64 GiB",
        "Storage": "1 x 950 GB NVMe SSD",
        "Physical Processor": "Intel Xeon 8375C",
        "usageType": f"EUC1-BoxUsage:{instance_type}",
        **others,
    }


EC2 = offer(
    "AmazonEC2",
    linux("m6id.4xlarge", "1.1300000000"),
    linux("m6id.4xlarge", "9.9", Tenancy="Dedicated"),
    linux("m6id.4xlarge", "8.8", **{"Operating System": "Windows"}),
    linux("m6id.4xlarge", "0.7", TermType="Reserved"),
    linux("m6id.4xlarge", "0", CapacityStatus="AllocatedCapacityReservation"),
    linux("i7ie.24xlarge", "14", Storage="8 x 7500 NVMe SSD", Memory="1,024 GiB"),
    linux("c8g.xlarge", "0.1822", Storage="EBS only", **{"Physical Processor": "AWS Graviton4 Processor"}),
    {"usageType": "EUC1-EBS:VolumeP-Throughput.gp3", "PricePerUnit": "48.7424", "Unit": "GiBps-mo"},
)
S3 = offer(
    "AmazonS3",
    {"usageType": "EUC1-TimedStorage-ByteHrs", "PricePerUnit": "0.0245", "EndingRange": "51200", "Unit": "GB-Mo"},
    {"usageType": "EUC1-TimedStorage-ByteHrs", "PricePerUnit": "0.0225", "StartingRange": "512000", "Unit": "GB-Mo"},
    {"usageType": "EUC1-TimedStorage-ByteHrs", "PricePerUnit": "0.0235", "StartingRange": "51200", "Unit": "GB-Mo"},
    {"usageType": "EUC1-Requests-Tier1", "PricePerUnit": "0.0000054", "Unit": "Requests", "SKU": "B"},
    {"usageType": "EUC1-Requests-Tier1", "PricePerUnit": "0.1", "SKU": "E", "TermType": "Reserved"},
    {"usageType": "EUC1-Requests-Tier2", "PricePerUnit": "0.0000004", "Unit": "Requests", "SKU": "C"},
    {"usageType": "EUC1-Requests-Tier2", "PricePerUnit": "0.0000009", "Unit": "Requests", "SKU": "D"},
)
KMS = offer("awskms", {"usageType": "eu-central-1-KMS-Keys", "PricePerUnit": "1", "Unit": "Keys"})


def path(code: str) -> str:
    return f"/offers/v1.0/aws/{code}/current/{REGION}/index.csv"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the user's folder of prices, which does not exist."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data/genomics-pipeline/prices"


@pytest.fixture
def offers() -> Iterator[WebFiles]:
    with WebFiles() as server:
        for code, content in (("AmazonEC2", EC2), ("AmazonS3", S3), ("awskms", KMS)):
            server.put(path(code), content)
        yield server


def test_the_prices_of_another_region(cli: Cli, folder: Path, offers: WebFiles) -> None:
    ended = cli("prices", "update", "--region", REGION, "--offers", offers.url, "--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out) == {
        "folder": str(folder / REGION),
        "hosts": 3,
        "spot": 0,
        "items": [
            "EBS/gp3-throughput-over-125-mibps",
            "S3/standard-storage",
            "S3/standard-put",
            "KMS/customer-managed-key",
        ],
        "kept": [],
    }
    assert "AmazonS3: 2 prices; several prices, so none is used, of S3/standard-get\n" in ended.err
    assert "AmazonStates: no file of eu-central-1\n" in ended.err
    found = load_prices(REGION, folder)
    host = found.host("m6id.4xlarge")
    assert (host.on_demand.value, host.on_demand.date, host.on_demand.verified, host.spot) == (
        1.13,
        "2026-11-20",
        True,
        None,
    )
    assert host.on_demand.source == offers.url + path("AmazonEC2")
    shapes = {
        (one.host.name, one.host.memory_mib, one.host.store_gb, str(one.host.architecture))
        for one in found.hosts.values()
    }
    assert shapes == {
        ("m6id.4xlarge", 65536, 950, "x86_64"),
        ("i7ie.24xlarge", 1048576, 60000, "x86_64"),
        ("c8g.xlarge", 65536, 0, "arm64"),
    }
    assert [(tier.start, tier.price.value) for tier in found.rate("S3/standard-storage").tiers] == [
        (0, 0.0245),
        (51200, 0.0235),
        (512000, 0.0225),
    ]
    assert found.rate("EBS/gp3-throughput-over-125-mibps").total(1024) == pytest.approx(48.7424)


def test_items_without_a_new_price_keep_their_old_one(cli: Cli, folder: Path, offers: WebFiles) -> None:
    for code, content in (("AmazonEC2", EC2), ("AmazonS3", S3)):
        offers.put(path(code).replace(REGION, "us-east-1"), content)
    ended = cli("prices", "update", "--region", "us-east-1", "--offers", offers.url)
    assert ended.code == 0, ended.err
    assert "older prices are kept of 106 items: StepFunctions/standard-transition, " in ended.out
    found = load_prices("us-east-1", folder)
    assert found.rate("S3/standard-get").price == pytest.approx(load_prices().rate("S3/standard-get").price)
    assert found.rate("S3/standard-put").price.date == "2026-11-20"
    assert found.rate("S3/batch-operations-objects").verified is False


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda server: server.files.pop(path("AmazonEC2")),
            "expected AWS's prices of the Region eu-central-1 at http://",
        ),
        (lambda server: server.put(path("awskms"), S3), "expected an offer file of awskms with its publication date"),
        (lambda server: server.put(path("AmazonS3"), b"<html>"), "expected an offer file of AmazonS3"),
        (
            lambda server: server.put(path("AmazonS3"), S3.replace(b"0.0000054", b"free")),
            ":10: expected an offer file, found a row that is none: could not convert string to float: 'free'",
        ),
        (
            lambda server: server.put(path("AmazonEC2"), EC2.replace(b'"vCPU"', b'"cores"')),
            ":6: expected the columns vCPU, found none",
        ),
        (
            lambda server: server.put(path("AmazonEC2"), offer("AmazonEC2")),
            "expected On-Demand prices of Linux instances",
        ),
        (lambda server: server.files[path("awskms")].cuts.append(40), "found an early end: 40 of "),
        (lambda server: server.files[path("awskms")].statuses.append(503), "found the answer 503"),
        (lambda server: server.put(path("AmazonS3"), b"\xff" + S3), "expected UTF-8, found other bytes"),
    ],
)
def test_after_a_failure_the_old_prices_are_there(
    cli: Cli, folder: Path, offers: WebFiles, change: Callable[[WebFiles], object], message: str
) -> None:
    assert cli("prices", "update", "--region", REGION, "--offers", offers.url).code == 0
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert len(before) == 2
    change(offers)
    ended = cli("prices", "update", "--region", REGION, "--offers", offers.url)
    assert ended.code == 1
    assert message in ended.err.splitlines()[-1]
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before


def test_an_endless_line_is_refused(cli: Cli, folder: Path, offers: WebFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "OFFER_LINE", budgets.Budget(1 << 10, "bytes", "a line"))
    offers.put(path("AmazonEC2"), b"x" * 100_000)
    ended = cli("prices", "update", "--region", REGION, "--offers", offers.url)
    assert ended.code == 1
    assert "expected lines of at most 0 MiB, found a longer one" in ended.err
    assert not folder.exists()


def test_an_address_without_tls_is_refused(cli: Cli, folder: Path) -> None:
    ended = cli("prices", "update", "--offers", "http://192.0.2.1")
    assert (ended.code, ended.out) == (2, "")
    expected = "expected https://, found http://, whose content could be changed on its way"
    assert ended.err == f"error: --offers: {expected}\n"


def test_options_before_the_subcommand_are_refused(cli: Cli, folder: Path) -> None:
    ended = cli("prices", "--region", REGION, "update")
    assert (ended.code, ended.err) == (
        2,
        "error: expected options of `prices update` behind it, found some before it\n",
    )


def test_each_item_of_an_offer_has_a_price_in_the_package() -> None:
    rates = load_prices().rates
    for one in offer_items():
        assert rates[one.item].price.unit == one.unit


def test_spot_prices_are_a_distribution() -> None:
    import boto3

    session = boto3.Session(region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")
    clients = Clients(lambda: session)
    now = datetime.datetime(2026, 11, 28, tzinfo=datetime.UTC)

    def record(zone: str, price: str, hour: int) -> dict[str, Any]:
        moment = datetime.datetime(2026, 11, 27, hour, tzinfo=datetime.UTC)
        return {"AvailabilityZone": zone, "InstanceType": "m6id.large", "SpotPrice": price, "Timestamp": moment}

    pages = [
        [record("a", "0.05", 20), record("b", "0.06", 20), record("c", "0.10", 20)],
        [record("a", "0.04", 1), record("a", "0.20", 2)],
    ]
    with Stubber(clients.ec2) as stub:
        for number, page in enumerate(pages):
            token = {"NextToken": "next"} if number else {}
            asked = {
                "InstanceTypes": ["m6id.large", "m6id.xlarge"],
                "ProductDescriptions": ["Linux/UNIX"],
                "StartTime": ANY,
                "EndTime": now,
                **token,
            }
            answer = {"SpotPriceHistory": page, "NextToken": "" if number else "next"}
            stub.add_response("describe_spot_price_history", answer, asked)
        (found,) = spot_prices(["m6id.large", "m6id.xlarge"], clients, now).values()
    assert (found.median.value, found.median.date, found.zones) == (0.06, "2026-11-28", 3)
    assert (found.low_factor, found.high_factor) == (round(0.044 / 0.06, 4), round(0.16 / 0.06, 4))


def test_spot_prices_of_a_service_behind_an_endpoint(
    cli: Cli, folder: Path, offers: WebFiles, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = cli("prices", "update", "--region", REGION, "--offers", offers.url, "--spot", "--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["spot"] > 0
    spot = load_prices(REGION, folder).host("m6id.4xlarge").spot
    assert spot is not None
    assert spot.median.value > 0
