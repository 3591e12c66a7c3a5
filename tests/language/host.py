"""A host with the system's time and random numbers."""

from __future__ import annotations

import random
import time
import uuid

from genomics_pipeline.language.evaluation import Evaluation, EvaluationEnd


class SystemHost:
    def now(self) -> float:
        return time.time()

    def processor_seconds(self) -> float:
        return time.thread_time()

    def random(self) -> float:
        return random.random()

    def random_integer(self, low: int, high: int, seed: int | None) -> int:
        return random.Random(seed).randrange(low, high)

    def uuid(self) -> str:
        return str(uuid.uuid4())

    def evaluate_apart(self, evaluation: Evaluation) -> EvaluationEnd:
        return evaluation.here(self)


HOST = SystemHost()
