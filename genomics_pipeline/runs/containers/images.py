"""The image of a step: the locked wheels, the worker and the step's folder, with a tag that identifies the content."""

from __future__ import annotations

import platform
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

from genomics_pipeline import __version__
from genomics_pipeline.model.architecture import Architecture, machine_architecture
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.reference.cache import make_cache
from genomics_pipeline.runs.catalog import load_pipeline, load_step, shipped_folder, usual_pipelines
from genomics_pipeline.runs.containers.container_engine import ContainerEngine
from genomics_pipeline.runs.containers.intake_image import intake_step
from genomics_pipeline.stores.publish import make_folders, publishing_folder
from genomics_pipeline.worker.step_folder import StepFolder

PACKAGES = (
    "model",
    "prices",
    "records",
    "reference",
    "schemas",
    "stores",
    "worker",
)  # of this package, in the base image: the worker and its imports
FILES = ("__init__.py", "py.typed")
DOCKERFILE = "Dockerfile"
DEBIAN_VARIABLE = "GENOMICS_PIPELINE_DEBIAN"  # a copy of Debian's image elsewhere, such as in a registry of one's own
OWN_LOCK = "requirements.lock"  # beside a Dockerfile: of the wheels of that image alone
ANY_STEP = "step"  # the folder below containers/ for a step without a Dockerfile of its own
FUNCTION_STEP = "function"  # likewise, for a step on Lambda
PYTHON = "3.11"  # of debian:bookworm
GLIBC = 36  # 2.36, of debian:bookworm
TAG_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Image:
    """The image of a step.

    Attributes:
        step: The step.
        name: The name and tag, ``<stack>/<step>:<tag>``.
        architecture: The processor architecture of its hosts.
    """

    step: StepFolder
    name: str
    architecture: Architecture


def this_architecture() -> Architecture:
    """Return the processor architecture of this machine.

    Raises:
        RunError: if no image can be built for it.
    """
    if architecture := machine_architecture(platform.machine()):
        return architecture
    raise RunError(f"this machine: expected a processor of {' or '.join(Architecture)}, found {platform.machine()}")


def image(step: StepFolder, names: ResourceNames, architecture: Architecture) -> Image:
    """Return the image of a step for an architecture, built or not."""
    return Image(step, f"{names.repository(step.spec.name)}:{tag(step, architecture)}", architecture)


def select_images(
    stack: str, pipelines: Sequence[str], steps: Sequence[str], architecture: Architecture, *, intake: bool = False
) -> list[Image]:
    """Return the images of the named steps; of all steps of the pipelines where none is named.

    Args:
        stack: The name of the stack, which begins the names of its images.
        pipelines: The pipelines; all shipped ones over samples where none is named, as `deploy` does.
        steps: The steps by name or path.
        architecture: The processor architecture of the images' hosts.
        intake: Whether the image of the intake is one of them.

    Raises:
        DataError: for a pipeline or step that cannot be used.
    """
    folders = [load_step(step) for step in steps] or _steps_of(pipelines or usual_pipelines())
    folders += [intake_step()] if intake else []
    return [image(folder, ResourceNames(stack), architecture) for folder in folders]


def _steps_of(pipelines: Sequence[str]) -> list[StepFolder]:
    """Return the steps of pipelines, each once."""
    folders: dict[str, StepFolder] = {}
    for pipeline in pipelines:
        folders |= load_pipeline(pipeline)[1]
    return list(folders.values())


def tag(step: StepFolder, architecture: Architecture) -> str:
    """Return the tag of a step's image for an architecture, whoever builds it: ``<content>-<architecture>``."""
    return f"{content_tag(step)}-{architecture}"


def content_tag(step: StepFolder) -> str:
    """Return the tag of a step's images without their architecture.

    It is 16 hexadecimal digits of a sha256 of everything that they are built from, the lock files of every architecture
    among it.
    """
    programs = [name for name, file in step.files if _is_program(file)]
    content = "\0".join([_base_digest(), step.digest, *programs]).encode()
    own = b"".join(file.read_bytes() for file in (dockerfile(step), *_own_locks(step)))
    return sha256(content + own).hexdigest()[:TAG_LENGTH]


def dockerfile(step: StepFolder) -> Path:
    """Return the Dockerfile of a step: its own, the shipped one for its name, or the shipped one for any step."""
    containers = shipped_folder("containers")
    candidates = (step.path / DOCKERFILE, containers / step.spec.name / DOCKERFILE)
    usual = FUNCTION_STEP if step.spec.is_function else ANY_STEP
    return next((file for file in candidates if file.is_file()), containers / usual / DOCKERFILE)


def _own_locks(step: StepFolder) -> list[Path]:
    """Return the lock file of the wheels of a step's image alone, beside its Dockerfile, if there is one."""
    file = dockerfile(step).with_name(OWN_LOCK)
    return [file] if file.is_file() else []


def _debian(environment: Mapping[str, str]) -> str:
    """Return the pinned image of Debian, or the user's copy of it."""
    if copy := environment.get(DEBIAN_VARIABLE):
        return copy
    pinned = re.search(
        "^ARG DEBIAN=(.+)$", (shipped_folder("containers") / "base" / DOCKERFILE).read_text(), re.MULTILINE
    )
    assert pinned is not None
    return pinned[1]


def build(image: Image, engine: ContainerEngine, cache: Path) -> bool:
    """Build an image unless the engine has it.

    Args:
        image: The image.
        engine: The container engine.
        cache: The user's cache folder, for wheels.

    Returns:
        Whether it was built.

    Raises:
        RunError: if it cannot be built.
    """
    if engine.has(image.name):
        return False
    foreign = machine_architecture(platform.machine()) is not image.architecture
    platform_options = {"--platform": [image.architecture.platform]}
    base = f"genomics-pipeline/base:{_base_digest()[:TAG_LENGTH]}-{image.architecture}"
    if not engine.has(base):
        with TemporaryDirectory() as folder:
            _write_base_context(Path(folder), image.architecture, cache)
            _make_readable(Path(folder))
            copy = engine.environment.get(DEBIAN_VARIABLE)
            arguments = {"--build-arg": [f"DEBIAN={copy}"]} if copy else {}
            engine.build(base, Path(folder), DOCKERFILE, {**platform_options, **arguments}, foreign)
    spec = image.step.spec
    with TemporaryDirectory() as folder:
        for name, file in image.step.files:
            _copy(file, Path(folder) / "step" / name)
        _copy(dockerfile(image.step), Path(folder) / DOCKERFILE)
        debian = []
        if locks := _own_locks(image.step):
            _copy(locks[0], Path(folder) / OWN_LOCK)
            shutil.copytree(wheels(locks, image.architecture, cache), Path(folder) / "wheels")
            debian = [f"DEBIAN={_debian(engine.environment)}"]
        _make_readable(Path(folder))
        labels = {
            "title": f"genomics-pipeline {spec.name}",
            "description": spec.summary,
            "version": spec.version,
            "revision": image.step.digest,
            "licenses": "Apache-2.0",
        }
        annotations = {f"org.opencontainers.image.{name}": value for name, value in labels.items()}
        annotations["genomics-pipeline.version"] = __version__
        words = {
            **platform_options,
            "--build-arg": [f"BASE={base}", *debian],
            "--label": [f"{name}={value}" for name, value in annotations.items()],
        }
        engine.build(image.name, Path(folder), DOCKERFILE, words, foreign)
    _check_architecture(image, engine)
    return True


def _check_architecture(image: Image, engine: ContainerEngine) -> None:
    """Refuse an image that an engine built for another processor than it was asked to."""
    found = str(engine.inspect(image.name)["Architecture"])
    if machine_architecture(found) is not image.architecture:
        raise RunError(
            f"image {image.name}: expected the engine to build it for {image.architecture.platform}, found {found}; "
            f"build it on a machine of {image.architecture}"
        )


def _package() -> Path:
    return Path(str(resources.files("genomics_pipeline")))


def package_files() -> Iterator[Path]:
    """Yield the files of this package in the base image, in a fixed order."""
    package = _package()
    yield from (package / name for name in FILES)
    for package_name in PACKAGES:
        files = (file for file in sorted((package / package_name).rglob("*")) if file.is_file())
        yield from (file for file in files if file.suffix != ".pyc")


@cache
def _base_digest() -> str:
    """Return the sha256 of everything in the base image; the files are read once in a process."""
    containers, package = shipped_folder("containers"), _package()
    locks = dict.fromkeys(lock for architecture in Architecture for lock in lock_files(architecture))
    files = [containers / "base" / DOCKERFILE, *locks, *package_files()]
    digest = sha256()
    for file in files:
        name = file.relative_to(package if file.is_relative_to(package / "model") else file.parent)
        digest.update(f"{name}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _write_base_context(folder: Path, architecture: Architecture, cache: Path) -> None:
    """Write the files that the base image is built from into a folder."""
    containers, package = shipped_folder("containers"), _package()
    _copy(containers / "base" / DOCKERFILE, folder / DOCKERFILE)
    for lock in lock_files(architecture):
        _copy(lock, folder / "locks" / lock.name)
    for file in package_files():
        _copy(file, folder / "package" / "genomics_pipeline" / file.relative_to(package))
    shutil.copytree(wheels(lock_files(architecture), architecture, cache), folder / "wheels")


def lock_files(architecture: Architecture) -> list[Path]:
    """Return the lock files of the wheels of an architecture: that of all, and that of its own if it has one."""
    containers = shipped_folder("containers")
    files = [containers / "requirements.lock", containers / f"requirements.{architecture}.lock"]
    return [file for file in files if file.is_file()]


def wheels(locks: Sequence[Path], architecture: Architecture, cache: Path) -> Path:
    """Return the folder of the locked wheels for the Python of the image; pip downloads them once.

    Args:
        locks: The lock files.
        architecture: The processor architecture of the image.
        cache: The user's cache folder.

    Raises:
        RunError: if pip cannot download them.
    """
    from filelock import FileLock

    make_cache(cache)
    digest = sha256(b"\n".join(lock.read_bytes() for lock in locks)).hexdigest()
    folder = cache / "wheels" / f"{digest[:TAG_LENGTH]}-{architecture}"
    make_folders(folder.parent)
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        if not folder.is_dir():
            with publishing_folder(folder) as part:
                _download(locks, architecture, part)
    return folder


def _download(locks: Sequence[Path], architecture: Architecture, folder: Path) -> None:
    machine = architecture.wheels
    platforms = [f"--platform=manylinux_2_{minor}_{machine}" for minor in range(GLIBC, 4, -1)]
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    argv += ["--require-hashes", "--only-binary=:all:", f"--python-version={PYTHON}", "--implementation=cp", *platforms]
    argv += [f"--platform=manylinux2014_{machine}", f"--dest={folder}"]
    argv += [f"--requirement={lock}" for lock in locks]
    process = subprocess.run(argv, capture_output=True, text=True, check=False)
    if process.returncode:
        raise RunError(f"pip cannot download the wheels of {locks[-1]}: {process.stderr.strip().splitlines()[-1]}")


def _copy(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, target)


def _is_program(file: Path) -> bool:
    return bool(file.stat().st_mode & stat.S_IXUSR)


def _make_readable(folder: Path) -> None:
    """Make all files readable for every user of the image: a build keeps their modes, which depend on the umask."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or _is_program(path) else 0o644)
