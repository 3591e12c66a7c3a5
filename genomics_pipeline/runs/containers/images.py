"""One image a step: the locked wheels, the worker and the step's folder, tagged by what is in it."""

from __future__ import annotations

import platform
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

from genomics_pipeline import __version__
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.runs.catalog import load_pipeline, load_step, shipped
from genomics_pipeline.runs.containers.container_engine import ContainerEngine
from genomics_pipeline.worker.step_folder import StepFolder

PACKAGES = (
    "model",
    "records",
    "reference",
    "schemas",
    "stores",
    "worker",
)  # of ours: the worker and what it imports
FILES = ("__init__.py", "py.typed")
DOCKERFILE = "Dockerfile"
ANY_STEP = "step"  # the folder below containers/ for a step without a Dockerfile of its own
PYTHON = "3.11"  # of debian:bookworm
GLIBC = 36  # 2.36, of debian:bookworm
TAG_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Image:
    """A step's image: `name` is ``<stack>/<step>:<tag>``."""

    step: StepFolder
    name: str


def image(step: StepFolder, names: ResourceNames) -> Image:
    """Return the image of a step, built or not."""
    return Image(step, f"{names.repository(step.spec.name)}:{tag(step)}")


def chosen(stack: str, pipeline: str, steps: Sequence[str]) -> list[Image]:
    """Return the images of a pipeline's steps, or of the named steps.

    Raises:
        DataError: for a pipeline or step that cannot be used.
    """
    folders = [load_step(step) for step in steps] or list(load_pipeline(pipeline)[1].values())
    return [image(folder, ResourceNames(stack)) for folder in folders]


def tag(step: StepFolder) -> str:
    """Return 16 hexadecimal digits of a digest of everything in a step's image: an unchanged step keeps its tag."""
    programs = [name for name, file in step.files if _is_program(file)]
    told = "\0".join([_base_digest(), step.digest, *programs]).encode()
    return sha256(told + dockerfile(step).read_bytes()).hexdigest()[:TAG_LENGTH]


def dockerfile(step: StepFolder) -> Path:
    """Return a step's Dockerfile: its own, ours for its name, or the one for any step."""
    ours = shipped("containers")
    candidates = (step.path / DOCKERFILE, ours / step.spec.name / DOCKERFILE)
    return next((file for file in candidates if file.is_file()), ours / ANY_STEP / DOCKERFILE)


def build(wanted: Image, engine: ContainerEngine, cache: Path) -> bool:
    """Build an image that the engine does not have.

    Returns:
        Whether it had to be built.

    Raises:
        RunError: if it cannot be built.
    """
    if engine.has(wanted.name):
        return False
    base = f"genomics-pipeline/base:{_base_digest()[:TAG_LENGTH]}"
    if not engine.has(base):
        with TemporaryDirectory() as folder:
            _base_context(Path(folder), cache)
            _open_to_all(Path(folder))
            engine.build(base, Path(folder), DOCKERFILE, {})
    spec = wanted.step.spec
    with TemporaryDirectory() as folder:
        for name, file in wanted.step.files:
            _copy(file, Path(folder) / "step" / name)
        _copy(dockerfile(wanted.step), Path(folder) / DOCKERFILE)
        _open_to_all(Path(folder))
        labels = {
            "title": f"genomics-pipeline {spec.name}",
            "description": spec.summary,
            "version": spec.version,
            "revision": wanted.step.digest,
            "licenses": "Apache-2.0",
        }
        described = {f"org.opencontainers.image.{name}": value for name, value in labels.items()}
        words = {"--build-arg": {"BASE": base}, "--label": {**described, "genomics-pipeline.version": __version__}}
        engine.build(wanted.name, Path(folder), DOCKERFILE, words)
    return True


def _package() -> Path:
    return Path(str(resources.files("genomics_pipeline")))


def _package_files() -> Iterator[Path]:
    """Yield the files of the package that a worker needs, in a fixed order."""
    package = _package()
    yield from (package / name for name in FILES)
    for package_name in PACKAGES:
        yield from (file for file in sorted((package / package_name).rglob("*")) if file.suffix in (".py", ".json"))


def _base_digest() -> str:
    ours, package = shipped("containers"), _package()
    files = [ours / "base" / DOCKERFILE, ours / "requirements.lock", *_package_files()]
    found = sha256(_machine().encode())  # the wheels are this machine's: an image of another one is another image
    for file in files:
        name = file.relative_to(package if file.is_relative_to(package / "model") else file.parent)
        found.update(f"{name}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    return found.hexdigest()


def _base_context(folder: Path, cache: Path) -> None:
    """Write the folder that the base image is built from."""
    ours, package = shipped("containers"), _package()
    _copy(ours / "base" / DOCKERFILE, folder / DOCKERFILE)
    _copy(ours / "requirements.lock", folder / "requirements.lock")
    for file in _package_files():
        _copy(file, folder / "package" / "genomics_pipeline" / file.relative_to(package))
    shutil.copytree(_wheels(ours / "requirements.lock", cache), folder / "wheels")


def _wheels(lock: Path, cache: Path) -> Path:
    """Return the folder of the locked wheels for the image's Python, downloaded once by this machine's pip.

    Raises:
        RunError: if pip cannot get them.
    """
    from filelock import FileLock

    folder = cache / "wheels" / f"{sha256(lock.read_bytes()).hexdigest()[:TAG_LENGTH]}-{_machine()}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        if not folder.is_dir():
            part = folder.with_name(f".{folder.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            _download(lock, part)
            part.replace(folder)
    return folder


def _download(lock: Path, folder: Path) -> None:
    machine = _machine()
    platforms = [f"--platform=manylinux_2_{minor}_{machine}" for minor in range(GLIBC, 4, -1)]
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    argv += ["--require-hashes", "--only-binary=:all:", f"--python-version={PYTHON}", "--implementation=cp", *platforms]
    argv += [f"--platform=manylinux2014_{machine}", f"--dest={folder}", f"--requirement={lock}"]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RunError(f"pip cannot download the wheels of {lock}: {ended.stderr.strip().splitlines()[-1]}")


def _machine() -> str:
    """Return this machine's processor by the name that wheels use."""
    return {"arm64": "aarch64", "AMD64": "x86_64"}.get(platform.machine(), platform.machine())


def _copy(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, target)


def _is_program(file: Path) -> bool:
    return bool(file.stat().st_mode & stat.S_IXUSR)


def _open_to_all(folder: Path) -> None:
    """Let every user of the image read what is in it, whatever this user's umask: a build keeps the modes."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or _is_program(path) else 0o644)
