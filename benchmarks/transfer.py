"""Download and upload of a large object: the worker's store compared with `aws s3 cp`, with a server on this machine.

Each runs in its own process, whose start-up is included, in turns; the medians are compared. The store verifies its
downloads, by S3's checksum of the object or by a recorded sha256; `aws s3 cp` does not.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from benchmarks.measure import Measurement, measure

GIB = 1 << 30
ROUNDS = 3
AWS_CLI = os.environ.get("AWS_CLI", "aws")
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
}
GOAL = 0.9
URI = "s3://bucket/object.bam"
OURS = """
import sys
from pathlib import Path
from genomics_pipeline.stores.protocol import Expected
from genomics_pipeline.cli.adapters import object_store
direction, uri, path, digest = sys.argv[1:]
if direction == "up":
    object_store().publish(Path(path), uri)
else:
    object_store().fetch(uri, Path(path), Expected(sha256=digest or None))
"""


@contextmanager
def serve(file: Path) -> Iterator[dict[str, str]]:
    """Run a server of the file and give the environment for its clients."""
    stub = Path(__file__).with_name("s3_stub.py")
    with subprocess.Popen([sys.executable, str(stub), str(file)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        try:
            yield {**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": url}
        finally:
            server.terminate()


def write(file: Path, size: int) -> str:
    """Write a file of a size in bytes and return its sha256."""
    digest, piece = sha256(), os.urandom(1 << 24)
    with file.open("wb") as out:
        for left in range(size, 0, -len(piece)):
            out.write(piece[:left])
            digest.update(piece[:left])
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Bench:
    """The folder and the environment of the transfers."""

    folder: Path
    env: dict[str, str]

    def measure_store(self, direction: str, digest: str = "") -> Measurement:
        """Measure the worker's store."""
        path = self.folder if direction == "down" else self._upload()
        return self._measure([sys.executable, "-c", OURS, direction, URI, str(path), digest])

    def measure_aws_cli(self, direction: str) -> Measurement:
        """Measure `aws s3 cp`."""
        down = [URI, str(self.folder / "object.bam")]
        pair = down if direction == "down" else [str(self._upload()), URI]
        return self._measure([AWS_CLI, "s3", "cp", "--quiet", *pair])

    def _upload(self) -> Path:
        """Return a link to the file, which the upload may remove."""
        link = self.folder / "upload"
        link.unlink(missing_ok=True)
        link.hardlink_to(self.folder.parent / "object.bam")
        return link

    def _measure(self, argv: list[str]) -> Measurement:
        measured = measure(argv, env=self.env, cwd=self.folder)
        (self.folder / "object.bam").unlink(missing_ok=True)
        return measured


def compare(bench: Bench, direction: str, digest: str) -> float:
    """Print the medians of both, and return the store's speed as a share of that of the AWS CLI."""
    pairs = [(bench.measure_store(direction, digest), bench.measure_aws_cli(direction)) for _ in range(ROUNDS)]
    seconds = [statistics.median(pair[column].seconds for pair in pairs) for column in (0, 1)]
    peaks = [max(pair[column].peak_mib for pair in pairs) for column in (0, 1)]
    ratio = seconds[1] / seconds[0]
    what = f"{direction}, sha256" if digest else direction
    print(
        f"{what:14} {seconds[0]:>9.2f} {seconds[1]:>9.2f} {ratio:>7.2f} {peaks[0]:>10.0f} {peaks[1]:>10.0f}", flush=True
    )
    return ratio


def main() -> int:
    """Print the table; return 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=2, help="size of the object")
    gib = parser.parse_args().gib
    if shutil.which(AWS_CLI) is None:
        print("SKIPPED: no aws on this machine; set AWS_CLI")
        return 0
    print(f"{gib:g} GiB        ours (s)   aws (s)   ratio  ours (MiB)  aws (MiB)")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "work")
        folder.mkdir()
        digest = write(Path(name, "object.bam"), int(gib * GIB))
        with serve(Path(name, "object.bam")) as env:
            bench = Bench(folder, env)
            ratios = [
                compare(bench, direction, known) for direction, known in (("down", ""), ("down", digest), ("up", ""))
            ]
    if min(ratios) < GOAL:
        print(f"expected at least {GOAL} of the speed of aws s3 cp, found {min(ratios):.2f}")
    return int(min(ratios) < GOAL)


if __name__ == "__main__":
    sys.exit(main())
