"""The limits of a site that decide how jobs are submitted: the size of an array, and the time of a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genomics_pipeline.model.slurm_options import SlurmOptions
from genomics_pipeline.slurm.cluster_limits import read_limits
from genomics_pipeline.slurm.commands import SlurmCommands, SlurmError

CALLS = 11  # of Slurm's commands, at most: `site_limits` for two partitions


@dataclass(frozen=True, slots=True)
class TimedPlace:
    """The partition of a job and its time there.

    Attributes:
        partition: The partition; None if no partition has more time than the job before had.
        minutes: The time limit; without a partition, that of the job before.
    """

    partition: str | None
    minutes: int


@dataclass(frozen=True, slots=True)
class SiteLimits:
    """The limits of a site.

    Attributes:
        array: The greatest number of jobs of an array.
        minutes: The longest time limit of a job, by partition; those that have none are left out.
    """

    array: int
    minutes: Mapping[str, int]

    def minutes_of(self, partition: str, asked: int) -> int:
        """Return the time limit of a job: the time that it asks for, as far as its partition allows it.

        Args:
            partition: The partition.
            asked: The time; 0 for that of the partition.

        >>> site = SiteLimits(1000, {"short": 60})
        >>> site.minutes_of("short", 1440), site.minutes_of("short", 0), site.minutes_of("long", 1440)
        (60, 0, 1440)
        """
        return min(asked, self.minutes.get(partition, asked))

    def place_after(self, partitions: Sequence[str], asked: int, timeouts: int) -> TimedPlace:
        """Return the partition in which a job has more time than the one before it, which came to its time limit.

        Each job asks for twice the time of the one before it. Where its partition allows no more, another one may.

        Args:
            partitions: The partitions that it may have, the first of which is that of the first job.
            asked: The time in minutes that the first job asked for; 0 for that of the partition.
            timeouts: The number of jobs that came to their time limits.

        >>> site = SiteLimits(1000, {"short": 60, "long": 90})
        >>> site.place_after(["short"], 20, 1), site.place_after(["short"], 60, 1)
        (TimedPlace(partition='short', minutes=40), TimedPlace(partition=None, minutes=60))
        >>> site.place_after(["short", "long"], 600, 1), site.place_after(["short", "long"], 600, 2)
        (TimedPlace(partition='long', minutes=90), TimedPlace(partition=None, minutes=90))
        """
        place = TimedPlace(partitions[0], self.minutes_of(partitions[0], asked))
        for times in range(1, timeouts + 1 if asked else 1):
            places = (TimedPlace(one, self.minutes_of(one, asked << times)) for one in partitions)
            place = next((one for one in places if one.minutes > place.minutes), TimedPlace(None, place.minutes))
        return place


def site_limits(slurm: SlurmCommands, options: SlurmOptions) -> SiteLimits:
    """Return the limits of the partitions of a run.

    Args:
        slurm: The commands of Slurm.
        options: The options of the run's jobs.

    Raises:
        SlurmError: if Slurm does not answer.
    """
    array, minutes = slurm.largest_array(), dict[str, int]()
    for partition in {options.partition, options.on_demand_partition or options.partition}:
        # a job for several partitions waits for those that allow its time
        longest = [_longest(slurm, name, options) for name in partition.split(",")]
        known = [one for one in longest if one is not None]
        if len(known) == len(longest):
            minutes[partition] = max(known)
    return SiteLimits(array, minutes)


def _longest(slurm: SlurmCommands, partition: str, options: SlurmOptions) -> int | None:
    """Return the longest time limit of a job in a partition in minutes; None for any time."""
    try:
        limit = read_limits(slurm, partition, options.account, options.qos).get("max_time_min")
    except SlurmError as error:
        if error.passes:
            raise
        return None  # sbatch says what is wrong with the partition
    return limit.value if limit else None
