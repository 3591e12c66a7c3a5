"""The relation between the share that is seen of a running job and its time, learned from those that ended.

A share is what a program reports, or how much of its inputs it has read. Neither is the share of its time: a program
loads an index first, and sorts after the last read. How a stage's jobs behaved is applied to those that run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

PLACES = 20  # of a curve, evenly over the shares
# The standard deviation of the logarithm of a duration that is concluded from a share at the first tenth of it and at
# its end, before a job of the stage has ended: of what programs report, and of what they read.
REPORTED, READ = (0.3, 0.2), (0.5, 0.25)
# The part of a job's time at which all is reported or read, before one has ended: an alignment has read all in 0.7 to
# 0.8, sorts and writes in the rest, and reports both.
ALL_REPORTED, ALL_READ = 0.95, 0.8
LATE_S = 1.0  # by which shares are known too late on average: programs report once a second, and are looked at as often
LEARNED = 0.05  # the part of the deviation that remains, however many jobs have ended


@dataclass(frozen=True, slots=True)
class SeenShare:
    """The newest share of a running job.

    Attributes:
        share: The share, above 0, at most 1.
        reached_s: The seconds from its start until then.
        is_read: Whether it is the share of the inputs that was read.
    """

    share: float
    reached_s: float
    is_read: bool = False


@dataclass(slots=True)
class ShareTrack:
    """The shares of one job.

    Attributes:
        points: Each share with the seconds from the start until it was reached.
        is_read: Whether they are of inputs that were read.
        is_refuted: Whether a share was below the one before, as of a job with several items, whose shares say nothing.
    """

    points: list[tuple[float, float]] = field(default_factory=list)
    is_read: bool = False
    is_refuted: bool = False

    def note(self, share: float, elapsed: float, *, is_read: bool) -> None:
        """Note the share of the job now.

        Args:
            share: The share, from 0 to 1.
            elapsed: The seconds since its start.
            is_read: Whether it is of inputs that were read.
        """
        if is_read is not self.is_read:  # a program may begin to report; what it reports counts alone
            self.points, self.is_read = [], is_read
        last = self.points[-1][0] if self.points else 0.0
        if share < last - 1e-6:
            self.is_refuted = True
        elif share >= min(last + 0.5 / PLACES, 1.0) and share > last:
            self.points.append((share, max(elapsed - LATE_S, elapsed / 2)))

    @property
    def seen(self) -> SeenShare | None:
        """The newest share; None where there is none that says anything."""
        if self.is_refuted or not self.points:
            return None
        share, reached = self.points[-1]
        return SeenShare(share, reached, self.is_read)


@dataclass(slots=True)
class ShareCurve:
    """The curve of a stage: the share of its time at which a job reaches each place of its shares."""

    _sums: list[float] = field(default_factory=lambda: [0.0] * (PLACES + 1))
    _squares: list[float] = field(default_factory=lambda: [0.0] * (PLACES + 1))
    _jobs: list[int] = field(default_factory=lambda: [0] * (PLACES + 1))

    def end(self, track: ShareTrack, seconds: float) -> None:
        """Add a job that ended to the curve.

        Args:
            track: Its shares.
            seconds: Its duration.
        """
        if track.is_refuted or seconds < 10 * LATE_S:
            return
        before = 0.0, 0.0
        for share, elapsed in track.points:
            for place in range(math.floor(before[0] * PLACES) + 1, math.floor(share * PLACES + 1e-9) + 1):
                part = (place / PLACES - before[0]) / (share - before[0])
                log = math.log(max(1e-3, min(1.0, (before[1] + part * (elapsed - before[1])) / seconds)))
                self._sums[place] += log
                self._squares[place] += log * log
                self._jobs[place] += 1
            before = share, elapsed

    def whole(self, seen: SeenShare) -> tuple[float, float]:
        """Return the logarithm of a running job's duration in seconds, and its standard deviation.

        Args:
            seen: Its newest share.
        """
        at_tenth, at_end = READ if seen.is_read else REPORTED
        unknown = math.hypot(at_end, at_tenth * math.log10(1 / seen.share))
        prior = math.log(seen.share * (ALL_READ if seen.is_read else ALL_REPORTED))
        place = min(PLACES, max(1, round(seen.share * PLACES)))
        jobs = self._jobs[place]
        log, deviation = prior, unknown
        if jobs:
            mean = self._sums[place] / jobs + math.log(seen.share * PLACES / place)
            among = max(0.0, self._squares[place] - self._sums[place] ** 2 / jobs)
            within = max(LEARNED**2, (among + unknown**2 / 4) / jobs)  # as if one job more differed by half of that
            weight = jobs / (jobs + within / unknown**2)
            log = weight * mean + (1 - weight) * prior
            deviation = math.sqrt(within + unknown**2 * (1 - weight))
        return math.log(seen.reached_s) - log, math.hypot(deviation, LATE_S / seen.reached_s)
