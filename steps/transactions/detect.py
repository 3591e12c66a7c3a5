"""Alerts about card transactions: how much the transactions of an account in a batch contradict its profile.

Functions share no state, so that an account is judged by its transactions of one batch. Each rule adds points of
evidence (natural logarithms of odds) and a reason; the score of the account is the probability that they amount to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import asin, cos, exp, log, radians, sin, sqrt
from typing import Any

from profiles import read_profiles

BIAS = -5.0  # the log odds of an account without evidence
SMALL, TESTS, TEST_S = 5.0, 3, 300.0  # card testing: the amount, the least merchants, and the seconds
FAR_KM, FASTEST_KMH = 150.0, 900.0
EARTH_KM = 6371.0
SPREE, SPREE_S = 3, 900.0  # purchases, and the seconds in which they may spend a limit
LIMIT_SHARE = 0.15  # of the limit, from which on they are evidence
RARE = 0.02  # the share of a category that an account seldom buys
RESOLD = ("electronics", "jewellery", "travel")
_NEEDED = {"id": str, "account": str, "merchant": str, "category": str, "channel": str}
Record = Mapping[str, Any]


def handle(batch: Any) -> list[dict[str, Any]]:
    """Return the alerts of a batch, in the order of the first transaction of their accounts."""
    profiles = read_profiles(batch.parameters["profiles"])
    by_account: dict[str, list[Record]] = {}
    for index, record in enumerate(batch.records):
        if message := misfit(record):
            batch.fail(index, message)
        else:
            by_account.setdefault(record["account"], []).append(record)
    alerts = []
    for account, records in by_account.items():
        ordered = sorted(records, key=lambda one: (one["time"], one["id"]))
        alert = judge(account, ordered, profiles.get(account))
        if alert["score"] >= batch.parameters["threshold"]:
            alerts.append(alert)
    return alerts


def misfit(record: Any) -> str | None:
    """Return what is wrong with a transaction, or None."""
    if not isinstance(record, dict):
        return "expected an object"
    for name, kind in _NEEDED.items():
        if not isinstance(record.get(name), kind):
            return f"expected text as {name}, found {record.get(name)!r}"[:200]
    for name in ("time", "amount", *(("lat", "lon") if record["channel"] == "terminal" else ())):
        value = record.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
            return f"expected a number as {name}, found {value!r}"[:200]
    return None


def judge(account: str, records: Sequence[Record], profile: Record | None) -> dict[str, Any]:
    """Return the alert that the transactions of an account would be.

    Args:
        account: The account.
        records: Its transactions, in the order of time.
        profile: Its profile; None for an unknown account, of which only rules about the transactions are used.
    """
    evidence = {
        "card_testing": card_testing(records, profile),
        "impossible_travel": impossible_travel(records),
        "unknown_device": unknown_device(records, profile),
        "unusual_amounts": unusual_amounts(records, profile),
        "unusual_categories": unusual_categories(records, profile),
        "limit_spent": limit_spent(records, profile),
        "far_from_home": far_from_home(records, profile),
        "declined": min(1.5, 0.75 * sum(bool(one.get("declined")) for one in records)),
    }
    reasons = sorted((name for name, points in evidence.items() if points >= 0.5), key=lambda name: -evidence[name])
    return {
        "account": account,
        "score": round(1 / (1 + exp(-(BIAS + sum(evidence.values())))), 4),
        "reasons": reasons,
        "transactions": [one["id"] for one in records],
        "amount": round(sum(one["amount"] for one in records), 2),
    }


def card_testing(records: Sequence[Record], profile: Record | None) -> float:
    """Return the evidence of small charges online at several merchants within minutes."""
    known = profile["devices"] if profile else ()
    small = [one for one in records if one["channel"] == "online" and one["amount"] < SMALL]
    unknown = [one for one in small if one.get("device") not in known]
    most = 0
    for first in unknown:
        later = {one["merchant"] for one in unknown if 0 <= one["time"] - first["time"] <= TEST_S}
        most = max(most, len(later))
    return 0.0 if most < TESTS else min(8.0, 1.5 * most)


def impossible_travel(records: Sequence[Record]) -> float:
    """Return the evidence of terminals that nobody can reach one after the other."""
    at_terminals = [one for one in records if one["channel"] == "terminal"]
    for before, after in pairwise(at_terminals):
        distance = distance_km(before["lat"], before["lon"], after["lat"], after["lon"])
        hours = max(1.0, after["time"] - before["time"]) / 3600
        if distance > FAR_KM and distance / hours > FASTEST_KMH:
            return 7.0
    return 0.0


def unknown_device(records: Sequence[Record], profile: Record | None) -> float:
    """Return the evidence of purchases from devices that the account has never used."""
    if profile is None:
        return 0.0
    new = [one for one in records if one["channel"] == "online" and one.get("device") not in profile["devices"]]
    resold = sum(one["category"] in RESOLD for one in new)
    return min(5.0, (1.5 if new else 0.0) + 0.5 * len(new) + 1.0 * resold)


def unusual_amounts(records: Sequence[Record], profile: Record | None) -> float:
    """Return the evidence of amounts that are far above the usual ones."""
    if profile is None:
        return 0.0
    scores: list[float] = [(log(max(0.01, one["amount"])) - profile["log_mean"]) / profile["log_sd"] for one in records]
    return min(3.0, sum(0.6 * (score - 1.5) for score in scores if score > 1.5))


def unusual_categories(records: Sequence[Record], profile: Record | None) -> float:
    """Return the evidence of goods that are easily sold, which the account seldom buys."""
    if profile is None:
        return 0.0
    bought = [one["category"] for one in records if one["category"] in RESOLD]
    seldom = [name for name in bought if profile["categories"].get(name, 0) < RARE]
    return min(2.0, 0.5 * len(seldom))


def limit_spent(records: Sequence[Record], profile: Record | None) -> float:
    """Return the evidence of several purchases within minutes that use much of the account's limit."""
    if profile is None:
        return 0.0
    most = 0.0
    for first in records:
        amounts = [one["amount"] for one in records if 0 <= one["time"] - first["time"] <= SPREE_S]
        most = max(most, sum(amounts) if len(amounts) >= SPREE else 0.0)
    share = most / max(1.0, profile["limit"])
    return 0.0 if share < LIMIT_SHARE else min(6.0, 0.5 + 9.0 * (share - LIMIT_SHARE))


def far_from_home(records: Sequence[Record], profile: Record | None) -> float:
    """Return the evidence of terminals far from where the account usually pays: it may be on a trip."""
    if profile is None:
        return 0.0
    far = any(
        distance_km(one["lat"], one["lon"], profile["lat"], profile["lon"]) > FAR_KM
        for one in records
        if one["channel"] == "terminal"
    )
    return 1.0 if far else 0.0


def distance_km(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Return the distance of two places on a great circle.

    Args:
        lat: The latitude of the first, in degrees.
        lon: Its longitude.
        other_lat: The latitude of the second.
        other_lon: Its longitude.
    """
    a, b = radians(lat), radians(other_lat)
    half = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(radians(other_lon - lon) / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(half)))
