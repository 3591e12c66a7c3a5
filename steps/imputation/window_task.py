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
from absent_alleles import AbsentAlleles
from common.bgzf_parts import bgzf_writer
from common.program import BadInput
from common.tabix_file import open_tabix
from genetic_map import GeneticMap
from haplotype_model import Panel, Sampling
from imputed import Imputed, impute
from imputed_records import Limits, Records
from numpy.typing import NDArray
from panel import NotDiploid, PanelFile, PanelRegion, Site
from sample_likelihoods import LOOK_BACK_BP, Key, SiteIndex, normal_form, phred_likelihoods
from windows import Window

BATCH_BYTES = 256 << 20  # of the probabilities of carriers that the forward algorithm keeps for the backward one
FLOAT32_BYTES = 4
SPANNING = "*"
COUNTS = ("sites", "variants", "low_dr2", "not_in_panel", "not_in_panel_filtered", "sum_dr2")
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
        limits: The limits of the filter of imputed sites.
        absent: The filter of alleles that the panel lacks.
        parameters: The parameters of the step.
    """

    def __init__(
        self,
        source: Source,
        contigs: Mapping[str, int],
        sampling: Sampling,
        limits: Limits,
        absent: AbsentAlleles,
        parameters: Mapping[str, Any],
    ) -> None:
        self._source, self._contigs = source, contigs
        self._sampling, self._limits, self._absent, self._parameters = sampling, limits, absent, parameters

    def write(self, window: Window, path: Path) -> None:
        """Write the records of a window, and its counts beside them as JSON.

        Raises:
            BadInput: for a panel that does not fit, and damaged files.
        """
        around = window.with_margin(self._parameters["margin_bp"], self._contigs[window.contig])
        reference = self._reference(around)
        left_out, imputed = "", None
        qualities: Mapping[Key, float] = {}
        region = PanelRegion(self._source.panel.haplotypes)
        try:
            region = self._source.panel.region(*around, reference.bases[around.start - reference.start :])
            index = SiteIndex(region.sites, reference.base)
            if region.sites:
                imputed, qualities = self._impute(window, around, region, index)
        except NotDiploid as error:
            left_out, region = str(error), PanelRegion(self._source.panel.haplotypes)
            index = SiteIndex([], reference.base)
        counts = {"window": window.text, "left_out": left_out, "symbolic_alleles": region.symbolic}
        counts |= dict.fromkeys(COUNTS, 0)
        lines = self._imputed_lines(window, region, imputed, counts) if imputed else iter(())
        with bgzf_writer(path) as write:
            for _, _, line in heapq.merge(lines, self._called_lines(window, index, qualities, counts)):
                write(line)
        path.with_suffix(".json").write_text(json.dumps(counts))

    def _reference(self, around: Window) -> _Reference:
        start = max(1, around.start - LOOK_BACK_BP)
        with pysam.FastaFile(self._source.reference) as fasta:
            return _Reference(fasta.fetch(around.contig, start - 1, around.end + LOOK_BACK_BP).upper(), start)

    def _impute(
        self, window: Window, around: Window, region: PanelRegion, index: SiteIndex
    ) -> tuple[Imputed, Mapping[Key, float]]:
        """Return the genotypes at all sites of the region, and the QUAL of called alleles that the panel lacks.

        Samples are imputed in batches of a bounded size. Neither batches nor other samples change a sample's genotypes.
        """
        sites = len(region.sites)
        absent = self._absent_keys(window, region, index)
        both = SiteIndex([*region.sites, *(Site(*key, "") for key in absent)], index.base)
        positions = [site.pos for site in region.sites]
        switches = self._source.genetic_map.switches(window.contig, positions, region.haplotypes)
        panel = Panel(region.carriers, np.array(region.flipped), region.haplotypes, switches)
        names = list(self._source.gvcfs)
        each = FLOAT32_BYTES * self._sampling.chains * sum(map(len, region.carriers))
        size = max(1, min(len(names), BATCH_BYTES // max(each, 1)))
        parts, evidence = [], np.zeros(len(absent), np.int64)
        for first in range(0, len(names), size):
            batch = names[first : first + size]
            phred = np.stack([self._phred(name, around, both) for name in batch], axis=1)
            evidence += phred[sites:, :, 0].sum(1)
            # The likelihoods of indels are too sure of themselves where reads align in several ways.
            phred[~both.is_snp] = np.minimum(phred[~both.is_snp], self._parameters["max_indel_pl"])
            random = [self._random(name, window) for name in batch]
            likelihoods = np.power(10, -phred[:sites] / 10)
            parts.append(impute(panel, likelihoods, random, self._sampling, self._parameters["states"]))
        imputed = Imputed(
            np.concatenate([part.probabilities for part in parts], axis=1),
            np.concatenate([part.first_has_more for part in parts], axis=1),
        )
        rarest = {
            kind: int(found.min()) for kind in (True, False) if (found := region.copies[index.is_snp == kind]).size
        }
        found = dict(zip(absent, evidence.tolist(), strict=True))
        return imputed, self._absent.qualities(found, 2 * len(names), region.haplotypes, rarest)

    def _phred(self, name: str, around: Window, index: SiteIndex) -> NDArray[np.int16]:
        """Return the Phred-scaled likelihoods of a sample; shape (M, 3)."""
        path = self._source.gvcfs[name]
        try:
            with open_tabix(path) as gvcf:
                known = around.contig in gvcf.contigs
                return phred_likelihoods(gvcf.fetch(*around.bounds) if known else iter(()), index)
        except (OSError, ValueError) as error:
            raise BadInput(f"{path}: expected a whole gVCF with its index, found: {error}") from None

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

    def _called_lines(
        self, window: Window, index: SiteIndex, qualities: Mapping[Key, float], counts: dict[str, Any]
    ) -> Iterator[Line]:
        """Yield the cohort's records of alleles that the panel lacks, revised where their QUAL is known."""
        for key, pos, line in self._calls(window, index):
            if key in index.rows:
                continue
            counts["not_in_panel"] += 1
            if key in qualities:
                line, fails = self._absent.revised(line, qualities[key])
                counts["not_in_panel_filtered"] += fails
            yield pos, 1, f"{line}\n"

    def _absent_keys(self, window: Window, region: PanelRegion, index: SiteIndex) -> list[Key]:
        """Return the called alleles of a window that no haplotype of the panel has, each once."""
        of_all = SiteIndex(region.fixed, index.base).rows
        keys = (key for key, _, _ in self._calls(window, index))
        return list(dict.fromkeys(key for key in keys if key not in index.rows and key not in of_all))

    def _calls(self, window: Window, index: SiteIndex) -> Iterator[tuple[Key, int, str]]:
        """Yield the alleles of a window that the cohort has, each with its position and its line."""
        with open_tabix(self._source.calls) as calls:
            if window.contig not in calls.contigs:
                return
            for line in calls.fetch(*window.bounds):
                _, text, _, ref, alt, _ = line.split("\t", 5)
                pos = int(text)
                if window.start <= pos <= window.end and alt != SPANNING:
                    yield normal_form(pos, ref.upper(), alt.upper(), index.base), pos, line
