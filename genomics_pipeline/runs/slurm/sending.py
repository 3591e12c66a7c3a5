"""The way of attempts into Slurm: gathered into arrays and submitted in their order, as soon as Slurm takes them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress

from genomics_pipeline.engine.clock import Clock
from genomics_pipeline.runs.slurm.ends import name_of, refused_end
from genomics_pipeline.runs.slurm.followed import FIRST_WAIT_S, Followed, Unsent
from genomics_pipeline.runs.slurm.job_limit import JobLimit
from genomics_pipeline.runs.slurm.pace import CallPace
from genomics_pipeline.runs.slurm.site_limits import CALLS, SiteLimits
from genomics_pipeline.runs.slurm.submission import JobPlace, JobShape, Submissions
from genomics_pipeline.slurm.commands import SlurmError

GATHER_S = 5.0  # between two looks for new attempts: those that come meanwhile are one array
LONGEST_WAIT_S = 120.0  # between two submissions while Slurm takes none


class Sending:
    """The attempts that are not yet in Slurm.

    Args:
        submissions: The arrays of the run.
        clock: The clock.
        pace: The pace of the calls.
        most_jobs: The greatest number of jobs that run at once; None for any.
        note: Shows a line.
    """

    def __init__(
        self,
        submissions: Submissions,
        clock: Clock,
        pace: CallPace,
        most_jobs: int | None,
        note: Callable[[str], None],
    ) -> None:
        self._submissions, self._clock, self._pace = submissions, clock, pace
        self._most_jobs, self._limit, self._note = most_jobs, JobLimit(most_jobs), note
        self._new: list[Followed] = []
        self._unsent: list[Unsent] = []
        self._next_gathering = self._next_submission = self._next_change = 0.0
        self._waits_s = FIRST_WAIT_S
        self._site: SiteLimits | None = None
        self._noted = set[str]()
        self._lock = asyncio.Lock()

    def begin(self) -> None:
        """Begin in the present event loop."""
        self._lock = asyncio.Lock()

    def is_waiting(self) -> bool:
        """Return whether there are attempts to submit."""
        return bool(self._new or self._unsent)

    def has(self, array: str) -> bool:
        """Return whether an array is still to be submitted."""
        return any(unsent.array == array for unsent in self._unsent)

    def add(self, followed: Followed) -> None:
        """Take an attempt, which becomes part of an array."""
        self._new.append(followed)

    def add_again(self, followed: Followed) -> None:
        """Take an attempt whose array a killed head did not submit, as far as Slurm and the files say."""
        array = followed.at.array
        for unsent in self._unsent:
            if unsent.array == array:
                unsent.members.append(followed)
                return
        number = self._submissions.size(array)
        self._unsent.append(Unsent(array, followed.shape, number, [followed], is_new=False))

    async def withdraw(self, followed: Followed) -> None:
        """Give an attempt up, which is in Slurm only if it has a place afterwards."""
        with suppress(ValueError):
            self._new.remove(followed)
        async with self._lock:  # it may be on its way
            return

    async def send(self, placed: Collection[Followed]) -> list[Followed]:
        """Make arrays and submit them; return the attempts that got a place.

        Args:
            placed: The attempts that have one, and have not ended.
        """
        async with self._lock:
            await self._enlarge(placed)
            taken = await self._gather(placed)
            placed = [*placed, *taken]
            while self._unsent and self._clock.now() >= self._next_submission and self._pace.has_room():
                if not await self._submit(self._unsent[0], placed):
                    break
            return taken

    def _waiting(self, placed: Collection[Followed]) -> Counter[str]:
        """Return the number of tasks that have not ended, of each array in Slurm, as far as jobs are limited."""
        if self._most_jobs is None:
            return Counter()
        unsent = {one.array for one in self._unsent}
        return Counter(one.at.array for one in placed if one.at.array not in unsent and not one.ended.done())

    async def _enlarge(self, placed: Collection[Followed]) -> None:
        """Let an array that is limited run more jobs, once others have ended."""
        if self._most_jobs is None or self._clock.now() < self._next_change or not self._pace.has_room():
            return
        if (larger := self._limit.larger_share(self._waiting(placed))) is None:
            return
        array, share = larger
        self._next_change = self._clock.now() + GATHER_S
        self._pace.count()
        try:
            await asyncio.to_thread(self._submissions.limit, array, share)
        except SlurmError as error:
            if not error.passes:
                self._limit.keep(array)
        else:
            self._limit.note(array, share)

    async def _gather(self, placed: Collection[Followed]) -> list[Followed]:
        """Make arrays of the attempts that came since the last time, of those with the same resources.

        While no further job may run, they are left, so that those that come meanwhile are in the same arrays.
        """
        if not self._new or self._clock.now() < max(self._next_gathering, self._next_submission):
            return []
        if self._most_jobs is not None and (self._unsent or self._limit.share(1, self._waiting(placed)) == 0):
            return []
        try:
            site = await self._limits_of_site()
        except SlurmError as error:
            self._wait(error)
            return []
        self._next_gathering = self._clock.now() + GATHER_S
        taken, self._new = self._new, []
        shapes: dict[JobShape, list[Followed]] = {}
        for followed in taken:
            shapes.setdefault(followed.shape, []).append(followed)
        for shape, members in shapes.items():
            self._note_time(shape)
            for part in _parts(members, site.array):
                self._unsent.append(await self._prepare(part))
        return taken

    async def site(self) -> SiteLimits:
        """Return the limits of the site, once Slurm answers."""
        while True:
            async with self._lock:
                try:
                    return await self._limits_of_site()
                except SlurmError as error:
                    self._wait(error)
            await self._clock.sleep(self._waits_s)

    async def _limits_of_site(self) -> SiteLimits:
        if self._site is None:
            self._pace.count(CALLS)
            self._site = await asyncio.to_thread(self._submissions.site)
        return self._site

    def _note_time(self, shape: JobShape) -> None:
        """Show that jobs get less time than their step asks for, once for all of them."""
        minutes = self._submissions.minutes(shape)
        asked = f"they ask for {shape.minutes:,}"
        text = f"jobs of {shape.name} have {minutes:,} min, the longest in {name_of(shape.partition)}; {asked}"
        if minutes < shape.minutes and text not in self._noted:
            self._noted.add(text)
            self._note(text)

    async def _prepare(self, members: Sequence[Followed]) -> Unsent:
        """Make an array of attempts with the same resources."""
        array = await asyncio.to_thread(self._submissions.prepare, [one.task for one in members], members[0].shape)
        for index, followed in enumerate(members):
            followed.place = JobPlace(array, index)
        return Unsent(array, members[0].shape, len(members), list(members))

    async def _submit(self, unsent: Unsent, placed: Collection[Followed]) -> bool:
        """Submit an array, unless nobody waits for it; one of which Slurm gave no answer may be there already.

        Args:
            unsent: The array.
            placed: The attempts that have a place.

        Returns:
            False if it waits, since no further job may run.
        """
        try:
            if not unsent.is_new:
                self._pace.count()
                unsent.is_new = not await asyncio.to_thread(self._submissions.find, unsent.array)
            if unsent.is_new and not all(one.ended.done() for one in unsent.members):
                share = self._limit.share(unsent.number, self._waiting(placed))
                if share == 0:
                    return False
                self._pace.count()
                unsent.is_new = False
                self._limit.note(unsent.array, share)
                await asyncio.to_thread(self._submissions.submit, unsent.array, unsent.shape, unsent.number, share)
        except SlurmError as error:
            await self._try_otherwise(unsent, error)
            return True
        self._waits_s = FIRST_WAIT_S
        self._unsent.remove(unsent)
        return True

    async def _try_otherwise(self, unsent: Unsent, error: SlurmError) -> None:
        """Make smaller arrays where Slurm takes none of this size, wait where it takes none now, or give it up."""
        if error.limits_number and len(unsent.members) > 1:
            self._note(f"Slurm takes fewer jobs at once than {unsent.number}; the run submits half of them")
            await asyncio.to_thread(self._submissions.withdraw, unsent.array)
            alive = [one for one in unsent.members if not one.ended.done()]
            self._unsent[:1] = [await self._prepare(part) for part in _parts(alive, -(-len(unsent.members) // 2))]
        elif error.passes:
            self._wait(error)
        else:
            self._unsent.remove(unsent)
            for followed in unsent.members:
                followed.end(refused_end(f"Slurm refuses the job: {error.message}"))

    def _wait(self, error: SlurmError) -> None:
        self._waits_s = min(self._waits_s * 2, LONGEST_WAIT_S)
        self._next_submission = self._clock.now() + self._waits_s
        self._note(f"Slurm does not take jobs now; the run tries again: {error.message}")


def _parts(members: Sequence[Followed], size: int) -> Iterator[Sequence[Followed]]:
    return (members[at : at + size] for at in range(0, len(members), size))
