"""The file that names alternate contigs: kept with the reference, and part of its identity."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.stores.local import LocalStore
from tests.reference.conftest import FASTA, INDEXES

ALT = "@SQ\tSN:x\nchr2\t0\tchr1\t1\t60\t60M\t*\t0\t0\t*\t*\n"
NAMES = {"tiny.fa": "tiny.fa.alt", "tiny.fa.gz": "tiny.fa.gz.alt", "packed.fa.gz": "packed.fa.alt"}


@pytest.mark.parametrize("name", NAMES)
def test_it_is_copied_with_the_reference(make: Callable[..., Path], fasta: Path, tmp_path: Path, name: str) -> None:
    fasta.unlink()
    file = fasta.with_name(name)
    file.write_bytes(gzip.compress(FASTA.encode()) if name.endswith(".gz") else FASTA.encode())
    store, cache = LocalStore({"refs": fasta.parent}), tmp_path / "cache"
    without = prepare(f"s3://refs/{name}", INDEXES, store, cache)
    assert not Path(f"{without}.alt").exists()
    alt = file.with_name(NAMES[name])
    alt.write_text(ALT)
    prepared = prepare(f"s3://refs/{name}", INDEXES, store, cache)
    assert Path(f"{prepared}.alt").read_text() == ALT
    assert prepared != without, "the same bases with alternate contigs are another reference"
    alt.write_text(ALT * 2)
    assert prepare(f"s3://refs/{name}", INDEXES, store, cache) not in (prepared, without)


def test_one_of_another_reference_is_refused(make: Callable[..., Path], fasta: Path) -> None:
    alt = fasta.with_name("tiny.fa.alt")
    alt.write_text("chr2_alt\t0\tchr1\t1\t60\t60M\t*\t0\t0\t*\t*\n")
    for _ in range(2):
        with pytest.raises(DataError) as error:
            make(fasta)
        expected = "expected alternate contigs of tiny.fa, found no name of its sequences"
        assert str(error.value) == f"{alt}: {expected}; remove it, or take the one of this reference"
    alt.unlink()  # as the message advises
    assert make(fasta) == fasta
