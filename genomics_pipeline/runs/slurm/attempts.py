"""Attempts of jobs on a cluster: submitted, found again after a restart of the head, followed to their ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path

from genomics_pipeline.engine.clock import Clock
from genomics_pipeline.engine.tasks.job import JobEnd
from genomics_pipeline.model import run_layout
from genomics_pipeline.runs.slurm.ends import end_of_job, lost_end, never_starts, refused_end
from genomics_pipeline.runs.slurm.followed import Followed, Unsent
from genomics_pipeline.runs.slurm.node_task import CANCELLED, ENDED, STARTED, NodeTask, read_end
from genomics_pipeline.runs.slurm.submission import JobPlace, JobShape, Submissions, earlier_places
from genomics_pipeline.slurm.commands import SlurmCommands, SlurmError
from genomics_pipeline.slurm.slurm_job import SlurmJob
from genomics_pipeline.stores.publish import publish_bytes

LOOK_S = 1.0  # between two looks at the files of jobs, which cost the site nothing
LONGEST_POLL_S, GROWTH = 120.0, 1.5  # between two questions to Slurm while no job ends
UNSENT_S = 30.0  # after which a job of a killed head, whose number it did not write, was not submitted
GONE_S = 120.0  # after which a job that Slurm no longer lists is lost: file servers and the accounting are late
LOG_BYTES = 20_000  # of the end of a job's output
SILENT_S = 600.0  # between two notes about a controller that does not answer


class Attempts:
    """The attempts of the jobs of a run.

    Args:
        run: The folder of the run.
        slurm: The commands of Slurm.
        submissions: The arrays of the run.
        clock: The clock.
        poll_s: The least time between two questions about the jobs.
        most_jobs: The greatest number of jobs in Slurm at once; None for any.
        note: Shows a line.
    """

    def __init__(
        self,
        run: Path,
        slurm: SlurmCommands,
        submissions: Submissions,
        clock: Clock,
        poll_s: float,
        most_jobs: int | None,
        note: Callable[[str], None],
    ) -> None:
        self._run, self._slurm, self._submissions, self._clock = run, slurm, submissions, clock
        self._poll_s, self._most_jobs, self._note = poll_s, most_jobs, note
        self._files = run / run_layout.SLURM_JOBS
        self._places = earlier_places(run)
        self._new: list[Followed] = []
        self._unsent: list[Unsent] = []
        self._followed: dict[str, Followed] = {}
        self._doomed: list[JobPlace] = []
        self._following: asyncio.Task[None] | None = None
        self._next_poll = self._next_submission = 0.0
        self._next_note = 0.0
        self._largest: int | None = None

    def is_cancelled(self, key: str) -> bool:
        """Return whether a head of the run cancelled the job with this key, so that it says nothing about its task."""
        return (self._files / f"{key}{CANCELLED}").exists()

    def start(self, task: NodeTask, shape: JobShape) -> Followed:
        """Submit a task, soon and with others, or find the job that a killed head submitted for it.

        Args:
            task: The task.
            shape: Its resources.
        """
        loop = asyncio.get_running_loop()
        followed = Followed(task, shape, loop.create_future(), loop.create_future(), self._places.get(task.key))
        if followed.place:
            self._followed[task.key] = followed
        else:
            self._new.append(followed)
        if self._following is None:
            self._next_poll = self._clock.now() + self._poll_s
            self._following = asyncio.ensure_future(self._follow())
        return followed

    async def cancel(self, followed: Followed) -> None:
        """Cancel a job, with those that are cancelled at the same time; a resumed run submits its task again."""
        with suppress(ValueError):
            self._new.remove(followed)
        self._followed.pop(followed.task.key, None)
        if followed.ended.done() and not followed.ended.cancelled():
            return
        followed.ended.cancel()
        file = self._files / f"{followed.task.key}{CANCELLED}"
        await asyncio.to_thread(publish_bytes, file, b"", self._run)
        if followed.place:
            self._doomed.append(followed.place)
        await asyncio.sleep(0)
        await self._cancel_doomed()

    async def _cancel_doomed(self) -> None:
        """Cancel the jobs of cancelled callers; if Slurm does not answer, they end at their time limits."""
        doomed, self._doomed = self._doomed, []
        ids = [job_id for place in doomed if (job_id := self._submissions.job_id(place))]
        if ids:
            try:
                await asyncio.to_thread(self._slurm.cancel, ids)
            except SlurmError as error:
                self._note(f"not cancelled in Slurm: {', '.join(ids)}: {error.message}")

    async def _follow(self) -> None:
        delay = self._poll_s
        try:
            while self._new or self._unsent or self._followed:
                await self._clock.sleep(LOOK_S)
                await self._gather()
                await self._submit()
                waiting = len(self._followed)
                await self._look()
                if self._clock.now() >= self._next_poll:
                    await self._ask()
                    is_quiet = len(self._followed) == waiting
                    delay = min(delay * GROWTH, LONGEST_POLL_S) if is_quiet else self._poll_s
                    self._next_poll = self._clock.now() + delay
        except Exception as error:
            unsent = [one for array in self._unsent for one in array.members]
            for followed in (*self._new, *unsent, *self._followed.values()):
                followed.start()
                if not followed.ended.done():
                    followed.ended.set_exception(error)
        finally:
            self._following = None

    async def _gather(self) -> None:
        """Make arrays of the jobs that came since the last look, of those with the same resources."""
        room = len(self._new) if self._most_jobs is None else max(0, self._most_jobs - self._in_slurm())
        taken, self._new = self._new[:room], self._new[room:]
        shapes: dict[JobShape, list[Followed]] = {}
        for followed in taken:
            shapes.setdefault(followed.shape, []).append(followed)
        for members in shapes.values():
            rest = iter(members)
            while array := list(islice(rest, await self._array_size())):
                self._unsent.append(Unsent(array))

    def _in_slurm(self) -> int:
        return len(self._followed) + sum(len(unsent.members) for unsent in self._unsent)

    async def _array_size(self) -> int:
        if self._largest is None:
            try:
                self._largest = await asyncio.to_thread(self._slurm.largest_array)
            except SlurmError:
                return 1
        return self._largest

    async def _submit(self) -> None:
        """Submit the arrays, in their order; after one that Slurm does not answer, wait."""
        while self._unsent and self._clock.now() >= self._next_submission:
            unsent = self._unsent[0]
            if unsent.is_new:
                unsent.members = [one for one in unsent.members if not one.ended.cancelled()]
            try:
                places = await asyncio.to_thread(self._place, unsent)
            except SlurmError as error:
                if error.passes:
                    unsent.waits_s = min(unsent.waits_s * 2, LONGEST_POLL_S)
                    unsent.is_new = False
                    self._next_submission = self._clock.now() + unsent.waits_s
                    self._note(f"Slurm does not take jobs now; the run tries again: {error.message}")
                    return
                places = []
                for followed in unsent.members:
                    followed.end(refused_end(f"Slurm refuses the job: {error.message}"))
            self._unsent.pop(0)
            for followed, place in zip(unsent.members, places, strict=False):
                followed.place = place
                if followed.ended.cancelled():  # meanwhile
                    self._doomed.append(place)
                else:
                    self._followed[followed.task.key] = followed
            await self._cancel_doomed()

    def _place(self, unsent: Unsent) -> list[JobPlace]:
        """Submit an array; one of which Slurm gave no answer may be there already."""
        tasks = [one.task for one in unsent.members]
        found = [] if unsent.is_new else self._submissions.find(tasks)
        return found or (self._submissions.submit(unsent.members[0].shape, tasks) if tasks else [])

    async def _look(self) -> None:
        """Look at the files that jobs wrote; a failed one waits until Slurm was asked, which knows the reason."""
        names = await asyncio.to_thread(lambda: {path.name for path in self._files.iterdir()})
        for key, followed in list(self._followed.items()):
            if f"{key}{STARTED}" in names:
                followed.start()
            if f"{key}{ENDED}" in names:
                end = await asyncio.to_thread(read_end, self._files / f"{key}{ENDED}")
                if end is not None and end.exit_code == 0:
                    self._finish(followed, end)
                else:
                    self._next_poll = min(self._next_poll, self._clock.now() + self._poll_s)

    def _finish(self, followed: Followed, end: JobEnd) -> None:
        del self._followed[followed.task.key]
        followed.end(end)

    async def _ask(self) -> None:
        """Ask Slurm about all jobs with one command; while it does not answer, nothing changes."""
        try:
            jobs = await asyncio.to_thread(self._slurm.jobs)
        except SlurmError as error:
            if self._clock.now() >= self._next_note:
                self._next_note = self._clock.now() + SILENT_S
                self._note(f"Slurm does not answer; the run waits: {error.message}")
            return
        listed = {JobPlace(job.comment, job.index): job for job in jobs}
        unlisted = []
        for followed in list(self._followed.values()):
            job = _listed(followed.place, listed)
            if job is None:
                unlisted.append(followed)
            else:
                followed.unlisted_since = None
                await self._compare(followed, job)
        await self._ask_about_unlisted(unlisted)

    async def _compare(self, followed: Followed, job: SlurmJob) -> None:
        if job.is_running:
            followed.start()
        elif job.has_ended:
            await self._end(followed, job)
        elif end := never_starts(job):
            await asyncio.to_thread(self._slurm.cancel, [job.job_id])
            self._finish(followed, end)

    async def _end(self, followed: Followed, job: SlurmJob) -> None:
        """Finish a job that has ended for Slurm, once its own files are there or late."""
        written = await asyncio.to_thread(read_end, self._files / f"{followed.task.key}{ENDED}")
        if job.state == "COMPLETED" and written is None and not self._is_late(followed, GONE_S):
            return
        log = await asyncio.to_thread(_tail, self._submissions.log(followed.place)) if followed.place else ""
        self._finish(followed, end_of_job(job, written, log, followed.shape.memory_mib))

    def _is_late(self, followed: Followed, seconds: float) -> bool:
        """Return whether something has been missing of a job for a time."""
        if followed.unlisted_since is None:
            followed.unlisted_since = self._clock.now()
        return self._clock.now() - followed.unlisted_since >= seconds

    async def _ask_about_unlisted(self, unlisted: Iterable[Followed]) -> None:
        """Ask the accounting about jobs that Slurm no longer lists; those that nobody knows any more are lost."""
        ids: dict[str, Followed] = {}
        unnumbered = []
        for followed in unlisted:
            if followed.place and (job_id := self._submissions.job_id(followed.place)):
                ids[job_id] = followed
            else:
                unnumbered.append(followed)
        known = {job.job_id: job for job in await asyncio.to_thread(self._slurm.accounted, list(ids))} if ids else {}
        for job_id, followed in ids.items():
            if (job := known.get(job_id)) and job.has_ended:
                await self._end(followed, job)
            elif self._is_late(followed, GONE_S):
                written = await asyncio.to_thread(read_end, self._files / f"{followed.task.key}{ENDED}")
                self._finish(followed, written or lost_end("Slurm no longer knows the job, which wrote no end"))
        for followed in unnumbered:
            if self._is_late(followed, UNSENT_S):
                del self._followed[followed.task.key]  # the head was killed before it was submitted
                self._new.append(followed)


def _listed(place: JobPlace | None, listed: Mapping[JobPlace, SlurmJob]) -> SlurmJob | None:
    """Return a job as Slurm lists it, by itself or with its whole array; None if it does not."""
    return None if place is None else listed.get(place) or listed.get(JobPlace(place.array, None))


def _tail(path: Path) -> str:
    """Return the end of a job's output; empty while there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - LOG_BYTES))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
