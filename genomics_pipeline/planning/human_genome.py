"""The genome of a plan without a reference: the chromosomes and the mitochondrion of GRCh38.

Lengths: Genome Reference Consortium, GRCh38.p14, assembly report of GCA_000001405.29, column "Sequence-Length"; the
same as in UCSC's hg38.chrom.sizes. Alternative and unplaced sequences, which add 0.4 to 4 % by release, are left out.
"""

from __future__ import annotations

from genomics_pipeline.reference.fai import Contig

_LENGTHS_BP = {
    "chr1": 248_956_422,
    "chr2": 242_193_529,
    "chr3": 198_295_559,
    "chr4": 190_214_555,
    "chr5": 181_538_259,
    "chr6": 170_805_979,
    "chr7": 159_345_973,
    "chr8": 145_138_636,
    "chr9": 138_394_717,
    "chr10": 133_797_422,
    "chr11": 135_086_622,
    "chr12": 133_275_309,
    "chr13": 114_364_328,
    "chr14": 107_043_718,
    "chr15": 101_991_189,
    "chr16": 90_338_345,
    "chr17": 83_257_441,
    "chr18": 80_373_285,
    "chr19": 58_617_616,
    "chr20": 64_444_167,
    "chr21": 46_709_983,
    "chr22": 50_818_468,
    "chrX": 156_040_895,
    "chrY": 57_227_415,
    "chrM": 16_569,
}
GRCH38 = tuple(Contig(name, length_bp) for name, length_bp in _LENGTHS_BP.items())
