"""The work on one window: the panel, the samples' likelihoods, the model, and the records that are written."""

from __future__ import annotations

import heapq
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pysam
from common.bgzf_parts import bgzf_writer
from common.program import BadInput
from common.tabix_file import open_tabix
from genetic_map import GeneticMap
from haplotype_model import Floats, Panel, Sampling
from imputed import Imputed, impute
from imputed_records import Limits, Records
from panel import NotDiploid, PanelFile, PanelRegion
from sample_likelihoods import LOOK_BACK_BP, SiteIndex, normal_form, phred_likelihoods
from windows import Window

BATCH_BYTES = 256 << 20  # of the probabilities of carriers that the forward algorithm keeps for the backward one
FLOAT32_BYTES = 4
SPANNING = "*"
Line = tuple[int, int, str]  # position, order among those of a position, text


@dataclass(frozen=True)
class Source:
    """The files of an interval.

    Attributes:
        panel: The panel.
        gvcfs: The gVCF of each sample, in the order of the columns.
        calls: The cohort's calls, one alternate allele a record.
        reference: The FASTA file.
        genetic_map: The map.
    """

    panel: PanelFile
    gvcfs: Mapping[str, str]
    calls: str
    reference: str
    genetic_map: GeneticMap


class _Reference(NamedTuple):
    """Bases of a contig from a position on."""

    bases: str
    start: int

    def base(self, pos: int) -> str:
        """Return the base at a position; an empty string outside."""
        return self.bases[pos - self.start : pos - self.start + 1] if pos >= self.start else ""


class WindowTask:
    """The work on a window.

    Args:
        source: The files.
        contigs: The length of each contig, by name.
        sampling: The settings of the model.
        limits: The limits of the filter.
        parameters: The parameters of the step.
    """

    def __init__(
        self,
        source: Source,
        contigs: Mapping[str, int],
        sampling: Sampling,
        limits: Limits,
        parameters: Mapping[str, Any],
    ) -> None:
        self._source, self._contigs = source, contigs
        self._sampling, self._limits, self._parameters = sampling, limits, parameters

    def write(self, window: Window, path: Path) -> None:
        """Write the records of a window, and its counts beside them as JSON.

        Raises:
            BadInput: for a panel that does not fit, and damaged files.
        """
        around = window.with_margin(self._parameters["margin_bp"], self._contigs[window.contig])
        reference = self._reference(around)
        left_out, imputed = "", None
        region = PanelRegion(self._source.panel.haplotypes)
        try:
            region = self._source.panel.region(*around, reference.bases[around.start - reference.start :])
            index = SiteIndex(region.sites, reference.base)
            imputed = self._impute(window, around, region, index)
        except NotDiploid as error:
            left_out, region = str(error), PanelRegion(self._source.panel.haplotypes)
            index = SiteIndex([], reference.base)
        counts = {"window": window.text, "left_out": left_out, "symbolic_alleles": region.symbolic}
        counts |= dict.fromkeys(("sites", "variants", "low_dr2", "not_in_panel", "sum_dr2"), 0)
        lines = self._imputed_lines(window, region, imputed, counts) if imputed else iter(())
        with bgzf_writer(path) as write:
            for _, _, line in heapq.merge(lines, self._called_lines(window, index, counts)):
                write(line)
        path.with_suffix(".json").write_text(json.dumps(counts))

    def _reference(self, around: Window) -> _Reference:
        start = max(1, around.start - LOOK_BACK_BP)
        with pysam.FastaFile(self._source.reference) as fasta:
            return _Reference(fasta.fetch(around.contig, start - 1, around.end + LOOK_BACK_BP).upper(), start)

    def _impute(self, window: Window, around: Window, region: PanelRegion, index: SiteIndex) -> Imputed | None:
        """Return the genotypes at all sites of the region; None where it has no sites.

        Samples are imputed in batches of a bounded size. Neither batches nor other samples change a sample's genotypes.
        """
        if not region.sites:
            return None
        positions = [site.pos for site in region.sites]
        switches = self._source.genetic_map.switches(window.contig, positions, region.haplotypes)
        panel = Panel(region.carriers, np.array(region.flipped), region.haplotypes, switches)
        names = list(self._source.gvcfs)
        each = FLOAT32_BYTES * self._sampling.chains * sum(map(len, region.carriers))
        size = max(1, min(len(names), BATCH_BYTES // max(each, 1)))
        parts = []
        for first in range(0, len(names), size):
            batch = names[first : first + size]
            likelihoods = np.stack([self._likelihoods(name, around, index) for name in batch], axis=1)
            random = [self._random(name, window) for name in batch]
            parts.append(impute(panel, likelihoods, random, self._sampling, self._parameters["states"]))
        return Imputed(
            np.concatenate([part.probabilities for part in parts], axis=1),
            np.concatenate([part.first_has_more for part in parts], axis=1),
        )

    def _likelihoods(self, name: str, around: Window, index: SiteIndex) -> Floats:
        """Return the likelihoods of a sample; shape (M, 3)."""
        path = self._source.gvcfs[name]
        try:
            with open_tabix(path) as gvcf:
                known = around.contig in gvcf.contigs
                lines = gvcf.fetch(around.contig, around.start - 1, around.end) if known else iter(())
                phred = phred_likelihoods(lines, index).astype(float)
        except (OSError, ValueError) as error:
            raise BadInput(f"{path}: expected a whole gVCF with its index, found: {error}") from None
        # The likelihoods of indels are too sure of themselves where reads align in several ways.
        phred[~index.is_snp] = np.minimum(phred[~index.is_snp], self._parameters["max_indel_pl"])
        return np.power(10, -phred / 10)

    def _random(self, name: str, window: Window) -> np.random.Generator:
        """Return a generator that depends on the seed, the sample and the window only."""
        key = zlib.crc32(f"{name}\t{window.text}".encode())
        return np.random.default_rng([self._parameters["seed"], key])

    def _imputed_lines(
        self, window: Window, region: PanelRegion, imputed: Imputed, counts: dict[str, Any]
    ) -> Iterator[Line]:
        records = Records(imputed, self._limits)
        for number, site in enumerate(region.sites):
            if window.start <= site.pos <= window.end:
                varies = bool(records.copies[number].any())
                counts["sites"] += 1
                counts["variants"] += varies
                counts["low_dr2"] += not records.passes[number]
                counts["sum_dr2"] += float(records.r2[number]) if varies else 0
                yield site.pos, 0, records.line(number, window.contig, site, region.frequency(number))

    def _called_lines(self, window: Window, index: SiteIndex, counts: dict[str, Any]) -> Iterator[Line]:
        """Yield the cohort's records of alleles that the panel lacks."""
        with open_tabix(self._source.calls) as calls:
            if window.contig not in calls.contigs:
                return
            for line in calls.fetch(window.contig, window.start - 1, window.end):
                _, text, _, ref, alt, _ = line.split("\t", 5)
                pos = int(text)
                if not window.start <= pos <= window.end or alt == SPANNING:
                    continue
                if normal_form(pos, ref.upper(), alt.upper(), index.base) not in index.rows:
                    counts["not_in_panel"] += 1
                    yield pos, 1, f"{line}\n"
