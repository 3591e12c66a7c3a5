from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from genomics_pipeline.simulation.transactions.accounts import draw_network
from genomics_pipeline.simulation.transactions.feed import DAY_S, feed
from genomics_pipeline.simulation.transactions.folder import deliver, simulate_transactions
from genomics_pipeline.simulation.transactions.fraud import PATTERNS


def content(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()
    }


def test_files_have_their_records_in_order_and_the_truth_names_fraud(tmp_path: Path) -> None:
    made = simulate_transactions(tmp_path / "pay", records=2000, files=3, accounts=500, seed=2)
    truth = [json.loads(line) for line in (tmp_path / "pay/truth.jsonl").read_text().splitlines()]
    profiles = json.loads((tmp_path / "pay/profiles.json").read_bytes())
    files = sorted((tmp_path / "pay/transactions").iterdir())
    rows = [[json.loads(line) for line in file.read_text().splitlines()] for file in files]
    assert [len(of_file) for of_file in rows] == [2000] * 3
    window_s = 2000 * DAY_S / sum(one.per_day for one in draw_network(500, 2).accounts)
    everything = {row["id"]: row for of_file in rows for row in of_file}
    assert len(everything) == 6000
    for of_file in rows:
        times = [row["time"] for row in of_file]
        assert times == sorted(times)
        assert 0.9 < (times[-1] - times[0]) / window_s < 1.5
    assert {row["account"] for row in everything.values()} <= profiles.keys()
    assert all(everything[one["id"]]["account"] == one["account"] for one in truth)
    assert Counter(one["pattern"] for one in truth).keys() == {one.__name__ for one in PATTERNS}
    assert 0.005 < len(truth) / 6000 < 0.05
    assert made.fraudulent == len(truth)


def test_a_seed_gives_the_same_bytes_and_more_files_the_same_first_ones(tmp_path: Path) -> None:
    for name, files, seed in (("one", 2, 7), ("same", 2, 7), ("longer", 3, 7), ("other", 2, 8)):
        simulate_transactions(tmp_path / name, records=100, files=files, accounts=50, seed=seed)
    one, same, longer, other = (content(tmp_path / name) for name in ("one", "same", "longer", "other"))
    assert one == same
    assert all(longer[name] == data for name, data in one.items() if name != "truth.jsonl")
    assert longer["truth.jsonl"].startswith(one["truth.jsonl"])
    assert other != one
    assert [file.records for file in feed(draw_network(50, 7), 2, 100)] == [
        [json.loads(line) for line in one[f"transactions/{number:06d}.jsonl"].splitlines()] for number in range(2)
    ]


def test_files_are_delivered_one_by_one_and_late_ones_do_not_delay_the_next(tmp_path: Path) -> None:
    simulate_transactions(tmp_path / "pay", records=10, files=4, accounts=20, seed=1, waiting=True)
    slept: list[float] = []
    clock = iter([0.0, 0.0, 0.2, 2.5, 2.6])
    arrived = []
    for file in deliver(tmp_path / "pay", 1.0, slept.append, lambda: next(clock)):
        arrived.append(file.name)
        assert sorted(one.name for one in (tmp_path / "pay/transactions").iterdir()) == arrived
    assert arrived == [f"{number:06d}.jsonl" for number in range(4)]
    assert [round(one, 6) for one in slept] == [0.8, 0.4]
    assert not (tmp_path / "pay/waiting").exists()
