"""The folder of a replay: what it writes in the place of the run's files, its journal, and the task's scratch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.runs.replays.origin import ReplayOrigin
from genomics_pipeline.runs.replays.target import ReplayTarget
from genomics_pipeline.stores.publish import make_folders
from genomics_pipeline.worker.scratch import PREFIX

REPLAYS = "replays"


@dataclass(frozen=True, slots=True)
class ReplayFolder:
    """The folder of a replay.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def layer(self) -> Path:
        """The folder of the files that the replay writes, as they would be in the run."""
        return self.path / "run"

    @property
    def scratch(self) -> Path:
        """The folder of temporary files."""
        return self.path / "scratch"

    @property
    def journal(self) -> Path:
        """The folder of the engine's journal."""
        return self.path / "journal"

    @property
    def bed(self) -> Path:
        """The BED file of the region that the task is limited to."""
        return self.path / "region.bed"

    def task_folder(self) -> Path | None:
        """Return the folder of the last task; None where none was started."""
        return next(iter(sorted([*self.scratch.glob(f"{PREFIX}*/"), *self.scratch.glob(f"*/{PREFIX}*/")])), None)


def replay_folder(out: Path | None, origin: ReplayOrigin, target: ReplayTarget) -> ReplayFolder:
    """Make the folder of a replay: a new one, beside a run of this machine, or else in the current folder.

    Args:
        out: The folder that the user wants; None for any.
        origin: The run.
        target: The task.

    Raises:
        UsageError: for a folder that is not empty, that is in the run, or that cannot be made.
    """
    run = None if origin.files.is_on_aws else Path(origin.files.shown)
    name = f"{origin.files.place.name}-{target.stage}-{target.item}"
    return make_folder(out, (run.parent if run else Path.cwd()) / REPLAYS / name, run)


def make_folder(out: Path | None, default: Path, run: Path | None) -> ReplayFolder:
    """Make the folder of a replay.

    Args:
        out: The folder that the user wants; None for any.
        default: The folder where none is wanted, with a number behind its name if there is one.
        run: The folder of the run; None of a run on AWS.

    Raises:
        UsageError: see `replay_folder`.
    """
    path = out.absolute() if out else next(_free_names(default))
    if run is not None and path.resolve().is_relative_to(run.resolve()):
        raise UsageError(f"--out {path}: expected a folder outside of the run, found one in {run}")
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise UsageError(f"--out {path}: expected a new or empty folder, found one with files")
        folder = ReplayFolder(path)
        for one in (folder.layer, folder.scratch, folder.journal):
            make_folders(one)
    except OSError as error:
        problem = f"expected a folder that can be written to: {error.strerror}"
        raise UsageError(f"--out {path}: {problem}" if out else f"{path}: {problem}; give another by --out") from None
    return folder


def _free_names(default: Path) -> Iterator[Path]:
    """Yield names of folders that are not there."""
    for number in count(1):
        path = default if number == 1 else default.with_name(f"{default.name}-{number}")
        if not path.exists():
            yield path
