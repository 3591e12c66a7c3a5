"""Functions in the place of those of steps on Lambda, for documents of pipelines over records."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.model.record_task import RecordAnswer, RecordFailure, RecordPayload, batch_digest


def score(event: Any, _: Any) -> Any:
    """Answer with the amount of each record; one without an amount fails, a negative one is an error."""
    task = RecordPayload.from_json(event)
    amounts = [record.get("amount") for record in task.items]
    if any(amount is not None and float(amount) < 0 for amount in amounts):
        raise ValueError("a negative amount")
    failures = tuple(RecordFailure(index, "no amount") for index, amount in enumerate(amounts) if amount is None)
    result = {"amounts": amounts, "least": task.parameters.get("least")}
    if "text" in task.items[0]:
        result["text"] = "x" * int(task.items[0]["text"])
    return RecordAnswer(task.stage, len(task.items), batch_digest(task.items), result, failures).to_json()


def warn(event: Any, _: Any) -> Any:
    """Answer with the number of amounts of the first stage; the last record fails."""
    task = RecordPayload.from_json(event)
    count, last = len(task.upstream["scores"]["amounts"]), len(task.items) - 1
    failure = RecordFailure(last, "the last one")
    return RecordAnswer(task.stage, len(task.items), batch_digest(task.items), count, (failure,)).to_json()
