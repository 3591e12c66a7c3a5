"""Attempts of jobs on a cluster: submitted, found again after a restart of the head, followed to their ends."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from genomics_pipeline.engine.clock import Clock
from genomics_pipeline.engine.tasks.job import JobEnd
from genomics_pipeline.runs.slurm.ends import TIME_STATES, end_of_job, lost_end, never_starts, starts_later
from genomics_pipeline.runs.slurm.followed import Followed
from genomics_pipeline.runs.slurm.job_output import keep_output, tail
from genomics_pipeline.runs.slurm.listing import Listing, read_files
from genomics_pipeline.runs.slurm.node_task import CANCELLED, ENDED, LOG, STARTED, STOPPED, NodeTask, read_end
from genomics_pipeline.runs.slurm.pace import CallPace
from genomics_pipeline.runs.slurm.sending import Sending
from genomics_pipeline.runs.slurm.site_limits import SiteLimits
from genomics_pipeline.runs.slurm.submission import JobPlace, JobShape, Submissions, earlier_places
from genomics_pipeline.slurm.commands import SlurmCommands, SlurmError
from genomics_pipeline.slurm.slurm_job import SlurmJob

LOOK_S = 1.0  # between two looks at the files of jobs, which cost the site nothing
LONGEST_POLL_S, GROWTH = 120.0, 1.5  # between two questions to Slurm while no job ends
UNSENT_S = 30.0  # after which an array of a killed head, whose number it did not write, was not submitted
GONE_S = 120.0  # after which what should be there is lost: file servers and the accounting are late
LATE_S = 30.0  # the same for the reason of a failure, of which Slurm has the exit code
SILENT_S = 600.0  # between two notes about a controller that does not answer


class Attempts:
    """The attempts of the jobs of a run.

    Args:
        run: The folder of the run.
        slurm: The commands of Slurm.
        submissions: The arrays of the run.
        clock: The clock.
        poll_s: The least time between two questions about the jobs.
        most_jobs: The greatest number of jobs that run at once; None for any.
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
        self._slurm, self._submissions, self._clock = slurm, submissions, clock
        self._poll_s, self._note = poll_s, note
        self._pace = CallPace(clock)
        self._sending = Sending(submissions, clock, self._pace, most_jobs, note)
        self._places = earlier_places(run)
        self._active: set[Followed] = set()  # all that somebody waits for
        self._followed: dict[str, Followed] = {}  # those that have a place
        self._doomed: list[JobPlace] = []
        self._ended_by_us: set[JobPlace] = set()
        self._never_began: set[JobPlace] = set()  # tasks that are submitted again, once
        self._shared: set[str] = set()  # arrays with jobs that ran tasks of others
        self._noted: set[str] = set()  # of reasons for which jobs wait, which are shown once
        self._following: asyncio.Task[None] | None = None
        self._next_poll = self._next_note = 0.0

    def is_cancelled(self, key: str) -> bool:
        """Return whether a head of the run cancelled the job with this key, so that it says nothing about its task."""
        place = self._places.get(key)
        return place is not None and self._submissions.file(place, CANCELLED).exists()

    def is_submitted(self, key: str) -> bool:
        """Return whether an attempt with this key has a place, so that its job tells its end."""
        return key in self._places

    async def site(self) -> SiteLimits:
        """Return the limits of the site, once Slurm answers."""
        return await self._sending.site()

    def start(self, task: NodeTask, shape: JobShape, earlier: Sequence[JobPlace] = ()) -> Followed:
        """Submit a task, soon and with others, or find the job that a killed head submitted for it.

        Args:
            task: The task.
            shape: Its resources.
            earlier: The places of attempts at the same work that Slurm has lost.
        """
        loop = asyncio.get_running_loop()
        place = self._places.get(task.key)
        followed = Followed(task, shape, loop.create_future(), loop.create_future(), tuple(earlier), place)
        self._active.add(followed)
        followed.ended.add_done_callback(lambda _: self._active.discard(followed))
        if place:
            self._followed[task.key] = followed
        else:
            self._sending.add(followed)
        if self._following is None:
            self._next_poll = self._clock.now() + self._poll_s
            self._sending.begin()
            self._following = asyncio.ensure_future(self._follow())
        return followed

    async def cancel(self, followed: Followed) -> None:
        """Cancel a job, with those that are cancelled at the same time; a resumed run submits its task again."""
        self._followed.pop(followed.task.key, None)
        if followed.ended.done() and not followed.ended.cancelled():
            return
        followed.ended.cancel()
        await self._sending.withdraw(followed)
        if followed.place:
            self._places[followed.task.key] = followed.place
            await asyncio.to_thread(self._submissions.mark_cancelled, followed.place)
            self._doomed.append(followed.job)
            await asyncio.sleep(0)
            await self._cancel_doomed()

    async def drain(self) -> None:
        """Wait until the jobs that have nothing left to do are cancelled."""
        if self._following:
            await self._following

    async def _cancel_doomed(self) -> None:
        """Cancel the jobs of cancelled callers; one of an array that Slurm may have, if Slurm says so."""
        doomed, self._doomed = self._doomed, []
        for array in {place.array for place in doomed if self._sending.has(place.array)}:
            with suppress(SlurmError):
                await asyncio.to_thread(self._submissions.find, array)
        self._ended_by_us |= set(doomed)
        await self._scancel([job_id for place in doomed if (job_id := self._submissions.job_id(place))])

    async def _scancel(self, ids: Sequence[str]) -> None:
        """Cancel jobs in Slurm; if it does not answer, they end at their time limits."""
        if not ids:
            return
        self._pace.count()
        try:
            await asyncio.to_thread(self._slurm.cancel, ids)
        except SlurmError as error:
            self._note(f"not cancelled in Slurm: {', '.join(ids)}: {error.message}")

    async def _follow(self) -> None:
        delay = self._poll_s
        try:
            while self._sending.is_waiting() or self._followed:
                await self._clock.sleep(LOOK_S)
                for followed in await self._sending.send(self._followed.values()):
                    self._take(followed)
                before = len(self._followed)
                await self._look()
                if self._clock.now() >= self._next_poll and self._pace.has_room():
                    await self._ask()
                    is_quiet = len(self._followed) == before
                    delay = min(delay * GROWTH, LONGEST_POLL_S) if is_quiet else self._poll_s
                    self._next_poll = self._clock.now() + delay
                await self._cancel_leftovers()
        except Exception as error:
            for followed in self._active:
                followed.start()
                if not followed.ended.done():
                    followed.ended.set_exception(error)
        finally:
            self._following = None

    def _take(self, followed: Followed) -> None:
        """Follow an attempt that has a place, unless it was cancelled meanwhile or its array was refused."""
        self._places[followed.task.key] = followed.at
        if not followed.ended.done():
            self._followed[followed.task.key] = followed

    async def _look(self) -> None:
        """Look at the files that jobs wrote; a failed one waits until Slurm was asked, which knows the reason."""
        arrays: dict[str, list[Followed]] = {}
        for followed in list(self._followed.values()):
            if followed.ended.done():  # refused
                self._followed.pop(followed.task.key)
            else:
                arrays.setdefault(followed.at.array, []).append(followed)
        for array, members in arrays.items():
            found = await asyncio.to_thread(read_files, self._submissions.folder(array), members)
            for followed, (claim, end) in found.items():
                if claim is not None and followed.claim is None:
                    followed.claim = claim
                    followed.start()
                    if claim.index != followed.at.index:
                        self._shared.add(array)
                if end is not None and end.exit_code == 0:
                    self._finish(followed, end)
                elif end is not None:
                    followed.written = end
                    self._next_poll = min(self._next_poll, self._clock.now() + self._poll_s)
        await self._look_at_lost_ones()

    async def _look_at_lost_ones(self) -> None:
        """Look for ends of attempts that Slurm had lost: then the present ones are not needed."""
        for followed in [one for one in self._active if one.earlier]:
            for place in followed.earlier:
                end = await asyncio.to_thread(read_end, self._submissions.file(place, ENDED))
                if end is not None and end.exit_code == 0 and not followed.ended.done():
                    await self._sending.withdraw(followed)
                    if followed.place:
                        await asyncio.to_thread(self._submissions.mark_cancelled, followed.place)
                        self._doomed.append(followed.job)
                        await self._cancel_doomed()
                    self._finish(followed, end)

    def _finish(self, followed: Followed, end: JobEnd) -> None:
        """End an attempt, unless its caller was cancelled in the meantime."""
        self._followed.pop(followed.task.key, None)
        followed.end(end)

    async def _ask(self) -> None:
        """Ask Slurm about all jobs with one command; while it does not answer, nothing changes."""
        self._pace.count()
        try:
            listing = Listing(await asyncio.to_thread(self._slurm.jobs))
        except SlurmError as error:
            if self._clock.now() >= self._next_note:
                self._next_note = self._clock.now() + SILENT_S
                self._note(f"Slurm does not answer; the run waits: {error.message}")
            return
        unlisted = []
        for followed in list(self._followed.values()):
            if followed.ended.done() or self._sending.has(followed.at.array):
                continue
            job = listing.job(followed.job)
            if job is None:
                unlisted.append(followed)
            else:
                followed.unlisted_since = None
                await self._compare(followed, job)
        await self._ask_about_unlisted(unlisted)

    async def _compare(self, followed: Followed, job: SlurmJob) -> None:
        if self._submissions.job_id(followed.at) is None:  # a killed head did not write it
            await asyncio.to_thread(self._submissions.number, followed.at.array, job.job_id.partition("_")[0])
        if job.is_running:
            followed.start()
        elif job.has_ended:
            await self._end(followed, job)
        elif (note := starts_later(job)) and note not in self._noted:
            self._noted.add(note)
            self._note(note)
        elif end := never_starts(job):
            self._finish(followed, end)
            await self._scancel([job.job_id])

    async def _end(self, followed: Followed, job: SlurmJob) -> None:
        """Finish an attempt whose job has ended for Slurm, once its own files are there or late."""
        written = followed.written or await asyncio.to_thread(read_end, self._submissions.file(followed.at, ENDED))
        log = await asyncio.to_thread(tail, self._submissions.file(followed.job, LOG))
        if written is None and self._may_come(followed, job, log):
            return
        if written is None and log:
            await asyncio.to_thread(keep_output, followed.task, log)
        has_no_end = job.state == "COMPLETED" or self._runs_on(followed, job)
        if self._says_nothing(followed, job) or (has_no_end and written is None):
            self._finish(followed, lost_end(f"Slurm: {job.state}, without an end of the task"))
        elif written is None and await self._was_dropped(followed, job):
            self._never_began.add(followed.at)
            self._finish(followed, lost_end("Slurm: CANCELLED before it started; submitted once more"))
        else:
            minutes = await asyncio.to_thread(self._submissions.given_minutes, followed.at)
            self._finish(followed, end_of_job(job, written, log, followed.shape.memory_mib, minutes))

    def _says_nothing(self, followed: Followed, job: SlurmJob) -> bool:
        """Return whether a job's end says nothing of a task, since it was cancelled or too slow for another one."""
        was_second = followed.claim is not None and followed.claim.before > 0
        return (job.state == "CANCELLED" and followed.job in self._ended_by_us) or (
            job.state in TIME_STATES and was_second
        )

    async def _was_dropped(self, followed: Followed, job: SlurmJob) -> bool:
        """Return whether a task never began, although nobody cancelled it as far as Slurm says, for the first time.

        The controller of `_runs_on` lists those as cancelled, too, that waited when it was killed. Only the accounting
        tells it from the user's `scancel`.
        """
        if job.state != "CANCELLED" or followed.claim or self._never_began.intersection(followed.earlier):
            return False
        if any(self._submissions.file(followed.at, ending).exists() for ending in (STARTED, CANCELLED)):
            return False
        self._pace.count()
        known = await asyncio.to_thread(self._slurm.accounted, [job.job_id])
        return not any(one.cancelled_by == str(os.getuid()) and one.job_id == job.job_id for one in known)

    def _may_come(self, followed: Followed, job: SlurmJob, log: str) -> bool:
        """Return whether the files of a job that has ended for Slurm may still become visible here."""
        cancelled_s = GONE_S if self._runs_on(followed, job) else 0.0
        patience_s = {"COMPLETED": GONE_S, "FAILED": 0.0 if log else LATE_S, "CANCELLED": cancelled_s}
        if followed.missing_since is None:
            followed.missing_since = self._clock.now()
        return self._clock.now() - followed.missing_since < patience_s.get(job.state, 0.0)

    def _runs_on(self, followed: Followed, job: SlurmJob) -> bool:
        """Return whether a task was begun and not stopped, although Slurm lists its job as cancelled.

        A controller that was killed may restore an array as it was submitted, before its jobs started. It then takes
        the end of one of them for that of the array, and lists all others as cancelled, while they run on.
        """
        is_begun = job.state == "CANCELLED" and followed.claim is not None
        return is_begun and not self._submissions.file(followed.at, STOPPED).exists()

    async def _ask_about_unlisted(self, unlisted: Iterable[Followed]) -> None:
        """Ask the accounting about jobs that Slurm no longer lists; those that nobody knows any more are lost."""
        now = self._clock.now()
        ids = {}
        for followed in [one for one in unlisted if not one.ended.done()]:
            if followed.unlisted_since is None:
                followed.unlisted_since = now
            if job_id := self._submissions.job_id(followed.job):
                ids[followed] = job_id
            elif followed.claim is None and now - followed.unlisted_since >= UNSENT_S:
                self._sending.add_again(followed)
        arrays = sorted({job_id.partition("_")[0] for job_id in ids.values()})
        if arrays:
            self._pace.count()
        known = {job.job_id: job for job in await asyncio.to_thread(self._slurm.accounted, arrays)} if arrays else {}
        for followed in unlisted:
            job = known.get(ids.get(followed, ""))
            if job and job.has_ended and job.comment in ("", followed.at.array):
                await self._end(followed, job)
            elif followed.written:
                self._finish(followed, followed.written)
            elif (followed in ids or followed.claim) and now - (followed.unlisted_since or now) >= GONE_S:
                self._finish(followed, lost_end("Slurm no longer knows the job, which wrote no end"))

    async def _cancel_leftovers(self) -> None:
        """Cancel the jobs of arrays all of whose tasks have ended, since jobs of the same array ran them."""
        if self._shared:
            done = self._shared - {followed.at.array for followed in self._followed.values()}
            self._shared -= done
            ids = [job_id for array in done if (job_id := self._submissions.job_id(JobPlace(array, None)))]
            await self._scancel(ids)
