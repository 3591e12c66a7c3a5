"""Annotation of a shard of a VCF: the records whose POS is in its regions, as if the whole file were annotated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from heapq import merge
from itertools import takewhile
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pysam
import pysam.bcftools
from common.bcf_records import BcfRecords, write_records
from common.consequence_tally import tally
from common.fai import Sequence as FaiSequence
from common.fai import needs_csi, parse_fai
from common.program import BadInput
from common.transcript_groups import Region, reach
from common.variant_annotation import (
    NOTHING,
    SAME_BYTES,
    SOURCES,
    annotation_commands,
    described_header,
    run,
    run_passes,
)
from genes_by_region import GenesByRegion, parse_region
from shard_reference import write_reference

VERSION = "1.2.0"  # of the step annotation, whose header this one writes
_GENES: dict[str, GenesByRegion] = {}  # those that this environment has read, by path


def handle(batch: Any) -> dict[str, Any] | None:
    """Annotate the shard of a batch, which is one record, and return its place and its counts."""
    (record,) = batch.records
    try:
        return annotate(batch, record)
    except (BadInput, OSError) as error:
        batch.fail(0, str(error))
        return None


def annotate(batch: Any, record: Mapping[str, Any]) -> dict[str, Any]:
    """Write the annotated records of a shard, and return its number, its counts and where its records begin.

    Args:
        batch: The call.
        record: The shard.

    Raises:
        BadInput: for files that cannot be used.
        OSError: for files that cannot be read.
        ForkFailed: if bcftools failed.
    """
    parameters, scratch = dict(batch.parameters), Path(batch.scratch)
    reference = parameters.pop("reference")
    if batch.file(record["vcf"]).version != record["version"]:
        raise BadInput(f"{record['vcf']}: expected the file as it was when the run began, found another version")
    if all(parameters[name] is None for name in ("gff3", *SOURCES)):
        raise BadInput(NOTHING)
    sequences = read_sequences(batch, reference)
    contigs = {one.name: one.length for one in sequences}
    shard = [parse_region(text) for text in record["regions"]]
    wide, genes, fasta = shard, "", reference
    part = scratch / "part.bcf"
    if parameters["gff3"] is not None:
        index = genes_of(parameters["gff3"], contigs)
        wide = take_whole(batch, record["vcf"], index, shard, part)
        around = index.widened(wide)
        genes = index.write(around, scratch)
        fasta = write_reference(batch, reference, sequences, around, scratch)
    else:
        take(batch, record["vcf"], wide, part)
    texts = [f"{one.contig}:{one.start}-{one.end}" for one in wide]
    local = {name: batch.excerpt(parameters[name], texts) for name in SOURCES if parameters[name] is not None}
    done = run_passes(list(annotation_commands({**parameters, **local}, fasta, genes)), str(part), scratch)
    counts = tally(done, parameters["gff3"] is not None, lambda contig, pos: is_within(shard, contig, pos))
    named = {name: _named(value) for name, value in parameters.items()}
    task = {
        "step": "annotation",
        "version": VERSION,
        "inputs": {"vcf": _named(record["vcf"]), "reference": _named(reference)},
        "parameters": named,
    }
    commands = list(annotation_commands({**parameters, **local}, _named(reference), genes))
    begin, records = write_shard(done, described_header(done, task, commands), shard, batch.output("vcf"))
    csi = needs_csi(contigs.values())
    pysam.tabix_index(batch.output("vcf"), preset="vcf", force=True, csi=csi)
    return {
        **{name: record[name] for name in ("shard", "shards", "of_records")},
        "records": records,
        "records_at": begin,
        "csi": csi,
        "counts": counts,
    }


def _named(value: Any) -> Any:
    """Return a file's name as that of a file of this machine, which provenance shows without folders."""
    return f"/{value.rpartition('/')[2]}" if isinstance(value, str) and "/" in value else value


def read_sequences(batch: Any, reference: str) -> list[FaiSequence]:
    """Return the sequences of the reference from its index."""
    index = batch.file(f"{reference}.fai")
    return parse_fai(index.read(0, index.size_bytes).decode())


def genes_of(path: str, contigs: Mapping[str, int]) -> GenesByRegion:
    """Return the genes of a file, which an environment reads once."""
    if path not in _GENES:
        _GENES[path] = GenesByRegion(path, contigs, Path(mkdtemp(prefix="genes-")))
    return _GENES[path]


def take(batch: Any, vcf: str, regions: Sequence[Region], target: Path) -> None:
    """Write the records of a VCF that overlap some regions, or its header alone where there are no regions.

    Args:
        batch: The call.
        vcf: The VCF.
        regions: The regions.
        target: The BCF file to write, with its index.
    """
    path = batch.excerpt(vcf, [f"{one.contig}:{one.start}-{one.end}" for one in regions])
    words = ["view", SAME_BYTES, "-Ob", "-W", "-o", str(target)]
    if not regions:
        run([*words, "--header-only", path])
        return
    file = target.with_suffix(".txt")
    file.write_text("".join(f"{one.contig}\t{max(one.start, 1)}\t{one.end}\n" for one in regions))
    run([*words, "--regions-file", str(file), "--regions-overlap", "record", path])
    add_telomeres(path, [one.contig for one in regions if one.start == 0], [one.contig for one in regions], target)


def add_telomeres(path: str, begun: Sequence[str], contigs: Sequence[str], target: Path) -> None:
    """Add the records at POS 0, telomeres in VCF, which bcftools does not find by region.

    Args:
        path: The VCF that has them.
        begun: The contigs whose beginning is wanted.
        contigs: All contigs of the target, in order.
        target: The BCF file, with its index, which is written anew if there are such records.
    """
    text, found, others = target.with_suffix(".vcf"), target.with_suffix(".0.bcf"), target.with_suffix(".1.bcf")
    with pysam.VariantFile(path) as vcf:
        lines = [str(record) for name in begun for record in telomeres(vcf, name)]
        numbers = [vcf.get_tid(name) for name in contigs]
        if not lines:
            return
        text.write_text(f"{vcf.header}{''.join(lines)}")
    target.rename(others)
    run(["view", SAME_BYTES, "-Ob", "-o", str(found), str(text)])
    with BcfRecords(str(found)) as first, BcfRecords(str(others)) as second:
        ordered = merge(first, second, key=lambda record: (numbers.index(record.contig), record.pos))
        write_records(str(target), second.header, ordered)


def telomeres(vcf: pysam.VariantFile, contig: str) -> list[pysam.VariantRecord]:
    """Return the records at POS 0 of a contig."""
    with suppress(ValueError):  # of a contig without records
        return list(takewhile(lambda record: record.pos == 0, vcf.fetch(contig)))
    return []


def take_whole(batch: Any, vcf: str, genes: GenesByRegion, shard: Sequence[Region], target: Path) -> list[Region]:
    """Write the records of a shard with all in the same groups of transcripts, and return the regions of these.

    A record that reaches out of the regions brings the groups there with it.

    Args:
        batch: The call.
        vcf: The VCF.
        genes: The genes.
        shard: The regions of the shard.
        target: The BCF file to write, with its index.
    """
    regions = genes.widened(shard)
    while True:
        take(batch, vcf, regions, target)
        if (wider := genes.widened(with_records(regions, str(target)))) == regions:
            return regions
        regions = wider


def with_records(regions: Sequence[Region], part: str) -> list[Region]:
    """Return regions as far as the records that overlap them reach."""
    starts, ends = dict[str, int](), dict[str, int]()
    with pysam.VariantFile(part, drop_samples=True) as vcf:
        for record in vcf:
            start, end = reach(record.pos, record.stop)
            starts.setdefault(record.chrom, start)
            ends[record.chrom] = max(ends.get(record.chrom, 0), end)
    return [
        Region(one.contig, min(one.start, starts.get(one.contig, one.start)), max(one.end, ends.get(one.contig, 0)))
        for one in regions
    ]


def is_within(regions: Sequence[Region], contig: str, pos: int) -> bool:
    """Return whether a position is in one of some regions."""
    return any(one.contig == contig and one.start <= pos <= one.end for one in regions)


def write_shard(annotated: str, header: str, shard: Sequence[Region], target: str) -> tuple[int, int]:
    """Write the records of a shard as VCF, and return the byte of the block with which they begin, and their number.

    Args:
        annotated: The annotated records, those of other shards among them.
        header: The header.
        shard: The regions of the shard.
        target: The file to write.
    """
    records = 0
    with pysam.BGZFile(target, "wb", index=None) as out, pysam.VariantFile(annotated) as vcf:
        out.write(header.encode())
        out.flush()
        begin = out.tell() >> 16  # of a virtual offset, the byte of the block
        for record in vcf:
            if is_within(shard, record.chrom, record.pos):
                out.write(str(record).encode())
                records += 1
    return begin, records
