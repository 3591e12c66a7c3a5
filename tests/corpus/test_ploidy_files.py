"""Bad ploidy files, each of which is refused before a step runs with exactly the messages of `ploidy/NAME.expected`."""

from __future__ import annotations

from pathlib import Path

import pytest

from genomics_pipeline.cli.main import main
from genomics_pipeline.reference.ploidy_file import ploidy_problems
from genomics_pipeline.stores.local import LocalStore

CASES = Path(__file__).with_name("ploidy")
CONTIGS = {"X": 100, "Y": 50}
FILES = sorted(file for file in CASES.iterdir() if file.suffix == ".txt")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_bad_file_has_its_messages_before_the_step_runs(
    file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    reference, alignment = tmp_path / "ref.fa", tmp_path / "s1.bam"
    reference.write_text("".join(f">{name}\n{'ACGTACGTAC' * (length // 10)}\n" for name, length in CONTIGS.items()))
    alignment.write_bytes(b"never read")
    options = ["--reference", str(reference), "--out", str(tmp_path / "out"), "--param", f"ploidy_file={file}"]
    with pytest.raises(SystemExit) as end:
        main(["step", "variant_calling", str(alignment), *options])
    out, err = capfd.readouterr()
    lines = [line for line in err.replace(f"{CASES}/", "").splitlines(keepends=True) if line.startswith("error: ")]
    assert (end.value.code, out) == (1, "")
    assert "".join(lines) == file.with_suffix(".expected").read_text("utf-8")
    assert not (tmp_path / "out" / "steps").exists()


def test_every_message_has_its_file() -> None:
    assert [file.stem for file in FILES] == sorted(file.stem for file in CASES.glob("*.expected"))
    assert len(FILES) >= 6


@pytest.mark.parametrize(
    "text",
    [
        "X 1 60 M 1\nX\t61\t80\tM\t0\r\nX 1 100 F 2\n\n# c\n* * * M 2\n* * * F 1\n",
        "X 1 60 M 1\nchrX 1 60 M 1\n*  * *     M 2\n*  * *     F 2\n",  # as the presets of bcftools
        "Y 1 50 XY 1\nY 1 50 XX 0",
    ],
)
def test_good_files_have_no_problem(text: str, tmp_path: Path) -> None:
    file = tmp_path / "ploidy.txt"
    file.write_text(text, newline="")
    assert list(ploidy_problems(str(file), LocalStore(), CONTIGS)) == []
